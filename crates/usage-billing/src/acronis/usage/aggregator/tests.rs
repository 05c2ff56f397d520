use chrono::{DateTime, NaiveDate, Utc};
use proptest::strategy::Strategy as _;
use usage_billing_core::Decimal;
use uuid::Uuid;

use super::*;
use crate::acronis::account::facts::AccountFacts;
use crate::acronis::account::price_book::PriceBook;
use crate::acronis::{Amounts, Price, in_billing_unit, usage_rows};
use crate::rows::loadable;
use crate::{BillingReason, UsageRow};

pub(crate) fn amounts(production: i64, trial: i64) -> Amounts {
    Amounts { production: production.into(), trial: trial.into(), total: (production + trial).into() }
}

/// A level of 110 and a change of -8.
pub(crate) fn row(kind: &str, name: &str, unit: Option<&str>) -> ReportRow {
    ReportRow {
        number: 1,
        tenant_id: "t-1".to_owned(),
        tenant_name: "Birch, Inc.".to_owned(),
        tenant_kind: kind.to_owned(),
        customer_id: None,
        application: "backup".to_owned(),
        application_id: None,
        name: name.to_owned(),
        edition: None,
        sku: None,
        infra_id: None,
        infra_name: None,
        infra_owner_id: None,
        infra_backend: None,
        date: "2026-10-31".parse().ok(),
        is_range: false,
        measurement_unit: unit.map(str::to_owned),
        absolute: amounts(110, 0),
        delta: amounts(-8, 0),
        effective: None,
        quota: None,
        pricing_mode: None,
        price: None,
        other: BTreeMap::new(),
    }
}

fn file(kind: types::ReportKind, level: types::ReportLevel) -> StoredFile {
    let report = types::ReportParameters {
        formats: vec![types::ReportFormat::CsvV20],
        hide_zero_usage: None,
        kind,
        level,
        period: types::ReportPeriod { start: "2026-10-01".parse().unwrap(), end: "2026-10-31".parse().unwrap() },
        show_skus: None,
        tenant_id: Uuid::nil(),
    };
    let created_at = "2026-11-01T07:36:58Z".parse().ok();
    StoredFile { created_at, ..StoredFile::new(Uuid::nil(), Uuid::nil(), types::ReportFormat::CsvV20, report) }
}

pub(crate) fn summary() -> StoredFile {
    file(types::ReportKind::UsageSummary, types::ReportLevel::DirectPartners)
}

fn usage(rows: impl IntoIterator<Item = ReportRow>) -> Vec<(String, String, String)> {
    let rows = usage_rows(&summary(), rows).unwrap();
    rows.into_iter().map(|row| (row.sku, row.quantity.to_string(), row.unit)).collect()
}

#[test]
fn components_are_added_up_before_they_are_rounded() {
    let seconds = |infra: &str| ReportRow {
        infra_id: Some(infra.to_owned()),
        effective: Some(amounts(17, 0)),
        ..row("customer", "pw_compute_points", Some("seconds"))
    };
    let expected = ("backup/pw_compute_points".to_owned(), "0.01".to_owned(), "compute points".to_owned());
    assert_eq!(usage([seconds("a"), seconds("b")]), [expected]);
}

#[test]
fn backends_and_units_are_kept_apart() {
    let at = |backend: &str, infra: &str| ReportRow {
        infra_backend: Some(backend.to_owned()),
        infra_id: Some(infra.to_owned()),
        ..row("customer", "pw_base_storage", Some("bytes"))
    };
    let counted = row("customer", "pw_base_storage", None);
    let rows = usage([at("acronis", "a"), at("google", "b"), at("google", "c"), counted]);
    let skus: Vec<_> = rows.iter().map(|(sku, ..)| sku.as_str()).collect();
    assert_eq!(skus, ["backup/pw_base_storage", "backup/pw_base_storage", "backup/pw_base_storage_google"]);
}

#[test]
fn rows_differ_by_sku_edition_tenant_and_service() {
    let with = |sku: Option<&str>, edition: Option<&str>, application: &str| ReportRow {
        sku: sku.map(str::to_owned),
        edition: edition.map(str::to_owned),
        application: application.to_owned(),
        ..row("customer", "seats", None)
    };
    let rows = usage([
        with(Some("S-1"), None, "backup"),
        with(Some("S-2"), None, "backup"),
        with(None, Some("standard"), "backup"),
        with(None, Some("advanced"), "backup"),
        ReportRow { tenant_id: "t-2".to_owned(), ..with(Some("S-1"), None, "backup") },
        with(None, None, "platform"),
    ]);
    let skus: Vec<_> = rows.iter().map(|(sku, ..)| sku.as_str()).collect();
    assert_eq!(skus, ["S-1", "S-2", "backup/seats", "backup/seats", "platform/seats", "S-1"]);
}

#[test]
fn rows_of_the_platform_follow_the_ordinary_rules() {
    use BillingReason::{Counter, FeatureSwitch, NotSold, UnknownItem, Usage};
    let of = |service: &str, name: &str, unit: Option<&str>, sku: Option<&str>| ReportRow {
        application: service.to_owned(),
        sku: sku.map(str::to_owned),
        ..row("customer", name, unit)
    };
    for service in ["platform", "7459244f-68f3-3bf4-9f53-5f63ecc1d91f"] {
        for (name, unit, sku, expected) in [
            ("euc_count", None, None, Counter),
            ("reseller_count", None, None, Counter),
            ("pw_pack_portal_branding", None, None, Usage),
            ("pw_pack_portal_branding", None, Some("SVA8"), Usage),
            ("portal_branding", None, Some("SVA8"), Usage),
            ("branding", Some("feature"), Some("SVA8"), FeatureSwitch),
            ("something_new", None, None, UnknownItem),
        ] {
            let rows = usage_rows(&summary(), [of(service, name, unit, sku)]).unwrap();
            assert_eq!(rows[0].billing_reason, expected, "{service} {name} {sku:?}");
        }
        let sold = of("backup", "pw_base_servers", None, Some("S-1"));
        let rows = usage_rows(&summary(), [of(service, "pw_pack_portal_branding", None, None), sold]).unwrap();
        let of_platform = rows.iter().find(|row| row.metric == "pw_pack_portal_branding").unwrap();
        assert_eq!(of_platform.billing_reason, NotSold, "no SKU in a file with SKUs");
    }
}

