//! Helpers for the tests of the workspace.

mod calls;
mod clients;
mod closed_port;
mod document;
mod environment;
#[cfg(target_os = "linux")]
mod limited_process;
mod now;
mod properties;
pub mod robustness;
mod scripted;
mod variations;
mod vendors;

pub use calls::{Call, CallFuture, is_equivalent};
pub use clients::{acronis, genesys, http, suger, untimed};
pub use closed_port::ClosedPort;
pub use document::{Document, Operation};
pub use environment::with_environment;
#[cfg(target_os = "linux")]
pub use limited_process::limited_process;
pub use now::now;
pub use properties::{check_property, dataset_seed};
pub use scripted::{Request, ScriptedResponse, ScriptedServer};
pub use variations::{Variation, added_and_missing_fields, unnamed_nulls};
pub use vendors::{Acronis, ErrorExample, Genesys, MockVendor, Suger, Vendor};

/// Compiles and runs the examples of the READMEs. Those of the vendors' crates are here because generated documentation is not tested.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../../README.md")]
    mod workspace {}
    #[doc = include_str!("../../docs/library.md")]
    mod library {}
    #[doc = include_str!("../../crates/usage-billing-acronis/README.md")]
    mod acronis {}
    #[doc = include_str!("../../crates/usage-billing-genesys/README.md")]
    mod genesys {}
    #[doc = include_str!("../../crates/usage-billing-suger/README.md")]
    mod suger {}
}
