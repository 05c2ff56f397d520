//! The durable outbox: events that are stored until Suger has them.

mod change;
mod enqueue;
mod event_selection;
mod event_view;
mod location;
mod reconcile;
mod run;
mod show;
mod status;
mod verb;

pub(super) use change::{ResolveArguments, StateArguments, requeue, resolve};
pub(super) use enqueue::{EnqueueArguments, enqueue};
pub(super) use location::{InsteadArguments, OutboxArguments};
pub(super) use reconcile::reconcile;
pub(super) use run::{HELP as RUN_HELP, RunArguments, run};
pub(super) use show::{ShowArguments, show};
pub(super) use status::status;
