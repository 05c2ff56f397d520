//! stub
use std::fmt;
use crate::document::Document;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level { Error, Warning }
pub(crate) struct Finding { pub(crate) level: Level }
impl fmt::Display for Finding { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "x") } }
pub(crate) fn lint(_d: &Document) -> Vec<Finding> { vec![] }
