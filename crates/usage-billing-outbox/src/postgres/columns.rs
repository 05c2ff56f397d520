//! Rows of PostgreSQL.

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _, Type};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result};

use crate::store::columns::Columns;

pub(super) fn failed(error: sqlx::Error) -> Error {
    Error::new(ErrorKind::File, error.to_string()).with_source(error)
}

fn get<'r, T: Decode<'r, Postgres> + Type<Postgres>>(row: &'r PgRow, column: usize) -> Result<T> {
    row.try_get(column).map_err(failed)
}

/// Numbers are `bigint` in every query.
impl Columns for PgRow {
    fn number(&self, column: usize) -> Result<Option<i64>> {
        get(self, column)
    }

    fn text(&self, column: usize) -> Result<Option<String>> {
        get(self, column)
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>> {
        get(self, column)
    }

    fn key(&self, column: usize) -> Result<Uuid> {
        Uuid::from_slice(get(self, column)?)
            .map_err(|error| Error::new(ErrorKind::File, "a key does not have 16 bytes").with_source(error))
    }

    fn is_true(&self, column: usize) -> Result<bool> {
        get(self, column)
    }
}
