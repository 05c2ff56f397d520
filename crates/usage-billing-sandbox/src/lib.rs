#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
mod bounded_map;
#[cfg(feature = "cli")]
#[cfg_attr(docsrs, doc(cfg(feature = "cli")))]
pub mod cli;
mod clock;
mod dataset;
mod demo_credentials;
mod http_util;
mod middleware;
mod server;
mod shell_settings;
mod vendors;

/// The HTTP server below the sandbox, for the other servers of the program. It may change in any version.
#[doc(hidden)]
pub mod http_server {
    pub use crate::middleware::same_origin::{HostName, check};
    pub use crate::server::connections::{ConnectionLimits, serve};
}

pub use admin::expected_usage::{Bill, ExpectedUsage};
pub use dataset::Size;
pub use demo_credentials::*;
pub use middleware::fault_injection::{Fault, FaultError, FaultKind};
pub use middleware::request_log::{InjectedFault, LoggedRequest};
pub use server::{Sandbox, SandboxBuilder};
pub use vendors::Vendor;
