#![doc = include_str!("../README.md")]

mod acronis;
mod answer;
mod auth;
mod bounded;
mod clock;
mod demo;
mod genesys;
mod log;
mod server;
mod suger;
mod world;

pub use demo::*;
pub use log::LoggedRequest;
pub use server::{Sandbox, SandboxBuilder};