#[test]
fn duplicate_row_is_rejected() {
    let at = |number, infra: &str| ReportRow {
        number,
        infra_id: Some(infra.to_owned()),
        ..row("customer", "pw_base_storage", Some("bytes"))
    };
    let error = usage_rows(&summary(), [at(1, "a"), at(2, "b"), at(3, "a")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.message().starts_with("rows 1 and 3 of the report are both about pw_base_storage of t-1"), "{error}");
    // An unknown column may distinguish two rows.
    let distinguished = |text: &str| ReportRow {
        other: BTreeMap::from([("workload.id".into(), text.to_owned())]),
        ..row("customer", "seats", None)
    };
    assert_eq!(usage([distinguished("w-1"), distinguished("w-2")])[0].1, "220");
}

#[test]
fn tenant_under_two_names_is_one_and_rows_are_sorted_by_name() {
    let named = |id: &str, name: &str, infra: &str| ReportRow {
        tenant_id: id.to_owned(),
        tenant_name: name.to_owned(),
        infra_id: Some(infra.to_owned()),
        ..row("customer", "seats", None)
    };
    let rows = [named("t-1", "Cedar", "a"), named("t-2", "Birch", "a"), named("t-1", "Cedar Ltd", "b")];
    let usage = usage_rows(&summary(), rows).unwrap();
    let found: Vec<_> = usage.iter().map(|row| (row.customer_name.as_deref(), row.quantity)).collect();
    assert_eq!(found, [(Some("Birch"), 110.into()), (Some("Cedar"), 220.into())]);
    assert!(usage_rows(&summary(), [named("t-1", "Cedar", "a"), named("t-1", "Cedar Ltd", "a")]).is_err());
}

#[test]
fn no_level_counts_usage_twice() {
    use types::ReportLevel::{Accounts, AllCustomers, AllPartners, DirectPartners, Itself};
    let rows = || ["partner", "customer", "unit", "folder"].map(|kind| row(kind, &format!("{kind}_seats"), None));
    for (level, metrics) in [
        (Itself, &["customer_seats", "folder_seats", "partner_seats", "unit_seats"][..]),
        (DirectPartners, &["customer_seats", "folder_seats", "partner_seats", "unit_seats"]),
        (AllCustomers, &["customer_seats"]),
        (Accounts, &["customer_seats"]),
    ] {
        let usage = usage_rows(&file(types::ReportKind::UsageSummary, level.clone()), rows()).unwrap();
        assert_eq!(usage.iter().map(|row| row.metric.as_str()).collect::<Vec<_>>(), metrics, "{level}");
    }
    for level in [AllPartners, "a_new_level".into()] {
        let error = usage_rows(&file(types::ReportKind::UsageSummary, level), rows()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Request);
        assert!(error.message().ends_with("create one of direct_partners or all_customers"), "{error}");
    }
}

#[test]
fn report_without_customers_is_an_error() {
    let file = file(types::ReportKind::UsageSummary, types::ReportLevel::Accounts);
    let error = usage_rows(&file, [row("unit", "seats", None)]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(
        error.message().starts_with("a report of the level accounts counts customers, and this one has none"),
        "{error}"
    );
    assert!(usage_rows(&file, []).unwrap().is_empty());
}

#[test]
fn reports_by_the_day_give_days_and_are_not_billable() {
    use types::ReportKind::{UsageBreakdown, UsageCurrent, UsageDaily, UsageSummary};
    let days = || ["2026-10-29", "2026-10-30", "2026-10-31"].map(|day| day.parse::<NaiveDate>().unwrap());
    let on = |day| ReportRow { date: Some(day), infra_id: Some(day.to_string()), ..row("customer", "seats", None) };
    for (kind, rows, is_final) in [
        (UsageSummary, 1, vec![false]),
        (UsageCurrent, 1, vec![false]),
        (UsageDaily, 3, vec![true, true, false]),
        (UsageBreakdown, 3, vec![true, true, false]),
    ] {
        let built = "2026-10-31T00:00:00Z".parse().ok();
        let file = StoredFile { created_at: built, ..file(kind.clone(), types::ReportLevel::Itself) };
        let usage = usage_rows(&file, days().map(on)).unwrap();
        assert_eq!(usage.len(), rows, "{kind}");
        assert_eq!(usage.iter().map(|row| row.is_final).collect::<Vec<_>>(), is_final, "{kind}");
        assert!(usage.iter().all(|row| row.is_billable == Some(false)), "{kind}");
        assert!(
            rows == 1 || usage.iter().all(|row| row.period_end - row.period_start == chrono::TimeDelta::days(1)),
            "{kind}"
        );
    }
}

#[test]
fn row_of_another_period_is_rejected() {
    for (day, is_right) in [("2026-09-30", false), ("2026-10-01", true), ("2026-10-31", true), ("2026-11-01", false)] {
        let of_day = || ReportRow { date: day.parse().ok(), ..row("customer", "seats", None) };
        assert_eq!(usage_rows(&summary(), [of_day()]).is_ok(), is_right, "{day}");
        let current = file(types::ReportKind::UsageCurrent, types::ReportLevel::Itself);
        assert!(usage_rows(&current, [of_day()]).is_ok(), "{day}");
    }
}

#[test]
fn file_built_before_the_end_of_the_period_is_not_final() {
    for (built, is_final) in
        [(Some("2026-10-31T23:00:00Z"), false), (Some("2026-11-01T00:00:00Z"), true), (None, false)]
    {
        let file = StoredFile { created_at: built.map(|instant| instant.parse().unwrap()), ..summary() };
        assert_eq!(usage_rows(&file, [row("customer", "seats", None)]).unwrap()[0].is_final, is_final, "{built:?}");
    }
}

#[test]
fn file_without_date_is_not_known_to_be_billable() {
    use BillingReason::{Included, NotABillingBasis, NotAWholePeriod, Trial, UnknownReportDate};
    let reasons = |kind, last: &str| {
        let mut file = StoredFile { created_at: None, ..file(kind, types::ReportLevel::DirectPartners) };
        file.report.period.end = last.parse().unwrap();
        let of = |name: &str| ReportRow {
            effective: Some(amounts(3, 2)),
            date: last.parse().ok(),
            ..row("customer", name, None)
        };
        let rows = usage_rows(&file, [of("pg_base_vms"), of("pw_base_servers")]).unwrap();
        assert!(rows.iter().all(|row| !row.is_final));
        rows.into_iter().map(|row| row.billing_reason).collect::<Vec<_>>()
    };
    use types::ReportKind::{UsageCurrent, UsageSummary};
    assert_eq!(reasons(UsageSummary, "2026-10-31"), [Included, Trial, UnknownReportDate, Trial]);
    assert_eq!(reasons(UsageSummary, "2026-10-12"), [NotAWholePeriod; 4]);
    assert_eq!(reasons(UsageSummary, "2026-11-30"), [NotAWholePeriod; 4]);
    assert_eq!(reasons(UsageCurrent, "2026-10-31"), [NotABillingBasis; 4]);
}

#[test]
fn production_and_trial_are_separate_and_trial_not_billable() {
    let of = |production, trial, infra: &str| ReportRow {
        effective: Some(amounts(production, trial)),
        infra_id: Some(infra.to_owned()),
        ..row("customer", "pw_base_servers", None)
    };
    for (rows, expected) in [
        (vec![of(0, 11, "a")], &[("trial", 11, Some(false))][..]),
        (vec![of(1, 11, "a")], &[("production", 1, Some(true)), ("trial", 11, Some(false))]),
        (vec![of(0, 11, "a"), of(2, 0, "b")], &[("production", 2, Some(true)), ("trial", 11, Some(false))]),
        (vec![of(0, 11, "a"), of(0, 0, "b")], &[("trial", 11, Some(false))]),
        (vec![of(0, 0, "a")], &[("production", 0, Some(true))]),
    ] {
        let usage = usage_rows(&summary(), rows).unwrap();
        let found: Vec<_> =
            usage.iter().map(|row| (row.usage_mode.unwrap().to_string(), row.quantity, row.is_billable)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(mode, quantity, it)| ((*mode).to_owned(), Decimal::from(*quantity), *it)).collect();
        assert_eq!(found, expected);
        let keys: std::collections::BTreeSet<_> = usage.iter().map(|row| row.row_key).collect();
        assert_eq!(keys.len(), usage.len());
    }
}

#[test]
fn contradictory_numbers_are_unknown_and_keep_their_price() {
    let free = Price { currency: "EUR".to_owned(), unit: Some(0.into()), total: Some(0.into()) };
    let of = |effective: Amounts, mode: &str| ReportRow {
        effective: Some(effective),
        pricing_mode: Some(mode.to_owned()),
        price: Some(free.clone()),
        ..row("customer", "pw_base_servers", None)
    };
    let of_two = Amounts { trial: 1.into(), ..amounts(2, 0) };
    for row in [of(amounts(3, 0), "trial"), of(of_two, "production")] {
        let [row] = <[UsageRow; 1]>::try_from(usage_rows(&summary(), [row]).unwrap()).unwrap();
        assert_eq!((row.is_billable, row.billing_reason), (None, BillingReason::ContradictoryColumns));
        assert_eq!((row.unit_price, row.cost), (Some(0.into()), Some(0.into())));
    }
    let unsold = ReportRow { name: "total_storage".to_owned(), ..of(amounts(3, 0), "trial") };
    assert_eq!(usage_rows(&summary(), [unsold]).unwrap()[0].billing_reason, BillingReason::TotalOfRows);
}

#[test]
fn storage_and_compute_points_in_another_unit_are_not_known_to_be_billable() {
    use BillingReason::{ContradictoryColumns, Included, PartOfRow, Trial, Usage};
    for (name, unit, expected) in [
        ("pw_base_storage", None, ContradictoryColumns),
        ("pg_base_storage", Some("KB"), ContradictoryColumns),
        ("pw_compute_points", Some("quantity"), ContradictoryColumns),
        ("pw_base_storage", Some("bytes"), Usage),
        ("pw_compute_points", Some("seconds"), Usage),
        ("pw_base_servers", None, Usage),
        ("pw_base_local_storage", None, Included),
        ("immutable_storage", None, PartOfRow),
    ] {
        for sku in [None, Some("S-1".to_owned())] {
            let of = || ReportRow { sku: sku.clone(), ..row("customer", name, unit) };
            let on_trial = ReportRow { effective: Some(amounts(0, 3)), ..of() };
            let reason = |row| usage_rows(&summary(), [row]).unwrap()[0].billing_reason;
            assert_eq!(
                reason(ReportRow { effective: Some(amounts(3, 0)), ..of() }),
                expected,
                "{name} {unit:?} {sku:?}"
            );
            assert_eq!(reason(on_trial), if expected == PartOfRow { PartOfRow } else { Trial }, "{name} {unit:?}");
        }
    }
}

#[test]
fn month_so_far_has_period_of_the_month_and_is_not_billable() {
    let through = |last: &str, built: &str| {
        let mut file = StoredFile { created_at: built.parse().ok(), ..summary() };
        file.report.period.end = last.parse().unwrap();
        let day = ReportRow { date: last.parse().ok(), ..row("customer", "pw_base_servers", None) };
        usage_rows(&file, [day]).unwrap().remove(0)
    };
    let (one, other) = (through("2026-10-12", "2026-10-13T01:00:00Z"), through("2026-10-13", "2026-10-14T01:00:00Z"));
    let whole = through("2026-10-31", "2026-11-01T01:00:00Z");
    assert!(one.row_key == other.row_key && one.row_key == whole.row_key);
    assert_eq!((one.is_billable, one.billing_reason), (Some(false), BillingReason::NotAWholePeriod));
    assert_eq!((one.is_final, one.as_of), (false, "2026-10-13T01:00:00Z".parse().ok()));
    assert_eq!((whole.is_billable, whole.is_final, whole.as_of), (Some(true), true, None));
    let early = through("2026-10-31", "2026-10-31T01:00:00Z");
    assert_eq!((early.is_billable, early.is_final), (Some(false), false));
    // A part that has ended has its own key: it never replaces fresher rows, and it is not final.
    for built in ["2026-10-21T12:00:00Z", "2026-11-02T01:00:00Z"] {
        let part = through("2026-10-12", built);
        assert!(part.row_key != whole.row_key && part.period_end < whole.period_end);
        assert_eq!((part.is_billable, part.is_final, part.as_of), (Some(false), false, built.parse().ok()));
    }
    let two_months = through("2026-11-30", "2026-12-01T01:00:00Z");
    assert_eq!((two_months.is_billable, two_months.is_final), (Some(false), true));
}

#[test]
fn the_rest_of_a_running_month_has_the_same_period_every_day() {
    let of = |first: &str, last: &str, built: &str| {
        let mut file = StoredFile { created_at: built.parse().ok(), ..summary() };
        (file.report.period.start, file.report.period.end) = (first.parse().unwrap(), last.parse().unwrap());
        let day = ReportRow { date: last.parse().ok(), ..row("customer", "pw_base_servers", None) };
        usage_rows(&file, [day]).unwrap().remove(0)
    };
    // Up to the day of the report, as of a period that has not ended.
    let (one, other) = (
        of("2026-10-10", "2026-10-12", "2026-10-12T09:00:00Z"),
        of("2026-10-10", "2026-10-30", "2026-10-30T23:00:00Z"),
    );
    assert_eq!(
        (one.row_key, one.period_end),
        (other.row_key, "2026-11-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap())
    );
    assert!(!one.is_final && one.as_of.is_some() && one.is_billable == Some(false));
    // Up to yesterday, and up to the day before.
    let yesterday = of("2026-10-10", "2026-10-12", "2026-10-13T00:00:00Z");
    assert_eq!((yesterday.is_final, yesterday.row_key), (false, one.row_key));
    let part = of("2026-10-10", "2026-10-12", "2026-10-14T00:00:00Z");
    assert_eq!((part.is_final, part.period_end), (false, "2026-10-13T00:00:00Z".parse::<DateTime<Utc>>().unwrap()));
    // When it was built is not known: it may be old.
    let mut file = StoredFile { created_at: None, ..summary() };
    file.report.period.end = "2026-10-12".parse().unwrap();
    let row = ReportRow { date: "2026-10-12".parse().ok(), ..row("customer", "pw_base_servers", None) };
    let row = usage_rows(&file, [row]).unwrap().remove(0);
    assert_eq!((row.period_end, row.is_final, row.as_of), ("2026-10-13T00:00:00Z".parse().unwrap(), false, None));
}

#[test]
fn the_account_is_named_where_it_has_a_row_of_its_own() {
    let named = |tenant: &str, name: &str| ReportRow {
        tenant_id: tenant.to_owned(),
        tenant_name: name.to_owned(),
        ..row("customer", "pw_base_servers", None)
    };
    let own = Uuid::nil().to_string();
    let names = |rows: [ReportRow; 2]| {
        let rows = usage_rows(&summary(), rows).unwrap();
        rows.into_iter().map(|row| row.account_name).collect::<Vec<_>>()
    };
    assert_eq!(
        names([named("t-1", "Birch"), named(&own, "Northwind")]),
        [Some("Northwind".to_owned()), Some("Northwind".to_owned())]
    );
    assert_eq!(names([named("t-1", "Birch"), named(&own, "")]), [None, None]);
    assert_eq!(names([named("t-1", "Birch"), named("t-2", "Cedar")]), [None, None]);
}

#[test]
fn switches_totals_and_parts_are_marked_in_every_report() {
    use BillingReason::{FeatureSwitch, NotABillingBasis, NotAWholePeriod, PartOfRow, TotalOfRows};
    use types::ReportKind::{UsageCurrent, UsageSummary};
    let reasons = |kind, built: &str| {
        let file = StoredFile { created_at: built.parse().ok(), ..file(kind, types::ReportLevel::Itself) };
        let rows = [
            row("customer", "dr_access", Some("n/a")),
            row("customer", "immutable_storage", Some("bytes")),
            row("customer", "pw_base_servers", None),
            row("customer", "total_storage", Some("bytes")),
        ];
        usage_rows(&file, rows).unwrap().into_iter().map(|row| row.billing_reason).collect::<Vec<_>>()
    };
    let marked = |other| [FeatureSwitch, PartOfRow, other, TotalOfRows];
    assert_eq!(reasons(UsageCurrent, "2026-11-01T07:00:00Z"), marked(NotABillingBasis));
    assert_eq!(reasons(UsageSummary, "2026-10-20T07:00:00Z"), marked(NotAWholePeriod));
    assert_eq!(reasons(UsageSummary, "2026-11-01T07:00:00Z"), marked(BillingReason::Usage));
}

#[test]
fn row_has_tenant_item_and_source() {
    let at = |number, infra: &str, quota: Option<i64>| ReportRow {
        number,
        customer_id: Some("B-7".to_owned()),
        edition: Some("standard".to_owned()),
        infra_id: Some(infra.to_owned()),
        infra_owner_id: Some("8beef6be-c136-4ef6-a900-0e74c703ddcc".to_owned()),
        infra_backend: Some("acronis".to_owned()),
        quota: quota.map(Decimal::from),
        absolute: amounts(3 << 29, 0),
        ..row("customer", "pw_base_storage", Some("bytes"))
    };
    let usage = |rows: [ReportRow; 2]| usage_rows(&summary(), rows).unwrap().remove(0);
    let row = usage([at(4, "a", Some(5 << 30)), at(2, "b", Some(5 << 30))]);
    let text = |column: &Option<String>| column.as_deref().unwrap_or_default().to_owned();
    let customer = [&row.customer_id, &row.customer_kind, &row.customer_reference].map(text);
    assert_eq!(customer, ["t-1", "customer", "B-7"]);
    assert_eq!([&row.service, &row.edition, &row.report_kind].map(text), ["backup", "standard", "usage_summary"]);
    assert_eq!(row.storage_host, Some(crate::StorageHost::Vendor));
    assert_eq!((row.quantity, row.unit.as_str()), (3.into(), "GiB"));
    assert_eq!((row.raw_quantity, row.raw_unit.as_deref()), (Decimal::from(3_i64 << 30), Some("bytes")));
    assert_eq!(row.quota_quantity, Some(5.into()), "of both, not twice");
    assert_eq!((text(&row.source_report_id), row.source_row), (Uuid::nil().to_string(), Some(2)));
    assert_eq!(usage([at(1, "a", Some(5 << 30)), at(2, "b", Some(6 << 30))]).quota_quantity, None, "they differ");
    // For items other than storage, a component states nothing about a host.
    let seats = ReportRow { measurement_unit: None, name: "pw_base_vms".to_owned(), ..at(1, "a", None) };
    assert_eq!(usage_rows(&summary(), [seats]).unwrap()[0].storage_host, None);
}

#[test]
fn rows_without_a_day_are_read_only_in_summaries() {
    use types::ReportKind::{UsageBreakdown, UsageCurrent, UsageDaily, UsageSummary};
    for (kind, is_read) in [(UsageSummary, true), (UsageCurrent, true), (UsageDaily, false), (UsageBreakdown, false)] {
        let row = ReportRow { date: None, ..row("customer", "seats", None) };
        let read = usage_rows(&file(kind.clone(), types::ReportLevel::Itself), [row]);
        assert_eq!(read.is_ok(), is_read, "{kind}");
        if let Err(error) = read {
            assert!(error.message().starts_with("row 1 of the report is of no day"), "{error}");
        }
    }
}

#[test]
fn seen_items_apply_to_all_rows_in_any_order() {
    use BillingReason::{Counter, NotSold, UnknownItem, Usage};
    let sold = || ReportRow { sku: Some("S-1".to_owned()), ..row("customer", "pw_base_servers", None) };
    let of = |name: &str| row("customer", name, None);
    let reasons = |rows: Vec<ReportRow>| {
        let rows = usage_rows(&summary(), rows).unwrap();
        let found = rows.into_iter().map(|row| (row.metric, row.billing_reason));
        found.collect::<std::collections::BTreeMap<_, _>>()
    };
    for turned in [false, true] {
        let in_order = |mut rows: Vec<ReportRow>| {
            if turned {
                rows.reverse();
            }
            reasons(rows)
        };
        assert_eq!(in_order(vec![sold(), of("pw_base_vms")])["pw_base_vms"], NotSold, "the report has SKUs");
        assert_eq!(in_order(vec![of("pw_base_servers"), of("pw_base_vms")])["pw_base_vms"], Usage);
        assert_eq!(in_order(vec![of("pw_base_servers"), of("mailboxes")])["mailboxes"], Counter, "today's licensing");
        assert_eq!(in_order(vec![of("p_servers"), of("mailboxes")])["mailboxes"], UnknownItem);
    }
}

#[test]
fn the_items_of_a_tenant_decide_about_its_own_rows_only() {
    let of = |tenant: &str, name: &str| {
        let unit = (name == "storage").then_some("bytes");
        ReportRow { tenant_id: tenant.to_owned(), ..row("customer", name, unit) }
    };
    let reasons = |rows: Vec<ReportRow>| {
        let rows = usage_rows(&summary(), rows).unwrap().into_iter();
        rows.filter(|row| row.metric == "storage").map(|row| row.billing_reason).collect::<Vec<_>>()
    };
    let (old, items) = (of("t-1", "storage"), of("t-2", "pw_base_vms"));
    assert_eq!(reasons(vec![old.clone()]), [BillingReason::Usage]);
    assert_eq!(reasons(vec![old.clone(), items.clone()]), [BillingReason::UnknownItem]);
    let both = vec![old, items, of("t-2", "storage")];
    assert_eq!(reasons(both), [BillingReason::UnknownItem, BillingReason::Counter]);
}

#[test]
fn ids_are_the_same_in_capitals() {
    let (account, child) = (Uuid::from_u128(0xA << 124), Uuid::from_u128(0xB << 124));
    let mut file = summary();
    file.report.tenant_id = account;
    let of = |tenant: String, owner: String, infra: &str| ReportRow {
        tenant_id: tenant,
        infra_id: Some(infra.to_owned()),
        infra_owner_id: Some(owner),
        ..row("partner", "pw_base_storage", Some("bytes"))
    };
    for (account, child) in [
        (account.to_string(), child.to_string()),
        (account.to_string().to_uppercase(), child.to_string()),
        (account.to_string(), child.to_string().to_uppercase()),
        (account.braced().to_string(), child.simple().to_string().to_uppercase()),
    ] {
        let rows =
            [of(account.clone(), account.clone(), "a"), of(child.clone(), account, "a"), of(child.clone(), child, "b")];
        let rows = usage_rows(&file, rows).unwrap();
        let mut reasons: Vec<_> = rows.iter().map(|row| row.billing_reason).collect();
        reasons.sort();
        assert_eq!(reasons, [BillingReason::TotalOfRows, BillingReason::PartnerHosted]);
    }
    // The same row in two spellings is a duplicate.
    let twice = [of(child.to_string(), String::new(), "a"), of(child.to_string().to_uppercase(), String::new(), "a")];
    assert_eq!(usage_rows(&file, twice).unwrap_err().kind(), ErrorKind::Decode);
}

#[test]
fn rows_that_do_not_count_show_nothing_of_the_others() {
    use types::ReportLevel::{Accounts, DirectPartners};
    let id = |number| Uuid::from_u128(number).to_string();
    let of = |tenant: String, kind: &str, sku: Option<&str>| ReportRow {
        tenant_id: tenant,
        sku: sku.map(str::to_owned),
        ..row(kind, "pw_base_servers", None)
    };
    let customer = || of(id(8), "customer", None);
    let platform = |name: &str| ReportRow {
        application: "platform".to_owned(),
        name: name.to_owned(),
        ..of(id(8), "customer", Some("S-1"))
    };
    let facts = || {
        let tenant_kinds = [(Uuid::from_u128(7), Arc::from("partner"))].into();
        AccountFacts { tenant_kinds, ..AccountFacts::default() }
    };
    for (level, other) in [
        (Accounts, of(id(7), "partner", Some("S-1"))),
        // Its kind is known from elsewhere.
        (Accounts, of(id(7), "", Some("S-1"))),
        (Accounts, of(id(0), "", Some("S-1"))),
        (DirectPartners, of(id(0), "partner", Some("S-1"))),
        (DirectPartners, platform("pw_pack_portal_branding")),
        (DirectPartners, ReportRow { name: "euc_count".to_owned(), ..of(id(8), "customer", Some("S-1")) }),
    ] {
        let file = file(types::ReportKind::UsageSummary, level);
        let mut sums = UsageAggregator::new(&file, usize::MAX).unwrap();
        [other.clone(), customer()].into_iter().for_each(|mut row| sums.add(&mut row).unwrap());
        let rows = sums.rows(&facts()).unwrap().0;
        let is_of_customer = |row: &&UsageRow| row.customer_id == Some(id(8)) && row.metric == "pw_base_servers";
        assert_eq!(rows.iter().find(is_of_customer).unwrap().billing_reason, BillingReason::Usage, "{other:?}");
    }
}

#[test]
fn own_row_of_the_account_is_a_total_beside_others() {
    let file = file(types::ReportKind::UsageSummary, types::ReportLevel::Accounts);
    let of =
        |tenant: &str, kind: &str| ReportRow { tenant_id: tenant.to_owned(), ..row(kind, "pw_base_servers", None) };
    let own = Uuid::nil().to_string();
    let usage = usage_rows(&file, [of(&own, ""), of("t-1", ""), of("t-2", "customer")]).unwrap();
    let reasons: Vec<_> = usage.iter().map(|row| row.billing_reason).collect();
    // The second may be a partner that contains the third.
    assert_eq!(reasons, [BillingReason::TotalOfRows, BillingReason::UnknownTenantKind, BillingReason::Usage]);
    for alone in [&own, "t-1"] {
        assert_eq!(usage_rows(&file, [of(alone, "")]).unwrap()[0].billing_reason, BillingReason::Usage, "{alone}");
    }
    // Counters, switches and numbers of the platform say nothing about other tenants.
    let counter = ReportRow { name: "euc_count".to_owned(), ..of("t-1", "customer") };
    let switch = ReportRow { measurement_unit: Some("feature".to_owned()), ..of("t-1", "customer") };
    let platform = ReportRow { application: "platform".to_owned(), ..of("t-1", "customer") };
    for other in [counter, switch, platform] {
        let rows = usage_rows(&file, [of(&own, ""), other.clone()]).unwrap();
        let of_own = rows.iter().find(|row| row.customer_id.as_deref() == Some(&own)).unwrap();
        assert_eq!(of_own.billing_reason, BillingReason::Usage, "{other:?}");
        let of_own = |rows: &[UsageRow]| rows.iter().filter(|row| row.is_billable == Some(true)).count();
        assert!(of_own(&rows) >= 1);
    }
}

#[test]
fn own_row_is_a_total_only_of_items_that_others_have() {
    use BillingReason::{Counter, TotalOfRows, Trial, UnknownTenantKind};
    let of = |tenant: &str, name: &str, quantity: i64| ReportRow {
        tenant_id: tenant.to_owned(),
        absolute: amounts(quantity, 0),
        ..row("", name, None)
    };
    let own = Uuid::nil().to_string();
    let reason_of_own = |rows: Vec<ReportRow>, name: &str| {
        let usage = usage_rows(&summary(), rows).unwrap();
        let found: Vec<_> = usage.iter().filter(|row| row.customer_id.as_deref() == Some(&own)).collect();
        found.iter().find(|row| row.metric == name).unwrap().billing_reason
    };
    let (servers, drives) = ("pw_base_servers", "drives_shipped_to_cloud");
    for (own_quantity, others, expected) in [
        (5, vec![3, 2], TotalOfRows),
        (5, vec![3, 3], TotalOfRows),
        (5, vec![3], UnknownTenantKind),
        (0, vec![3], TotalOfRows),
    ] {
        let others = others.iter().enumerate().map(|(at, quantity)| of(&format!("t-{at}"), servers, *quantity));
        let rows = others.chain([of(&own, servers, own_quantity), of(&own, drives, 2), of(&own, "euc_count", 9)]);
        let mut rows: Vec<_> = rows.collect();
        for _ in 0..2 {
            assert_eq!(reason_of_own(rows.clone(), servers), expected, "{rows:?}");
            assert_eq!(reason_of_own(rows.clone(), drives), UnknownTenantKind, "no other row has them");
            assert_eq!(reason_of_own(rows.clone(), "euc_count"), Counter);
            rows.reverse();
        }
    }
    let on_trial = ReportRow { absolute: amounts(0, 2), ..of(&own, drives, 0) };
    assert_eq!(reason_of_own(vec![of("t-1", servers, 3), on_trial], drives), Trial);
    // The parts of one item on several components.
    let stored = |tenant: &str, quantity| ReportRow {
        infra_id: Some(Uuid::from_u128(quantity).to_string()),
        measurement_unit: Some("bytes".to_owned()),
        ..of(tenant, "pw_base_storage", i64::try_from(quantity).unwrap())
    };
    let rows = vec![stored(&own, 4), stored(&own, 6), stored("t-1", 10)];
    assert_eq!(reason_of_own(rows.clone(), "pw_base_storage"), TotalOfRows);
    let in_unit = ReportRow { measurement_unit: None, ..rows[2].clone() };
    assert!(reason_of_own(vec![rows[0].clone(), in_unit], "pw_base_storage").is_billable().is_none());
}

#[test]
fn prices_are_given_only_if_they_are_those_of_all_rows() {
    let with = |infra: &str, price: Option<(&str, Option<i64>, Option<i64>)>| ReportRow {
        infra_id: Some(infra.to_owned()),
        price: price.map(|(currency, unit, total)| Price {
            currency: currency.to_owned(),
            unit: unit.map(Decimal::from),
            total: total.map(Decimal::from),
        }),
        ..row("customer", "seats", None)
    };
    for (second, currency, unit_price, cost) in [
        (Some(("EUR", Some(2), Some(5))), Some("EUR"), Some(2), Some(9)),
        (Some(("EUR", Some(3), Some(5))), Some("EUR"), None, Some(9)),
        (Some(("EUR", Some(2), None)), Some("EUR"), Some(2), None),
        (Some(("USD", Some(2), Some(5))), None, None, None),
        (None, None, None, None),
    ] {
        let usage = usage_rows(&summary(), [with("a", Some(("EUR", Some(2), Some(4)))), with("b", second)]).unwrap();
        assert_eq!(usage[0].currency.as_deref(), currency, "{second:?}");
        assert_eq!((usage[0].unit_price, usage[0].cost), (unit_price.map(Decimal::from), cost.map(Decimal::from)));
    }
}

#[test]
fn report_exceeding_memory_limit_is_an_error() {
    let named = |number: u64| ReportRow { number, ..row("customer", "seats", None) };
    let file = summary();
    let twelve = |make: fn(ReportRow, String) -> ReportRow, text: fn(u64) -> String| {
        let mut aggregator = UsageAggregator::new(&file, 1_000_000).unwrap();
        let mut rows = (1..=12).map(|number| make(named(number), text(number)));
        rows.try_for_each(|mut row| aggregator.add(&mut row)).and_then(|()| aggregator.rows(&AccountFacts::default()))
    };
    let distinct: fn(u64) -> String = |number| format!("{number}{}", "x".repeat(100_000));
    let makes: [fn(ReportRow, String) -> ReportRow; 10] = [
        |row, text| ReportRow { tenant_id: text, ..row },
        |row, text| ReportRow { tenant_id: row.number.to_string(), tenant_name: text, ..row },
        |row, text| ReportRow { tenant_id: row.number.to_string(), tenant_kind: text, ..row },
        |row, text| ReportRow { tenant_id: row.number.to_string(), customer_id: Some(text), ..row },
        |row, text| ReportRow { application: text, ..row },
        |row, text| ReportRow { name: text, ..row },
        |row, text| ReportRow { infra_id: Some(text), measurement_unit: Some("bytes".to_owned()), ..row },
        |row, text| ReportRow { infra_owner_id: Some(text), measurement_unit: Some("bytes".to_owned()), ..row },
        |row, text| ReportRow { infra_backend: Some(text), ..row },
        |row, text| ReportRow { sku: Some(text), ..row },
    ];
    for (place, make) in makes.into_iter().enumerate() {
        let error = twelve(make, distinct).unwrap_err();
        assert_eq!((error.kind(), error.setting()), (ErrorKind::Limit, Some("max_usage_bytes")), "{place}: {error}");
        assert!(
            error.message().ends_with(": the usage up to it exceeds the limit of 1000000 bytes of memory"),
            "{error}"
        );
    }
    // A row has a copy of its name.
    assert_eq!(twelve(makes[1], |_| "x".repeat(100_000)).unwrap_err().kind(), ErrorKind::Limit);
    // Values that are not kept may be long.
    let discarded: fn(ReportRow, String) -> ReportRow = |row, text| ReportRow {
        name: "pw_base_servers".to_owned(),
        infra_id: Some(text.clone()),
        infra_name: Some(text.clone()),
        other: BTreeMap::from([("column".into(), text)]),
        ..row
    };
    assert_eq!(twelve(discarded, distinct).unwrap().0.len(), 1);
}

#[test]
fn unlisted_item_of_a_component_without_unit_is_not_billed_in_pieces() {
    let own = Uuid::nil().to_string();
    let of = |name: &str, owner: Option<&str>, unit: Option<&str>| ReportRow {
        infra_id: owner.map(|_| Uuid::from_u128(7).to_string()),
        infra_owner_id: owner.map(str::to_owned),
        sku: Some("S-1".to_owned()),
        ..row("customer", name, unit)
    };
    for (row, expected) in [
        (of("pw_base_archive_x", Some(&own), None), BillingReason::UnknownItem),
        (of("pw_base_archive_x", Some(&own), Some("")), BillingReason::UnknownItem),
        (of("pw_base_archive_x", Some("c-9"), None), BillingReason::UnknownHosting),
        (of("pw_base_archive_x", Some(&own), Some("bytes")), BillingReason::PartnerHosted),
        (of("pw_base_archive_x", None, None), BillingReason::Usage),
        // Storage is in bytes, also that of an unlisted name.
        (of("pw_base_archive_storage", None, None), BillingReason::ContradictoryColumns),
        (of("pw_base_archive_storage", None, Some("quantity")), BillingReason::ContradictoryColumns),
        (of("pw_base_servers", Some(&own), None), BillingReason::Usage),
    ] {
        let usage = usage_rows(&summary(), [row.clone()]).unwrap();
        assert_eq!(usage[0].billing_reason, expected, "{row:?}");
    }
}

#[test]
fn price_of_a_price_list_that_does_not_fit_names_the_row() {
    let price = serde_json::json!({"sku": "S-1", "effective_price": "1", "list_price": "100000000000000000000000000"});
    let lists = serde_json::json!({"price_lists": [{"month": "2026-10", "currency": "EUR", "pricelist_code": "EU-1", "prices": [price]}]});
    let facts =
        AccountFacts { prices: PriceBook::new(serde_json::from_value(lists).unwrap()), ..AccountFacts::default() };
    let of = |sku: &str| {
        let file = summary();
        let mut aggregator = UsageAggregator::new(&file, usize::MAX).unwrap();
        let mut row = ReportRow { number: 7, sku: Some(sku.to_owned()), ..row("customer", "pw_base_servers", None) };
        aggregator.add(&mut row).and_then(|()| aggregator.rows(&facts))
    };
    assert_eq!(of("S-2").unwrap().0[0].unit_price, None);
    assert_eq!(
        of("S-1").unwrap_err().message(),
        "row 7 of the report: the list_price 100000000000000000000000000 of S-1 in the price list EU-1 of 2026-10 does not fit DECIMAL(38,12)"
    );
}

#[test]
fn a_sum_of_too_many_digits_is_an_error() {
    let vast = |infra: &str| ReportRow {
        infra_id: Some(infra.to_owned()),
        absolute: Amounts { total: Decimal::MAX, ..amounts(0, 0) },
        ..row("customer", "seats", None)
    };
    let error = usage_rows(&summary(), [vast("a"), vast("b")]).unwrap_err().to_string();
    assert_eq!(error, "the usage of seats by t-1 has more than 28 digits");
}

#[test]
fn tenants_without_kind_are_not_billed_beside_others() {
    use BillingReason::{NotABillingBasis, Trial, UnknownTenantKind, Usage};
    use types::ReportLevel::{Accounts, AllCustomers, DirectPartners};
    let id = |number| Uuid::from_u128(number).to_string();
    let of = |tenant: &str, kind: &str| ReportRow {
        tenant_id: tenant.to_owned(),
        effective: Some(amounts(3, 2)),
        ..row(kind, "pw_base_servers", None)
    };
    let reasons = |level, kind, facts: &AccountFacts| {
        let file = file(kind, level);
        let mut sums = UsageAggregator::new(&file, usize::MAX).unwrap();
        [of(&id(7), ""), of(&id(8), "customer")].into_iter().for_each(|mut row| sums.add(&mut row).unwrap());
        let to_look_up = sums.tenants_without_kind();
        let rows = sums.rows(facts).unwrap().0;
        let found = rows.into_iter().map(|row| (row.customer_kind.unwrap_or_default(), row.billing_reason));
        (to_look_up, found.collect::<Vec<_>>())
    };
    let named = |kind: &str, reason| (kind.to_owned(), reason);
    let customer = [named("customer", Usage), named("customer", Trial)];
    let nothing = AccountFacts::default();
    for level in [Accounts, AllCustomers] {
        let (to_look_up, found) = reasons(level.clone(), types::ReportKind::UsageSummary, &nothing);
        assert_eq!(to_look_up, [Uuid::from_u128(7)].into());
        assert_eq!(found, [&[named("", UnknownTenantKind), named("", Trial)][..], &customer].concat(), "{level}");
        for (kind, count) in [("customer", 4), ("partner", 2)] {
            let tenant_kinds = [(Uuid::from_u128(7), Arc::from(kind))].into();
            let facts = AccountFacts { tenant_kinds, ..AccountFacts::default() };
            let (_, found) = reasons(level.clone(), types::ReportKind::UsageSummary, &facts);
            assert_eq!(found, [&customer[..], &customer].concat()[..count], "{level} {kind}");
        }
    }
    let (to_look_up, found) = reasons(DirectPartners, types::ReportKind::UsageSummary, &nothing);
    assert!(to_look_up.is_empty());
    assert_eq!(found, [&[named("", Usage), named("", Trial)][..], &customer].concat());
    let (_, found) = reasons(Accounts, types::ReportKind::UsageCurrent, &nothing);
    assert!(found.iter().all(|(_, reason)| *reason == NotABillingBasis));
}

#[test]
fn a_tenant_has_the_kind_that_another_of_its_rows_states() {
    let file = file(types::ReportKind::UsageSummary, types::ReportLevel::Accounts);
    let of = |tenant: &str, kind: &str, name: &str| ReportRow { tenant_id: tenant.to_owned(), ..row(kind, name, None) };
    let rows = [
        of("t-1", "", "pw_base_servers"),
        of("t-1", "partner", "pw_base_vms"),
        of("t-2", "customer", "pw_base_servers"),
        of("t-2", "", "pw_base_vms"),
    ];
    let found: Vec<_> =
        usage_rows(&file, rows).unwrap().into_iter().map(|row| (row.metric, row.billing_reason)).collect();
    let usage = |metric: &str| (metric.to_owned(), BillingReason::Usage);
    assert_eq!(found, [usage("pw_base_servers"), usage("pw_base_vms")]);
}

#[test]
fn unknown_hosts_are_apart_from_storage_of_no_component() {
    let at = |infra: Option<&str>| ReportRow {
        infra_id: infra.map(str::to_owned),
        ..row("customer", "pw_base_storage", Some("bytes"))
    };
    let rows = usage_rows(&summary(), [at(None), at(Some("a")), at(Some("b"))]).unwrap();
    let hosts: Vec<_> = rows.iter().map(|row| (row.storage_host, row.billing_reason, row.occurrence)).collect();
    assert_eq!(
        hosts,
        [(None, BillingReason::Usage, 1), (Some(crate::StorageHost::Unknown), BillingReason::UnknownHosting, 1)]
    );
    assert!(rows[0].row_key != rows[1].row_key);
}

#[test]
fn storage_of_different_owners_is_separate_for_any_unit() {
    use crate::StorageHost::{Partner, Vendor};
    let at = |infra: &str, owner: &str, unit: Option<&str>| ReportRow {
        infra_id: Some(infra.to_owned()),
        infra_owner_id: Some(owner.to_owned()),
        ..row("customer", "pw_base_storage", unit)
    };
    for unit in [Some("bytes"), Some("Bytes"), Some("BYTES"), Some(""), Some("b"), None] {
        let rows = [at("a", "8beef6be-c136-4ef6-a900-0e74c703ddcc", unit), at("b", "t-1", unit)];
        let rows = usage_rows(&summary(), rows).unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.storage_host, row.is_billable)).collect();
        let is_billable = unit.filter(|unit| unit.eq_ignore_ascii_case("bytes")).map(|_| true);
        assert_eq!(found, [(Some(Vendor), is_billable), (Some(Partner), Some(false))], "{unit:?}");
    }
}

#[test]
fn levels_of_reports_are_apart() {
    let keys = [types::ReportLevel::DirectPartners, types::ReportLevel::AllCustomers].map(|level| {
        let row = usage_rows(&file(types::ReportKind::UsageSummary, level.clone()), [row("customer", "seats", None)])
            .unwrap()
            .remove(0);
        assert_eq!(row.report_level.as_deref(), Some(level.as_str()));
        row.row_key
    });
    assert!(keys[0] != keys[1]);
}

#[test]
fn rows_decide_which_account_data_is_read() {
    let mut file = summary();
    file.report.tenant_id = Uuid::from_u128(7);
    let mut sums = UsageAggregator::new(&file, usize::MAX).unwrap();
    assert!(!sums.lacks_account_name() && !sums.depends_on_licensing());
    let at = |infra: &str| ReportRow {
        infra_id: Some(infra.to_owned()),
        ..row("customer", "pw_base_storage", Some("bytes"))
    };
    [at("a"), at("b"), row("customer", "seats", None)].into_iter().for_each(|mut row| sums.add(&mut row).unwrap());
    assert_eq!((sums.tenant(), sums.components().len()), (Uuid::from_u128(7), 2));
    assert!(sums.lacks_account_name() && !sums.depends_on_licensing() && sums.priced_month().is_none());
    sums.add(&mut row("customer", "p_storage", Some("bytes"))).unwrap();
    assert!(sums.depends_on_licensing());
    sums.add(&mut ReportRow { sku: Some("S-1".to_owned()), ..row("customer", "seats", None) }).unwrap();
    assert_eq!(sums.priced_month(), "2026-10".parse().ok());
}

/// The columns that are marked as identity in the documentation, but for the key.
fn identity(row: &UsageRow) -> Vec<String> {
    let table = include_str!("../../../../docs/usage-rows.md")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | Identity. "));
    let columns: Vec<_> = table.map(|(column, _)| column).collect();
    assert!(columns.len() > 15, "{columns:?}");
    let row = serde_json::to_value(row).unwrap();
    columns.into_iter().map(|column| row[column].to_string()).collect()
}

/// One of a few strings, among them those that replace others in rows.
fn any_of(values: &'static [&'static str]) -> impl proptest::strategy::Strategy<Value = Option<String>> {
    proptest::sample::select(values).prop_map(|value| Some(value.to_owned()).filter(|value| !value.is_empty()))
}

