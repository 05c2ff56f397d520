//! The status as metrics in the OpenMetrics format, which Prometheus reads.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use usage_billing_outbox::{Problem, Status};

/// Returns the metrics. Their labels are bounded: states, problems, and the entitlements of the status, which are some with most open events.
pub(super) fn text(status: &Status) -> String {
    let mut registry = Registry::with_prefix("usage_billing_outbox");
    let backlog = &status.backlog;
    let states = backlog.states.iter().map(|(state, events)| (state.as_str(), *events));
    family(&mut registry, ("events", "state"), "Events in the outbox by state", states);
    let problems = Problem::ALL.map(|problem| (problem.as_str(), u64::from(status.problems.contains(&problem))));
    family(&mut registry, ("problem", "problem"), "1 for each problem that was found", problems);
    let entitlements = backlog.entitlements.iter().map(|one| (one.entitlement_id.as_str(), one.open));
    let help = "Open events of the entitlements that have most of them";
    family(&mut registry, ("entitlement_open_events", "entitlement"), help, entitlements);
    let failures = backlog.entitlements.iter().filter(|one| one.failures > 0);
    let failures = failures.map(|one| (one.entitlement_id.as_str(), u64::from(one.failures)));
    let help = "Consecutive failures of entitlements with open events";
    family(&mut registry, ("entitlement_failures", "entitlement"), help, failures);
    for (name, help, value) in [
        ("delivering", "1 if usage is delivered, 0 if metering is broken", u64::from(status.is_delivering)),
        ("alarmed_events", "Open events of which half of the window has passed", backlog.alarmed),
        ("overdue_events", "Open events whose deadline has passed", backlog.overdue),
        ("operator_events", "Open events that wait for an operator", backlog.waiting_for_operator),
        ("unreported_records", "Records of metered usage that no report contains yet", backlog.open_records),
    ] {
        registry.register(name, help, gauge(number(value)));
    }
    let heartbeat = &backlog.heartbeat;
    for (name, help, time) in [
        ("oldest_usage_timestamp", "Timestamp of the oldest open event", backlog.oldest_timestamp),
        ("oldest_enqueued_timestamp", "When the oldest open event was stored", backlog.oldest_enqueued_at),
        ("next_deadline_timestamp", "Earliest deadline of the open events", backlog.next_deadline),
        ("oldest_unreported_hour_timestamp", "Earliest hour of unreported records", backlog.oldest_open_hour),
        ("last_enqueue_timestamp", "When an event or a record was last stored", backlog.enqueued_at),
        ("sender_start_timestamp", "When the sender started", heartbeat.started_at),
        ("sender_beat_timestamp", "When the sender last looked for events", heartbeat.beat_at),
        ("vendor_contact_timestamp", "When Suger last resolved an event", heartbeat.contact_at),
    ] {
        // A metric without a value is absent: 0 would be a time of 1970.
        if let Some(time) = time {
            registry.register_with_unit(name, help, Unit::Seconds, gauge(time.timestamp()));
        }
    }
    let mut text = String::new();
    // Writing to a string does not fail.
    _ = encode(&mut text, &registry);
    text
}

type Labels = [(&'static str, String); 1];

fn family<'a>(
    registry: &mut Registry,
    (name, label): (&'static str, &'static str),
    help: &'static str,
    values: impl IntoIterator<Item = (&'a str, u64)>,
) {
    let family = Family::<Labels, Gauge>::default();
    for (value, count) in values {
        family.get_or_create(&[(label, value.to_owned())]).set(number(count));
    }
    registry.register(name, help, family);
}

fn gauge(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::page::tests::status;
    use super::*;

    #[test]
    fn metrics_have_units_bounded_labels_and_known_values_only() {
        let text = text(&status());
        for line in [
            "# TYPE usage_billing_outbox_events gauge",
            "usage_billing_outbox_events{state=\"unknown\"} 2",
            "# UNIT usage_billing_outbox_oldest_usage_timestamp_seconds seconds",
            "usage_billing_outbox_oldest_usage_timestamp_seconds 1790000000",
            "usage_billing_outbox_problem{problem=\"sender_not_running\"} 1",
            "usage_billing_outbox_problem{problem=\"store_fails\"} 0",
            "usage_billing_outbox_delivering 0",
            "usage_billing_outbox_entitlement_open_events{entitlement=\"<b>\\\"e\\\"\\n</b>\"} 2",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}:\n{text}");
        }
        assert!(!text.contains("vendor_contact"), "{text}");
    }
}
