//! One report of usage, and the id by which a repeat of it is recognised.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use usage_billing_core::{Decimal, DecimalNumber, Error, ErrorKind, Result, printable};
use uuid::Uuid;

use super::types;

/// Namespace of the ids below; made once for this purpose. Must never change: a repeat in a later version has to get the same id.
const NAMESPACE: Uuid = Uuid::from_u128(0x9957_d223_2c4d_48f1_a13b_32af_f8bc_9cdc);

/// Usage of one entitlement in one window of time (an hour, usually), by dimension. At Suger it becomes one usage record group.
///
/// Suger tells reports apart by their [`id`](Self::id), which has the window to the second. So usage of several events in one second is added
/// up in one report, or numbered by [`sequence`](Self::sequence); a window with a fraction of a second is rejected, since two of them would
/// have one id.
///
/// In JSON (one way): `entitlement_id`, `window` (RFC 3339, UTC), `sequence`, and `quantities` by dimension, as strings.
///
/// ```
/// use usage_billing::{Decimal, suger::UsageEvent};
///
/// let hour = "2026-10-01T07:00:00Z".parse().expect("a date-time");
/// let report = UsageEvent::new("ent-7", hour).quantity("gb_hours", Decimal::new(125, 1)).quantity("api_calls", 40_000);
/// assert!(report.check().is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UsageEvent {
    entitlement_id: String,
    window: DateTime<Utc>,
    sequence: u32,
    #[serde(rename = "quantities", serialize_with = "exact_quantities")]
    records: BTreeMap<String, Decimal>,
}

impl UsageEvent {
    /// Usage of `entitlement_id` in the window that starts at `window`, a whole second: the start of the hour, if usage is added up by the
    /// hour. Sent as the time of the usage.
    pub fn new(entitlement_id: impl Into<String>, window: DateTime<Utc>) -> Self {
        Self { entitlement_id: entitlement_id.into(), window, records: BTreeMap::new(), sequence: 0 }
    }

    /// Adds the quantity of a dimension (its key at the marketplace), in that dimension's unit; the last one counts if a dimension is
    /// given twice.
    pub fn quantity(mut self, dimension: impl Into<String>, quantity: impl Into<Decimal>) -> Self {
        self.records.insert(dimension.into(), quantity.into().normalize());
        self
    }

    /// Tells apart several reports of the same dimensions in the same window, such as usage that came in late; 0 unless set.
    pub fn sequence(self, number: u32) -> Self {
        Self { sequence: number, ..self }
    }

    /// Whose usage it is.
    pub fn entitlement_id(&self) -> &str {
        &self.entitlement_id
    }

    /// Start of the window.
    pub fn window(&self) -> DateTime<Utc> {
        self.window
    }

    /// Quantities by dimension.
    pub fn quantities(&self) -> &BTreeMap<String, Decimal> {
        &self.records
    }

    /// The id that makes a repeat recognisable: the same for the same organization, entitlement, window (to the second), set of
    /// dimensions and sequence, today and in every later version. Quantities are not part of it: a report that was changed is still
    /// the same report.
    ///
    /// UUID version 5 over the JSON array `["usage-billing/1", organization, entitlement, window, [dimensions, sorted], sequence]`
    /// without blanks, the window as `2026-10-01T07:00:00Z`; namespace `9957d223-2c4d-48f1-a13b-32aff8bc9cdc`.
    pub fn id(&self, org_id: &str) -> Uuid {
        let window = self.window.to_rfc3339_opts(SecondsFormat::Secs, true);
        let dimensions: Vec<_> = self.records.keys().collect();
        let name =
            serde_json::json!(["usage-billing/1", org_id, self.entitlement_id, window, dimensions, self.sequence]);
        Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
    }

    /// What distinguishes reports with one id: their quantities.
    pub(super) fn fingerprint(&self, id: Uuid) -> Uuid {
        Uuid::new_v5(&id, format!("{:?}", self.records).as_bytes())
    }

    /// What Suger would refuse, before it is asked.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] without an entitlement, with a fraction of a second in the window, with a dimension that has no name or a
    /// negative quantity, or with nothing but zeros.
    pub fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Request, message));
        if self.entitlement_id.is_empty() {
            return wrong("the report names no entitlement".to_owned());
        }
        if self.window.timestamp_subsec_nanos() != 0 {
            return wrong(format!(
                "the window of {} is {}, with a fraction of a second: reports of one second have one id, so add their usage up, or \
                 use whole seconds and a sequence",
                printable(&self.entitlement_id),
                self.window
            ));
        }
        if self.records.contains_key("") {
            return wrong(format!("a quantity of {} has no dimension", printable(&self.entitlement_id)));
        }
        if let Some((dimension, quantity)) = self.records.iter().find(|(_, quantity)| quantity.is_sign_negative()) {
            return wrong(format!(
                "{} of {} is {quantity}: marketplaces take no negative quantities; what was reported too much is \
                 settled with the buyer, or by a smaller report later",
                printable(dimension),
                printable(&self.entitlement_id)
            ));
        }
        if self.records.values().all(Decimal::is_zero) {
            return wrong(format!(
                "all quantities of {} are zero: Suger refuses such a report, and there is nothing to bill",
                printable(&self.entitlement_id)
            ));
        }
        Ok(())
    }

    /// What identifies the usage, for errors: entitlement, window and dimensions.
    pub(super) fn place(&self) -> String {
        let dimensions: Vec<_> = self.records.keys().map(|dimension| printable(dimension).to_string()).collect();
        let window = self.window.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        format!(
            "entitlement {}, window {window}, dimensions: {}",
            printable(&self.entitlement_id),
            dimensions.join(", ")
        )
    }

    fn wire_records(&self) -> BTreeMap<String, DecimalNumber> {
        self.records.iter().map(|(dimension, quantity)| (dimension.clone(), (*quantity).into())).collect()
    }

    /// The body of a report. The same report is always the same bytes.
    pub(super) fn body(&self, org_id: &str) -> types::CreateUsageRecordGroupParams {
        types::CreateUsageRecordGroupParams {
            organization_id: org_id.to_owned(),
            entitlement_id: self.entitlement_id.clone(),
            id: Some(self.id(org_id).to_string()),
            records: Some(self.wire_records()),
            timestamp: Some(self.window),
            billable_records: Vec::new(),
            usage_allocations: BTreeMap::new(),
            meta_info: None,
        }
    }
}

