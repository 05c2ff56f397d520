//! Follows the requests of activities by their spans.

use std::time::Duration;

use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::state;
use crate::logging::CALL;

/// The span of an activity.
pub(super) const TARGET: &str = "usage_billing::progress";
pub(super) const ACTIVITY: &str = "activity";

/// Notes the requests that activities wait for.
pub(crate) struct ProgressLayer;

impl ProgressLayer {
    /// Returns whether a span or event is one of requests or activities.
    pub(crate) fn is_enabled(metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && [TARGET, CALL.0].contains(&metadata.target())
    }
}

/// The number of an activity, in its span.
struct ActivityId(u64);

#[derive(Default)]
struct Fields {
    id: u64,
    operation: String,
    attempt: u64,
    delay: Option<Duration>,
}

impl Visit for Fields {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "otel.name" {
            self.operation = value.to_owned();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "id" => self.id = value,
            "attempt" => self.attempt = value,
            "delay_ms" => self.delay = Some(Duration::from_millis(value)),
            _ => {}
        }
    }
}

/// Returns the activity that a span is in.
fn activity_of<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, context: &Context<'_, S>) -> Option<u64> {
    let mut scope = context.span_scope(id)?;
    scope.find_map(|span| span.extensions().get::<ActivityId>().map(|activity| activity.0))
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ProgressLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if (metadata.target(), metadata.name()) == (TARGET, ACTIVITY) {
            if let Some(span) = context.span(id) {
                span.extensions_mut().insert(ActivityId(fields.id));
            }
        } else if (metadata.target(), metadata.name()) == CALL
            && let Some(activity) = activity_of(id, &context)
        {
            state().sent(activity, id.into_u64(), &fields.operation, Instant::now());
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Some(delay) = fields.delay else { return };
        if let Some(span) = context.event_span(event)
            && let Some(activity) = activity_of(&span.id(), &context)
        {
            state().failed(activity, span.id().into_u64(), fields.attempt, delay);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let is_call = context.span(&id).is_some_and(|span| (span.metadata().target(), span.name()) == CALL);
        if let Some(activity) = activity_of(&id, &context).filter(|_| is_call) {
            state().ended(activity, id.into_u64());
        }
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn request_belongs_to_the_activity_that_it_is_in() {
        let layer = ProgressLayer.with_filter(tracing_subscriber::filter::filter_fn(ProgressLayer::is_enabled));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            // A name of its own: other tests may have activities.
            let id = state().start("layer test", Instant::now());
            let line = || state().lines(Instant::now()).into_iter().find(|line| line.starts_with("layer test"));
            let activity = tracing::info_span!(target: TARGET, ACTIVITY, id);
            let call = activity
                .in_scope(|| tracing::info_span!(target: "usage_billing::http", "http_call", otel.name = "getReport"));
            assert!(
                line().unwrap().starts_with("layer test: waiting for getReport for 0 s; 0 responses"),
                "{line:?}",
                line = line()
            );
            call.in_scope(
                || tracing::info!(target: "usage_billing::http", attempt = 2_u64, delay_ms = 4000_u64, "retrying"),
            );
            assert!(line().unwrap().contains(", 2 attempts failed, next after 4 s; "), "{line:?}", line = line());
            drop(call);
            assert!(line().unwrap().starts_with("layer test: 1 response in 0 s"), "{line:?}", line = line());
            state().end(id);
        });
    }
}
