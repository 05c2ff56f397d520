#![doc = include_str!("../README.md")]

mod admin;
mod answer;
mod auth;
mod bounded;
mod builder;
mod clock;
mod connections;
mod contract;
mod dataset;
mod demo;
mod door;
mod expected;
mod faults;
mod limits;
mod log;
mod page;
mod permissions;
#[cfg(feature = "program")]
pub mod program;
mod same_origin;
mod server;
mod vendors;

pub use builder::SandboxBuilder;
pub use dataset::Size;
pub use demo::*;
pub use expected::{Bill, ExpectedUsage};
pub use faults::{Fault, FaultKind};
pub use log::{InjectedFault, LoggedRequest};
pub use server::Sandbox;
pub use vendors::Vendor;
