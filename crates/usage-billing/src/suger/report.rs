//! One report of usage, delivered once.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use usage_billing_core::{Decimal, Error, ErrorKind, Result};
use uuid::Uuid;

use super::{Client, types};

/// Namespace of the ids below; made once for this purpose. Must never change: a repeat in a later version has to get the same id.
const NAMESPACE: Uuid = Uuid::from_u128(0x9957_d223_2c4d_48f1_a13b_32af_f8bc_9cdc);

/// Usage of one entitlement at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageReport {
    entitlement_id: String,
    at: DateTime<Utc>,
    records: BTreeMap<String, Decimal>,
    sequence: u32,
}

/// What became of a report.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Delivery {
    /// The vendor took it now. It is not yet at the marketplace: that is the group's status `REPORTED`, an hour or so later.
    Delivered(Box<types::MeteringUsageRecordGroup>),
    /// The vendor had this id already (409), from an earlier copy. Whether with these quantities, it does not say.
    AlreadyDelivered(Uuid),
}

impl UsageReport {
    /// Usage of `entitlement_id` that happened at `at`: the start of the hour, if usage is added up by the hour.
    pub fn new(entitlement_id: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self { entitlement_id: entitlement_id.into(), at, records: BTreeMap::new(), sequence: 0 }
    }

    /// Adds the quantity of a dimension (its key at the marketplace); the last one counts if a dimension is given twice.
    pub fn quantity(mut self, dimension: impl Into<String>, quantity: impl Into<Decimal>) -> Self {
        self.records.insert(dimension.into(), quantity.into());
        self
    }

    /// Tells apart several reports of the same dimensions at the same time (late usage); 0 unless set.
    pub fn sequence(self, number: u32) -> Self {
        Self { sequence: number, ..self }
    }

    /// The id that makes a repeat recognisable: the same for the same organization, entitlement, time (to the second), set of
    /// dimensions and sequence, today and in every later version. Quantities are not part of it: a report that was changed is still
    /// the same report.
    ///
    /// UUID version 5 over the JSON array `["usage-billing/1", organization, entitlement, time, [dimensions, sorted], sequence]`
    /// without blanks, the time as `2026-10-01T07:00:00Z`.
    pub fn id(&self, org_id: &str) -> Uuid {
        let time = self.at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let dimensions: Vec<_> = self.records.keys().collect();
        let name = serde_json::json!(["usage-billing/1", org_id, self.entitlement_id, time, dimensions, self.sequence]);
        Uuid::new_v5(&NAMESPACE, name.to_string().as_bytes())
    }

    /// What the vendor would refuse, before it is asked.
    fn check(&self) -> Result<()> {
        let wrong = |message: String| Err(Error::new(ErrorKind::Request, message));
        if self.entitlement_id.is_empty() {
            return wrong("the report names no entitlement".to_owned());
        }
        if let Some((dimension, quantity)) = self.records.iter().find(|(_, quantity)| quantity.is_sign_negative()) {
            return wrong(format!("{dimension} is {quantity}: marketplaces take no negative quantities"));
        }
        if self.records.values().all(Decimal::is_zero) {
            return wrong(
                "all quantities are zero: Suger refuses such a report, and there is nothing to bill".to_owned(),
            );
        }
        Ok(())
    }
}

impl Client {
    /// Reports usage once, however often it is called: the report carries its [`id`](UsageReport::id), so that a lost answer is asked for
    /// again safely and a repeat is told apart.
    ///
    /// # Errors
    /// [`ErrorKind::Request`] for what Suger is known to refuse; else those of the call, such as 404 for an unknown entitlement.
    pub async fn report(&self, report: &UsageReport) -> Result<Delivery> {
        report.check()?;
        let id = report.id(&self.org_id);
        let records = report.records.iter().map(|(dimension, quantity)| (dimension.clone(), (*quantity).into()));
        let body = types::CreateUsageRecordGroupParams::builder()
            .organization_id(&self.org_id)
            .entitlement_id(&report.entitlement_id)
            .id(Some(id.to_string()))
            .records(Some(records.collect()))
            .timestamp(Some(report.at));
        let request = self.api.report_usage_record_group().org_id(&self.org_id).entitlement_id(&report.entitlement_id);
        match request.body(body).send().await {
            Ok(group) => Ok(Delivery::Delivered(Box::new(group.into_inner()))),
            Err(error) if error.status().is_some_and(|status| status == 409) => Ok(Delivery::AlreadyDelivered(id)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> UsageReport {
        UsageReport::new("ent-7", "2026-10-01T07:00:00Z".parse().unwrap())
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
            UsageReport { at: "2026-10-01T08:00:00Z".parse().unwrap(), ..report() }.id("acme"),
            UsageReport { entitlement_id: "ent-8".to_owned(), ..report() }.id("acme"),
        ];
        assert!(others.iter().all(|other| *other != id));
    }

    #[test]
    fn what_suger_refuses_is_refused_before_it_is_sent() {
        let at = "2026-10-01T07:00:00Z".parse().unwrap();
        let cases = [
            (UsageReport::new("", at).quantity("gb", 1), "names no entitlement"),
            (UsageReport::new("e", at), "all quantities are zero"),
            (UsageReport::new("e", at).quantity("gb", 0), "all quantities are zero"),
            (UsageReport::new("e", at).quantity("gb", 1).quantity("calls", -1), "calls is -1"),
        ];
        for (report, expected) in cases {
            let error = report.check().unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        assert!(UsageReport::new("e", at).quantity("gb", 1).quantity("calls", 0).check().is_ok());
    }
}
