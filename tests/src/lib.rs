//! Shared by the tests of the workspace.

mod clients;
mod scripted;

pub use clients::{acronis, genesys, http, suger};
pub use scripted::{Reply, Request, ScriptedServer};
