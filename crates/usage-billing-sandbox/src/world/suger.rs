//! Suger: an organization that sells through three marketplaces, what its buyers bought, and two months of usage.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use usage_billing_core::Decimal;
use usage_billing_suger::types;
use usage_billing_suger::types::{Partner, UsageRecordGroupStatus as Status, UsageRecordReportStatus};

use super::{days_before, id, midnight, mix};
use crate::SUGER_ORG_ID;

/// Days of usage before today.
const HISTORY: u64 = 61;
/// A group comes in every so many minutes: some 2500 in all.
const INTERVAL: i64 = 35;
/// Groups of the last hours of yesterday still wait for their hourly run.
const WAITING: TimeDelta = TimeDelta::hours(6);

pub(crate) struct Organization {
    pub(crate) buyers: Vec<types::IdentityBuyer>,
    pub(crate) products: Vec<types::WorkloadProduct>,
    pub(crate) entitlements: Vec<types::WorkloadEntitlement>,
    pub(crate) metrics: Vec<types::BillableMetric>,
    pub(crate) config: types::UsageMeteringConfigInfo,
    /// In the order of their creation.
    pub(crate) groups: Vec<types::MeteringUsageRecordGroup>,
    /// In the order of their creation.
    pub(crate) reports: Vec<types::MeteringUsageRecordReport>,
}

struct Deal {
    id: &'static str,
    name: &'static str,
    partner: Partner,
    buyer: &'static str,
    product: &'static str,
    term: &'static str,
    cancelled: bool,
    /// Billed by Suger itself, from billable metrics.
    second_generation: bool,
}

/// Buyer: id, name, partner, mail domain.
const BUYERS: [(&str, &str, Partner, &str); 3] = [
    ("buy-aws01", "Nordwind & Søn, ApS", Partner::Aws, "nordwind.example"),
    ("buy-azu01", "Harbor Lane Retail, \"HLR\"", Partner::Azure, "harborlane.example"),
    ("buy-gcp01", "株式会社さくら", Partner::Gcp, "sakura.example"),
];

/// Product: id, name, partner, dimensions (key, name, price of a unit in ten-thousandths).
type Dimensions = &'static [(&'static str, &'static str, i64)];
const PRODUCTS: [(&str, &str, Partner, Dimensions); 3] = [
    (
        "prd-aws01",
        "Analytics 分析, SaaS",
        Partner::Aws,
        &[("ingest_gb", "Ingest, GB", 350), ("api_calls", "API calls", 2)],
    ),
    ("prd-azu01", "Analytics for Azure", Partner::Azure, &[("seats", "Seats", 120_000)]),
    ("prd-gcp01", "Analytics for GCP", Partner::Gcp, &[("node_hours", "Node hours", 9_125)]),
];

const DEALS: [Deal; 4] = [
    Deal {
        id: "ent-aws01",
        name: "Nordwind & Søn, Analytics 分析",
        partner: Partner::Aws,
        buyer: "buy-aws01",
        product: "prd-aws01",
        term: "trm-aws01",
        cancelled: false,
        second_generation: false,
    },
    Deal {
        id: "ent-azu01",
        name: "Harbor Lane, 40 seats",
        partner: Partner::Azure,
        buyer: "buy-azu01",
        product: "prd-azu01",
        term: "trm-azu01",
        cancelled: false,
        second_generation: false,
    },
    Deal {
        id: "ent-gcp01",
        name: "さくら, GPU",
        partner: Partner::Gcp,
        buyer: "buy-gcp01",
        product: "prd-gcp01",
        term: "trm-gcp01",
        cancelled: false,
        second_generation: true,
    },
    Deal {
        id: "ent-aws02",
        name: "Nordwind & Søn, trial of 2024",
        partner: Partner::Aws,
        buyer: "buy-aws01",
        product: "prd-aws01",
        term: "trm-aws02",
        cancelled: true,
        second_generation: false,
    },
];

/// The billable metric of the world.
const METRIC: &str = "gpu_seconds";