proptest::prop_compose! {
    fn any_row()(
        tenant in any_of(&["t-1", "t-2", "00000000-0000-0000-0000-000000000000"]),
        kind in any_of(&["", "customer", "partner"]),
        application in any_of(&["backup", "files_cloud"]),
        name in any_of(&["pw_base_storage", "pw_base_storage_google", "storage", "pw_base_servers", "total_storage"]),
        unit in any_of(&["", "bytes", "GiB", "quantity", "units", "seconds", "compute points", "feature"]),
        edition in any_of(&["", "standard"]),
        sku in any_of(&["", "S-1", "backup/pw_base_storage", "backup/pw_base_storage_google"]),
        infra in any_of(&["", "a", "b"]),
        owner in any_of(&["", "t-1", "v", "x"]),
        backend in any_of(&["", "acronis", "google"]),
        used in (0i64..3, 0i64..3),
    ) -> ReportRow {
        ReportRow {
            tenant_id: tenant.unwrap_or_default(),
            application: application.unwrap_or_default(),
            edition,
            sku,
            infra_id: infra,
            infra_owner_id: owner,
            infra_backend: backend,
            effective: Some(amounts(used.0, used.1)),
            ..row(&kind.unwrap_or_default(), &name.unwrap_or_default(), unit.as_deref())
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_two_rows_share_their_key_or_their_identity(
        rows in proptest::collection::vec(any_row(), 1..60),
        level in proptest::sample::select(&[types::ReportLevel::DirectPartners, types::ReportLevel::Accounts][..]),
    ) {
        let file = file(types::ReportKind::UsageSummary, level);
        let mut sums = UsageAggregator::new(&file, usize::MAX).unwrap();
        // Duplicate rows are an error of the report, which other tests check.
        rows.into_iter().for_each(|mut row| _ = sums.add(&mut row));
        let Ok((rows, _)) = sums.rows(&AccountFacts::default()) else { return Ok(()) };
        let keys: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
        let identities: BTreeSet<_> = rows.iter().map(identity).collect();
        proptest::prop_assert_eq!((keys.len(), identities.len()), (rows.len(), rows.len()));
    }

    /// A load of the month so far, day after day, replaces its rows, and so does the whole month in the end.
    #[test]
    fn the_keys_of_a_month_are_the_same_on_every_day_of_it(
        first in 0u64..3_000,
        days in proptest::collection::vec((1u32..32, 0i64..1_000), 2..6),
        hour in 0i64..24,
    ) {
        let first = "2024-02-01".parse::<NaiveDate>().unwrap() + chrono::Months::new((first % 60) as u32);
        let month = Period::month_of(first);
        let mut keys = std::collections::BTreeSet::new();
        for (day, quantity) in days {
            let last = (first + chrono::Days::new(u64::from(day) - 1)).min(month.days().unwrap().1);
            // Built on the last day of the report, or on the day after it while the month runs.
            let built = month.start() + chrono::TimeDelta::hours(24 * i64::from(chrono::Datelike::day(&last)) - 24 + hour);
            for built in [built, (built + chrono::TimeDelta::days(1)).min(month.end() - chrono::TimeDelta::seconds(1))] {
                let mut file = StoredFile { created_at: Some(built), ..summary() };
                file.report.period = types::ReportPeriod { start: first, end: last };
                let row = ReportRow {
                    date: Some(last),
                    effective: Some(amounts(quantity, 0)),
                    ..row("customer", "pw_base_servers", None)
                };
                let row = usage_rows(&file, [row]).unwrap().remove(0);
                proptest::prop_assert_eq!((row.period_start, row.period_end), (month.start(), month.end()));
                proptest::prop_assert_eq!((row.is_final, row.as_of, row.is_billable), (false, Some(built), Some(false)));
                keys.insert(row.row_key);
            }
        }
        let mut whole = StoredFile { created_at: Some(month.end()), ..summary() };
        whole.report.period = types::ReportPeriod { start: first, end: month.days().unwrap().1 };
        let row = ReportRow { date: Some(whole.report.period.end), ..row("customer", "pw_base_servers", None) };
        let row = usage_rows(&whole, [row]).unwrap().remove(0);
        proptest::prop_assert!(row.is_final && row.is_billable == Some(true) && row.as_of.is_none());
        keys.insert(row.row_key);
        proptest::prop_assert_eq!(keys.len(), 1);
    }

    #[test]
    fn usage_is_independent_of_components_and_order(
        parts in proptest::collection::vec((0usize..3, -1_000_000_000_000i64..1_000_000_000_000), 1..20),
        turned in 0usize..20,
    ) {
        let items = [("thing", Some("bytes")), ("compute_points", Some("seconds")), ("seats", None)];
        let mut rows: Vec<_> = parts.iter().zip(0..).map(|(&(unit, amount), infra): (&(usize, i64), u32)| ReportRow {
            effective: Some(amounts(amount, 0)),
            infra_id: Some(infra.to_string()),
            ..row("partner", items[unit].0, items[unit].1)
        }).collect();
        let at = turned % rows.len();
        rows.rotate_left(at);
        for (sku, quantity, _) in usage(rows) {
            let unit = items.iter().position(|(name, _)| sku.strip_prefix("backup/") == Some(name)).unwrap();
            let sum: i64 = parts.iter().filter(|part| part.0 == unit).map(|part| part.1).sum();
            let expected = loadable::quantity(in_billing_unit(sum.into(), items[unit].1).0);
            proptest::prop_assert_eq!(quantity.parse::<Decimal>().unwrap(), expected);
        }
    }
}
