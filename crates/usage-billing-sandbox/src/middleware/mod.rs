//! The layers between the connections and the vendors.

pub(crate) mod fault_injection;
pub(crate) mod permissions;
pub(crate) mod rate_limit;
pub(crate) mod request_context;
pub(crate) mod request_log;
pub(crate) mod request_validation;
pub(crate) mod same_origin;
