use chrono::NaiveDate;
use proptest::strategy::Strategy as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use usage_billing_core::Decimal;
use uuid::Uuid;

use super::*;
use crate::UsageRow;
use crate::acronis::account::facts::AccountFacts;
use crate::acronis::account::price_book::PriceBook;
use crate::acronis::{Amounts, Price, in_billing_unit, usage_rows};
use crate::rows::loadable;

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

type Fields = Map<String, Value>;

/// Cases of `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    about: String,
    #[serde(default)]
    row: Fields,
    #[serde(default)]
    kinds: BTreeMap<String, String>,
    #[serde(default)]
    each: Vec<Each>,
    cases: Vec<Case>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Each {
    file: Fields,
    row: Fields,
    kinds: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Case {
    file: Fields,
    kinds: BTreeMap<String, String>,
    rows: Vec<Fields>,
    reversed: bool,
}

impl Case {
    /// Returns the case with what the section and `each` state.
    fn within(&self, section: &Section, each: &Each) -> Self {
        let all = |parts: [&Fields; 3]| parts.into_iter().flat_map(Clone::clone).collect::<Fields>();
        let rows = self.rows.iter().map(|own| all([&section.row, &each.row, own])).collect();
        let kinds = [&section.kinds, &each.kinds, &self.kinds].into_iter().flat_map(Clone::clone).collect();
        let file = all([&Fields::new(), &each.file, &self.file]);
        Self { file, kinds, rows, reversed: self.reversed }
    }

    fn file(&self) -> StoredFile {
        let StoredFile { mut report, mut created_at, id, .. } = summary();
        for (field, value) in &self.file {
            let text = || value.as_str().unwrap();
            match field.as_str() {
                "kind" => report.kind = text().into(),
                "level" => report.level = text().into(),
                "first" => report.period.start = text().parse().unwrap(),
                "last" => report.period.end = text().parse().unwrap(),
                "tenant" => report.tenant_id = text().parse().unwrap(),
                "built" => created_at = (!value.is_null()).then(|| text().parse().unwrap()),
                other => panic!("{other}"),
            }
        }
        StoredFile { created_at, ..StoredFile::new(id, id, types::ReportFormat::CsvV20, report) }
    }

    /// Returns the tenants to look up, and the rows or the error.
    fn usage(&self) -> (BTreeSet<Uuid>, Result<Vec<UsageRow>>) {
        let file = self.file();
        let mut aggregator = match UsageAggregator::new(&file, usize::MAX) {
            Ok(aggregator) => aggregator,
            Err(error) => return (BTreeSet::new(), Err(error)),
        };
        let mut rows: Vec<_> =
            self.rows.iter().zip(1..).map(|(fields, number)| stated(fields, number, &file)).collect();
        if self.reversed {
            rows.reverse();
        }
        if let Err(error) = rows.iter_mut().try_for_each(|row| aggregator.add(row)) {
            return (BTreeSet::new(), Err(error));
        }
        let tenant_kinds = self.kinds.iter().map(|(id, kind)| (id_of(id).parse().unwrap(), Arc::from(&**kind)));
        let facts = AccountFacts { tenant_kinds: tenant_kinds.collect(), ..AccountFacts::default() };
        (aggregator.tenants_without_kind(), aggregator.rows(&facts).map(|(rows, _)| rows))
    }
}

/// Returns the UUID that `$7` means, or the id itself.
fn id_of(id: &str) -> String {
    id.strip_prefix('$').map_or_else(|| id.to_owned(), |number| Uuid::from_u128(number.parse().unwrap()).to_string())
}

fn stated(fields: &Fields, number: u64, file: &StoredFile) -> ReportRow {
    let mut row = ReportRow { number, ..row("customer", "seats", None) };
    for (field, value) in fields {
        let text = || (!value.is_null()).then(|| id_of(value.as_str().unwrap()));
        let decimal = |value: &Value| (!value.is_null()).then(|| value.to_string().trim_matches('"').parse().unwrap());
        let amounts = || {
            let [production, trial, total] = [0, 1, 2].map(|at| value.get(at).and_then(decimal));
            let (production, trial): (Decimal, Decimal) = (production.unwrap(), trial.unwrap());
            Amounts { production, trial, total: total.unwrap_or(production + trial) }
        };
        match field.as_str() {
            "number" => row.number = value.as_u64().unwrap(),
            "tenant" => row.tenant_id = text().unwrap(),
            "tenant_name" => row.tenant_name = text().unwrap(),
            "kind" => row.tenant_kind = text().unwrap(),
            "customer_reference" => row.customer_id = text(),
            "service" => row.application = text().unwrap(),
            "name" => row.name = text().unwrap(),
            "edition" => row.edition = text(),
            "sku" => row.sku = text(),
            "infra" => row.infra_id = text(),
            "owner" => row.infra_owner_id = text(),
            "backend" => row.infra_backend = text(),
            "day" if value == "last" => row.date = Some(file.report.period.end),
            "day" => row.date = text().map(|day| day.parse().unwrap()),
            "unit" => row.measurement_unit = text(),
            "used" => row.effective = Some(amounts()),
            "level" => row.absolute = amounts(),
            "quota" => row.quota = decimal(value),
            "mode" => row.pricing_mode = text(),
            "price" => {
                let currency = value[0].as_str().unwrap().to_owned();
                row.price = Some(Price { currency, unit: decimal(&value[1]), total: decimal(&value[2]) });
            }
            "other" => row.other = BTreeMap::from([("workload.id".into(), text().unwrap())]),
            other => panic!("{other}"),
        }
    }
    row
}

/// Returns the columns of a row, but its key, that differ from those of another one.
fn differences(row: &UsageRow, usual: &Value) -> String {
    let row = json!(row);
    let columns = UsageRow::COLUMNS.into_iter().filter(|column| *column != "row_key" && usual[column] != row[column]);
    columns.map(|column| format!(" {column}={}", row[column])).collect()
}

#[test]
fn usage_of_all_cases_is_that_of_the_snapshot() {
    let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    let usual = Case { rows: vec![Fields::new()], ..Case::default() }.usage().1.unwrap().remove(0);
    let mut snapshot = format!("A row has these columns, unless stated:{}\n", differences(&usual, &Value::Null));
    let usual = json!(usual);
    for section in &sections {
        snapshot += &format!("\n# {}\n", section.about);
        let mut keys = Vec::new();
        let each = if section.each.is_empty() { &vec![Each::default()] } else { &section.each };
        let each = each.iter().zip(1..);
        for (each, case) in each.flat_map(|each| section.cases.iter().zip(1..).map(move |case| (each, case))) {
            let ((each, number), (case, number_of_case)) = (each, case);
            let case = case.within(section, each);
            let order = if case.reversed { ", rows reversed" } else { "" };
            let (file, kinds) = (json!(case.file), json!(case.kinds));
            snapshot += &format!("{number}.{number_of_case} file {file}, kinds {kinds}{order}\n");
            snapshot.extend(case.rows.iter().map(|row| format!("   row {}\n", json!(row))));
            let (to_look_up, usage) = case.usage();
            if !to_look_up.is_empty() {
                snapshot += &format!("   looks up {to_look_up:?}\n");
            }
            match usage {
                Ok(rows) => {
                    let distinct: BTreeSet<_> = rows.iter().map(|row| row.row_key).collect();
                    assert_eq!(distinct.len(), rows.len(), "{rows:?}");
                    for row in rows {
                        let known = keys.iter().position(|key| *key == row.row_key);
                        let key = known.unwrap_or_else(|| {
                            keys.push(row.row_key);
                            keys.len() - 1
                        });
                        snapshot += &format!("   key {key}:{}\n", differences(&row, &usual));
                    }
                }
                Err(error) => snapshot += &format!("   {:?}: {error}\n", error.kind()),
            }
        }
    }
    insta::assert_snapshot!(snapshot);
}

fn usage(rows: impl IntoIterator<Item = ReportRow>) -> Vec<(String, String, String)> {
    let rows = usage_rows(&summary(), rows).unwrap();
    rows.into_iter().map(|row| (row.sku, row.quantity.to_string(), row.unit)).collect()
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
fn price_of_a_price_list_that_does_not_fit_names_the_row() {
    let price = serde_json::json!({"sku": "S-1", "effective_price": "1", "list_price": "100000000000000000000000000"});
    let lists = serde_json::json!({"price_lists": [{"month": "2026-10", "currency": "EUR", "pricelist_code": "EU-1", "prices": [price]}]});
    let facts =
        AccountFacts { prices: PriceBook::new(serde_json::from_value(lists).unwrap()), ..AccountFacts::default() };
    let rows_of = |sku: &str| {
        let file = summary();
        let mut aggregator = UsageAggregator::new(&file, usize::MAX).unwrap();
        let mut row = ReportRow { number: 7, sku: Some(sku.to_owned()), ..row("customer", "pw_base_servers", None) };
        aggregator.add(&mut row).and_then(|()| aggregator.rows(&facts))
    };
    assert_eq!(rows_of("S-2").unwrap().0[0].unit_price, None);
    assert_eq!(
        rows_of("S-1").unwrap_err().message(),
        "row 7 of the report: the list_price 100000000000000000000000000 of S-1 in the price list EU-1 of 2026-10 does not fit DECIMAL(38,12)"
    );
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