impl Organization {
    pub(crate) fn new(today: NaiveDate) -> Self {
        let founded = midnight(days_before(today, 400));
        let end = midnight(today);
        let slots = slots(midnight(days_before(today, HISTORY)), end);
        let mut groups: Vec<_> = slots.map(|(slot, time)| group(slot, time, end - time <= WAITING)).collect();
        let reports = reports(&mut groups);
        Self {
            buyers: BUYERS.map(|buyer| self::buyer(buyer, founded)).into(),
            products: PRODUCTS.map(|product| self::product(product, founded)).into(),
            entitlements: DEALS.iter().map(|deal| entitlement(deal, founded)).collect(),
            metrics: vec![metric(founded)],
            config: config(),
            groups,
            reports,
        }
    }
}

fn buyer((id, name, partner, domain): (&str, &str, Partner, &str), founded: DateTime<Utc>) -> types::IdentityBuyer {
    let aws = match partner {
        Partner::Aws => [("customerAWSAccountId".to_owned(), "100000000003".into())].into_iter().collect(),
        _ => serde_json::Map::new(),
    };
    types::IdentityBuyer {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        partner: Some(partner),
        external_id: Some(format!("external-{id}")),
        info: Some(types::BuyerInfo {
            email_address: Some(format!("billing@{domain}")),
            aws_buyer: aws,
            ..Default::default()
        }),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    }
}