fn exact_quantities<S: Serializer>(quantities: &BTreeMap<String, Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(quantities.iter().map(|(dimension, quantity)| (dimension, quantity.to_string())))
}

/// For the calls that take no ids: the check of many reports, and the batch (which must never be sent twice).
impl From<&UsageEvent> for types::NewUsageRecordGroup {
    fn from(report: &UsageEvent) -> Self {
        Self {
            entitlement_id: report.entitlement_id.clone(),
            records: Some(report.wire_records()),
            timestamp: Some(report.window),
            billable_records: Vec::new(),
            usage_allocations: BTreeMap::new(),
            meta_info: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use proptest::prelude::*;

    fn report() -> UsageEvent {
        UsageEvent::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap())
            .quantity("gb", Decimal::new(125, 1))
            .quantity("calls", 3)
    }

    #[test]
    fn the_id_of_a_report_stays_for_ever() {
        assert_eq!(report().id("acme").to_string(), "7a64bcbe-2432-5e73-a338-6ac53aff01d1");
    }

    #[test]
    fn the_id_depends_on_what_is_reported_but_not_on_how_much() {
        let id = report().id("acme");
        assert_eq!(report().quantity("gb", 99).id("acme"), id);
        let others = [
            report().id("acme2"),
            report().sequence(1).id("acme"),
            report().quantity("more", 1).id("acme"),
            UsageEvent { window: "2026-10-01T08:00:00Z".parse().unwrap(), ..report() }.id("acme"),
            UsageEvent { entitlement_id: "ent-8".to_owned(), ..report() }.id("acme"),
        ];
        assert!(others.iter().all(|other| *other != id));
    }

    #[test]
    fn what_suger_refuses_is_refused_before_it_is_sent() {
        let window = "2026-10-01T07:00:00Z".parse().unwrap();
        let cases = [
            (UsageEvent::new("", window).quantity("gb", 1), "names no entitlement"),
            (UsageEvent::new("e", window), "all quantities of e are zero"),
            (UsageEvent::new("e", window).quantity("gb", 0), "all quantities of e are zero"),
            (UsageEvent::new("e", window).quantity("gb", 1).quantity("calls", -1), "calls of e is -1"),
            (UsageEvent::new("e", window).quantity("", 1), "has no dimension"),
            (UsageEvent::new("e", window + TimeDelta::nanoseconds(1)).quantity("gb", 1), "with a fraction of a second"),
        ];
        for (report, expected) in cases {
            let error = report.check().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(UsageEvent::new("e", window).quantity("gb", 1).quantity("calls", 0).check().is_ok());
    }

    #[test]
    fn two_names_for_the_dimension_set_do_not_meet_in_one_id() {
        let with = |dimensions: &[&str]| {
            dimensions.iter().fold(UsageEvent::new("e", report().window), |report, it| report.quantity(*it, 1)).id("o")
        };
        assert_ne!(with(&["a,b"]), with(&["a", "b"]));
        assert_ne!(with(&["a\",\"b"]), with(&["a", "b"]));
    }

    proptest! {
        #[test]
        fn the_same_usage_is_the_same_id_and_the_same_bytes_however_it_was_put_together(
            quantities in proptest::collection::btree_map("[a-z]{1,3}", 0i64..1_000_000, 1..5),
            zeros in 0u32..4,
        ) {
            let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
            let forth = quantities.iter().fold(UsageEvent::new("e", at), |report, (dimension, quantity)| {
                report.quantity(dimension, Decimal::new(*quantity, 2))
            });
            let back = quantities.iter().rev().fold(UsageEvent::new("e", at), |report, (dimension, quantity)| {
                report.quantity(dimension, Decimal::new(*quantity * 10i64.pow(zeros), 2 + zeros))
            });
            prop_assert_eq!(forth.id("o"), back.id("o"));
            let bytes = |report: &UsageEvent| serde_json::to_vec(&report.body("o")).unwrap();
            prop_assert_eq!(bytes(&forth), bytes(&back));
        }
    }
}
