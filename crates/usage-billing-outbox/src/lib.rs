#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod aggregation;
mod clock;
mod event;
#[cfg_attr(feature = "fail-points", doc(hidden))]
#[cfg(feature = "fail-points")]
pub mod fail_points;
#[cfg(not(feature = "fail-points"))]
mod fail_points;
mod ledger;
mod outbox;
#[cfg(feature = "postgres")]
mod postgres;
mod progress;
mod retry;
mod sender;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;
mod status;
pub mod store;
mod windows;

pub use aggregation::{HourlyReport, HourlyReports, MeteredUsage, hour_of, report};
pub use clock::Clock;
pub use event::{NewEvent, StoredEvent, alarm_at, deadline};
pub use ledger::Ledger;
pub use outbox::Outbox;
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use postgres::PostgresStore;
pub use progress::{Lease, Outcome, Progress};
pub use sender::{BatchOutcome, Sender, SenderBuilder};
#[cfg(feature = "sqlite")]
#[cfg_attr(docsrs, doc(cfg(feature = "sqlite")))]
pub use sqlite::{SenderLock, SqliteStore};
#[cfg(feature = "postgres")]
#[cfg_attr(docsrs, doc(cfg(feature = "postgres")))]
pub use sqlx;
pub use state::State;
pub use status::{Problem, Status, StoreFailure};
pub use store::Store;
