//! Rows of PostgreSQL.

use std::error::Error as _;

use sqlx::postgres::PgRow;
use sqlx::{Decode, Postgres, Row as _, Type};
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result};

use crate::store::columns::Columns;

/// Returns the error of a statement: with the code of the database in its message, because the source keeps only messages.
pub(super) fn failed(error: sqlx::Error) -> Error {
    let code = error.as_database_error().and_then(|error| error.code());
    let message = code.map_or_else(|| error.to_string(), |code| format!("{}{error}", code_prefix(&code)));
    Error::new(ErrorKind::File, message).with_source(error)
}

/// Returns whether an error is of one of these codes of the database.
pub(super) fn has_code(error: &Error, codes: &[&str]) -> bool {
    // The error before its location was added.
    let error = error.source().and_then(|source| source.downcast_ref()).unwrap_or(error);
    codes.iter().any(|code| error.message().starts_with(&code_prefix(code)))
}

fn code_prefix(code: &str) -> String {
    format!("SQLSTATE {code}: ")
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