fn product(
    (id, name, partner, dimensions): (&str, &str, Partner, Dimensions),
    founded: DateTime<Utc>,
) -> types::WorkloadProduct {
    types::WorkloadProduct {
        id: Some(id.to_owned()),
        name: Some(name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        partner: Some(partner),
        service: Some(types::PartnerService::Marketplace),
        external_id: Some(format!("external-{id}")),
        product_type: Some(types::ProductType::Subscription),
        status: Some("ACTIVE".to_owned()),
        info: Some(types::ProductInfo {
            currency: Some("USD".to_owned()),
            dimensions: self::dimensions(dimensions),
            ..Default::default()
        }),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    }
}

fn dimensions(of: Dimensions) -> Vec<types::MeteringDimension> {
    of.iter()
        .map(|(key, name, rate)| types::MeteringDimension {
            key: Some((*key).to_owned()),
            name: Some((*name).to_owned()),
            rate: Some(Decimal::new(*rate, 4).normalize().into()),
            types: vec!["Metered".to_owned()],
            ..Default::default()
        })
        .collect()
}

fn dimensions_of(product: &str) -> Dimensions {
    PRODUCTS.iter().find(|(id, ..)| *id == product).map_or(&[], |(.., dimensions)| dimensions)
}

fn entitlement(deal: &Deal, founded: DateTime<Utc>) -> types::WorkloadEntitlement {
    let billable_dimensions = deal.second_generation.then(|| types::BillableDimension {
        name: Some("GPU seconds".to_owned()),
        billable_metric_id: Some(METRIC.to_owned()),
        category: Some(types::PriceModelCategory::Basic),
        ..Default::default()
    });
    types::WorkloadEntitlement {
        id: Some(deal.id.to_owned()),
        name: Some(deal.name.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        partner: Some(deal.partner.clone()),
        service: Some(types::PartnerService::Marketplace),
        buyer_id: Some(deal.buyer.to_owned()),
        product_id: Some(deal.product.to_owned()),
        entitlement_term_id: Some(deal.term.to_owned()),
        external_id: Some(format!("external-{}", deal.id)),
        external_buyer_id: Some(format!("external-{}", deal.buyer)),
        external_product_id: Some(format!("external-{}", deal.product)),
        status: Some(if deal.cancelled {
            types::EntitlementStatus::Cancelled
        } else {
            types::EntitlementStatus::Active
        }),
        start_time: Some(founded),
        end_time: deal.cancelled.then(|| founded + TimeDelta::days(300)),
        info: Some(types::EntitlementInfo {
            currency: Some("USD".to_owned()),
            dimensions: dimensions(dimensions_of(deal.product)),
            billable_dimensions: billable_dimensions.into_iter().collect(),
            ..Default::default()
        }),
        creation_time: Some(founded),
        last_update_time: Some(founded),
        ..Default::default()
    }
}

fn metric(founded: DateTime<Utc>) -> types::BillableMetric {
    types::BillableMetric {
        id: Some(METRIC.to_owned()),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        name: Some("GPU seconds, all sizes".to_owned()),
        description: Some("Seconds of GPU time, by region".to_owned()),
        aggregation_type: Some(types::BillableMetricAggregationType::Sum),
        info: Some(types::BillableMetricInfo { group_bys: vec!["region".to_owned()], ..Default::default() }),
        status: Some(types::BillableMetricStatus::Active),
        creation_time: Some(founded),
        last_update_time: Some(founded),
    }
}

fn config() -> types::UsageMeteringConfigInfo {
    let of = |partner| types::PartnerUsageMeteringConfig {
        partner: Some(partner),
        enable_dimension_mapping: Some(false),
        enable_billable_dimension: Some(true),
        enable_commit_with_additional_usage_metering: Some(false),
        enable_commit_with_additional_usage_at_list_price: Some(false),
        ..Default::default()
    };
    types::UsageMeteringConfigInfo {
        partner_usage_metering_configs: [Partner::Aws, Partner::Azure, Partner::Gcp].map(of).into(),
    }
}

/// Times of groups, each with its number since 1970, so that a group is the same whatever day is today.
fn slots(from: DateTime<Utc>, to: DateTime<Utc>) -> impl Iterator<Item = (u64, DateTime<Utc>)> {
    let step = INTERVAL * 60;
    let first = from.timestamp().div_euclid(step) + 1;
    (first..)
        .map_while(move |slot| Some((u64::try_from(slot).ok()?, DateTime::from_timestamp(slot * step, 0)?)))
        .take_while(move |(_, time)| *time < to)
}

fn group(slot: u64, time: DateTime<Utc>, waiting: bool) -> types::MeteringUsageRecordGroup {
    // The cancelled deal has a stray report now and then.
    let stray = mix(&[61, slot]).is_multiple_of(200);
    let deal = if stray { &DEALS[3] } else { &DEALS[usize::try_from(slot % 3).unwrap_or_default()] };
    let status = match mix(&[62, slot]) % 100 {
        _ if stray => Status::Invalid,
        0 => Status::Invalid,
        1 => Status::Deleted,
        2 => Status::ReportFailed,
        _ if waiting => Status::Created,
        3 => Status::ReportPending,
        _ => Status::Reported,
    };
    let quantity = quantity(slot);
    let mut records = BTreeMap::new();
    let mut billable_records = Vec::new();
    // Every other group of the newer kind of deal; the rest reports the old way.
    if deal.second_generation && slot.is_multiple_of(2) {
        let region = if mix(&[63, slot]).is_multiple_of(2) { "eu-north-1" } else { "ap-tokyo, 1" };
        billable_records.push(types::MeteringUsageRecord {
            key: Some(METRIC.to_owned()),
            quantity: Some(quantity.into()),
            properties: [("region".to_owned(), region.into())].into_iter().collect(),
        });
    } else {
        let dimensions = dimensions_of(deal.product);
        let at = usize::try_from(mix(&[64, slot])).unwrap_or_default() % dimensions.len().max(1);
        records.extend(dimensions.get(at).map(|(key, ..)| ((*key).to_owned(), quantity.into())));
    }
    types::MeteringUsageRecordGroup {
        id: Some(id(&format!("suger/group/{slot}")).to_string()),
        serial_id: i64::try_from(slot).ok(),
        organization_id: Some(SUGER_ORG_ID.to_owned()),
        entitlement_id: Some(deal.id.to_owned()),
        buyer_id: Some(deal.buyer.to_owned()),
        partner: Some(deal.partner.clone()),
        meta_info: Some(types::MeteringUsageRecordGroupMetaInfo {
            source: Some(types::UsageRecordGroupSource::Api),
            timestamp: Some(time),
            origin_records: records.clone(),
            billable_records,
            ..Default::default()
        }),
        records,
        usage_record_report_id: Some(String::new()),
        reported_time: None,
        creation_time: Some(time),
        last_update_time: Some(time),
        status: Some(status),
    }
}

/// Mostly plain, now and then awkward.
fn quantity(slot: u64) -> Decimal {
    match mix(&[65, slot]) % 50 {
        0..=6 => Decimal::new(1, 1),
        7 => Decimal::from_i128_with_scale(12_345_678_901_123_456_789, 9),
        8..=20 => Decimal::from(1 + mix(&[66, slot]) % 40),
        _ => Decimal::from_i128_with_scale(i128::from(1 + mix(&[66, slot]) % 90_000_000), 4).normalize(),
    }
}

/// The hourly runs: one report for each entitlement, hour and outcome. Enters the reports into their groups.
fn reports(groups: &mut [types::MeteringUsageRecordGroup]) -> Vec<types::MeteringUsageRecordReport> {
    let mut runs: BTreeMap<(DateTime<Utc>, String, bool), Vec<usize>> = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        let failed = match group.status {
            Some(Status::Reported) => false,
            Some(Status::ReportFailed) => true,
            _ => continue,
        };
        if let (Some(time), Some(entitlement)) = (group.creation_time, &group.entitlement_id) {
            let hour = time - TimeDelta::minutes(time.minute().into());
            runs.entry((hour, entitlement.clone(), failed)).or_default().push(at);
        }
    }
    // AWS takes whole units: the rest is carried into the next hour.
    let mut carried: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    runs.into_iter()
        .filter_map(|((hour, entitlement, failed), members)| {
            let deal = DEALS.iter().find(|deal| deal.id == entitlement)?;
            let end = hour + TimeDelta::hours(1);
            let made = end + TimeDelta::seconds(93);
            let outcome = if failed { "failed" } else { "reported" };
            let report_id = id(&format!("suger/report/{entitlement}/{}/{outcome}", hour.timestamp())).to_string();
            let mut sums: BTreeMap<String, Decimal> = BTreeMap::new();
            let mut events: BTreeMap<(String, String), Decimal> = BTreeMap::new();
            let mut ids = Vec::new();
            for at in members {
                let group = groups.get_mut(at)?;
                ids.extend(group.id.clone());
                for (key, quantity) in &group.records {
                    *sums.entry(key.clone()).or_default() += quantity.0;
                }
                for event in group.meta_info.iter().flat_map(|info| &info.billable_records) {
                    let region = event.properties.get("region").and_then(|region| region.as_str()).unwrap_or_default();
                    let place = (event.key.clone().unwrap_or_default(), format!("region={region}"));
                    *events.entry(place).or_default() += event.quantity.map_or(Decimal::ZERO, |quantity| quantity.0);
                }
                group.last_update_time = Some(made);
                if !failed {
                    group.usage_record_report_id = Some(report_id.clone());
                    group.reported_time = Some(made);
                }
            }
            let mut info = types::MeteringUsageRecordReportInfo {
                partner: Some(deal.partner.clone()),
                status: Some(if failed { UsageRecordReportStatus::Failed } else { UsageRecordReportStatus::Success }),
                message: Some(if failed { "the marketplace did not answer" } else { "" }.to_owned()),
                start_time: Some(hour),
                end_time: Some(end),
                usage_record_group_ids: ids,
                ..Default::default()
            };
            for (key, _, rate) in dimensions_of(deal.product) {
                let rate = Decimal::new(*rate, 4).normalize();
                info.dimension_unit_price.insert((*key).to_owned(), rate.into());
                info.dimension_unit_list_price.insert((*key).to_owned(), rate.into());
            }
            for (key, sum) in sums {
                let whole_units = deal.partner == Partner::Aws && !failed;
                let reported = if whole_units {
                    let rest = carried.entry((entitlement.clone(), key.clone())).or_default();
                    let before = std::mem::take(rest);
                    let all = before + sum;
                    *rest = all.fract();
                    info.decimal_parts.insert(key.clone(), before.normalize().into());
                    info.new_decimal_parts.insert(key.clone(), rest.normalize().into());
                    all.trunc()
                } else {
                    sum
                };
                info.reported_records.insert(key, reported.normalize().into());
            }
            for ((key, group_bys), quantity) in events {
                info.aggregated_billable_records.push(types::AggregatedMeteringUsageRecord {
                    key: Some(key),
                    name: Some("GPU seconds, all sizes".to_owned()),
                    quantity: Some(quantity.normalize().into()),
                    group_bys_expression: Some(group_bys),
                    billable_metric_aggregation_type: Some(types::BillableMetricAggregationType::Sum),
                    ..Default::default()
                });
            }
            Some(types::MeteringUsageRecordReport {
                id: Some(report_id),
                organization_id: Some(SUGER_ORG_ID.to_owned()),
                entitlement_id: Some(entitlement),
                entitlement_term_id: Some(deal.term.to_owned()),
                product_id: Some(deal.product.to_owned()),
                buyer_id: Some(deal.buyer.to_owned()),
                partner: Some(deal.partner.clone()),
                info: Some(info),
                creation_time: Some(made),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn organization(today: &str) -> Organization {
        Organization::new(today.parse().unwrap())
    }

    #[test]
    fn there_are_some_2500_groups_of_all_kinds() {
        let org = organization("2026-11-21");
        assert!((2_400..2_600).contains(&org.groups.len()), "{}", org.groups.len());
        let statuses: HashSet<_> = org.groups.iter().filter_map(|group| group.status.clone()).collect();
        assert_eq!(statuses.len(), Status::KNOWN.len(), "{statuses:?}");
        let quantities: HashSet<_> =
            org.groups.iter().flat_map(|group| group.records.values()).map(ToString::to_string).collect();
        assert!(quantities.contains("0.1") && quantities.contains("12345678901.123456789"));
        assert!(org.groups.iter().any(|group| group.records.is_empty()));
        assert!(org.groups.is_sorted_by_key(|group| group.creation_time));
        assert!([SUGER_ORG_ID, "ent-aws01", "buy-gcp01", "prd-azu01"].iter().all(|id| id.len() == 9));
    }

    #[test]
    fn a_group_is_the_same_on_another_day() {
        let (before, after) = (organization("2026-11-20"), organization("2026-11-21"));
        let last = before.groups.iter().rfind(|group| group.status == Some(Status::Reported)).unwrap();
        let same = after.groups.iter().find(|group| group.id == last.id).unwrap();
        assert_eq!(serde_json::to_string(last).unwrap(), serde_json::to_string(same).unwrap());
    }

    #[test]
    fn what_was_reported_is_what_is_in_the_reports() {
        let org = organization("2026-11-21");
        let reported: HashSet<_> = org
            .groups
            .iter()
            .filter(|group| group.status == Some(Status::Reported))
            .filter_map(|group| group.usage_record_report_id.clone())
            .collect();
        let succeeded = org.reports.iter().filter(|report| {
            report.info.as_ref().is_some_and(|info| info.status == Some(UsageRecordReportStatus::Success))
        });
        assert_eq!(reported, succeeded.filter_map(|report| report.id.clone()).collect());
        assert!(org.reports.is_sorted_by_key(|report| report.creation_time));
    }

    #[test]
    fn fractions_are_carried_to_the_next_whole_unit() {
        let org = organization("2026-11-21");
        let infos: Vec<_> = org.reports.iter().filter_map(|report| report.info.as_ref()).collect();
        let aws: Vec<_> = infos.iter().filter(|info| info.new_decimal_parts.contains_key("ingest_gb")).collect();
        for pair in aws.windows(2) {
            assert_eq!(pair[0].new_decimal_parts["ingest_gb"], pair[1].decimal_parts["ingest_gb"]);
            assert!(pair[1].reported_records["ingest_gb"].is_integer());
        }
        assert!(aws.len() > 100);
    }
}
