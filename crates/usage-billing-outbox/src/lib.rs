#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod event;
mod progress;
mod retry;
mod state;
pub mod store;

pub use event::{NewEvent, StoredEvent, alarm_at, deadline};
pub use progress::{Lease, Outcome, Progress};
pub use state::State;
pub use store::Store;
