//! Rules about operations.

pub(in crate::lint) mod http_method;
pub(in crate::lint) mod operation_id;
pub(in crate::lint) mod source;
pub(in crate::lint) mod summary;
