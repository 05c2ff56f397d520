//! Scopes: the uses of schemas, which decide the operations that a finding reaches.

use crate::classification::Role;

/// The number of a scope.
pub(crate) type ScopeId = usize;

/// Something that findings belong to: an operation in one role, or a pair of schemas.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// The operation, by its number among [`Comparison::operations`], and how it uses what is found.
    pub(crate) operation: Option<(usize, Role)>,
    /// The scopes that lead here.
    pub(crate) users: Vec<ScopeId>,
    /// The vendor calls, and the client responds.
    pub(crate) incoming: bool,
}
