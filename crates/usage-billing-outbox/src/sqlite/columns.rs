//! Rows of SQLite.

use rusqlite::Row;
use rusqlite::types::FromSql;
use usage_billing::uuid::Uuid;
use usage_billing::{Error, ErrorKind, Result};

use crate::store::columns::Columns;

pub(super) fn failed(error: rusqlite::Error) -> Error {
    Error::new(ErrorKind::File, error.to_string()).with_source(error)
}

fn get<T: FromSql>(row: &Row<'_>, column: usize) -> Result<T> {
    row.get(column).map_err(failed)
}

impl Columns for Row<'_> {
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
        get::<[u8; 16]>(self, column).map(Uuid::from_bytes)
    }

    fn is_true(&self, column: usize) -> Result<bool> {
        get(self, column)
    }
}
