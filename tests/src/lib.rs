//! Shared by the tests of the workspace.

mod calls;
mod clients;
mod closed_port;
mod document;
mod environment;
#[cfg(target_os = "linux")]
mod limited_process;
mod now;
pub mod robustness;
mod scripted;
mod variations;
mod vendors;

pub use calls::{Call, Sent, same};
pub use clients::{acronis, genesys, http, suger, untimed};
pub use closed_port::ClosedPort;
pub use document::{Document, Operation};
pub use environment::with_environment;
#[cfg(target_os = "linux")]
pub use limited_process::limited_process;
pub use now::now;
pub use scripted::{Reply, Request, ScriptedServer};
pub use variations::{Variation, nameless_nulls, variations};
pub use vendors::{Acronis, Genesys, Said, Stage, Suger, Vendor};

/// The examples of the READMEs compile and run. Those of the vendors' crates are here, as generated documentation is not tested.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../../README.md")]
    mod workspace {}
    #[doc = include_str!("../../crates/usage-billing-acronis/README.md")]
    mod acronis {}
    #[doc = include_str!("../../crates/usage-billing-genesys/README.md")]
    mod genesys {}
    #[doc = include_str!("../../crates/usage-billing-suger/README.md")]
    mod suger {}
}
