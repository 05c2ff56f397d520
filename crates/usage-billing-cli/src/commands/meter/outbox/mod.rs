//! The durable outbox: events that are stored until Suger has them.

mod enqueue;
mod location;
mod verb;

pub(super) use enqueue::{EnqueueArguments, enqueue};
