//! Aggregates API requests for all generations of queries: filters, dimensions and granularity.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use usage_billing_genesys::types::{UsageGranularity, UsageMetric};

use crate::dataset::genesys::{ApiClient, PATHS, Partner, Requests, clients, organization_id};
use crate::dataset::{days_before, month_of};

/// In the order by which rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dimension {
    ClientId,
    ClientName,
    Organization,
    User,
    Template,
    Method,
    Platform,
}

impl Dimension {
    const COUNT: usize = 7;
}

/// Values by the index of their [`Dimension`]; empty if it was not requested.
type Labels<'a> = [&'a str; Dimension::COUNT];

/// A dimension and the values that are counted.
pub(super) type Filter = (Dimension, Vec<String>);

#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    pub(super) first: NaiveDate,
    pub(super) last: NaiveDate,
    /// Day of the request: later API requests are not included.
    pub(super) today: NaiveDate,
    pub(super) granularity: Option<UsageGranularity>,
    pub(super) by: Vec<Dimension>,
    pub(super) only: Vec<Filter>,
    /// Whether the vendor's own clients are counted.
    pub(super) builtin: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    /// First day of the bucket.
    pub(super) date: Option<NaiveDate>,
    labels: [String; Dimension::COUNT],
    counts: Counts,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    ok: i64,
    rejected: i64,
    limited: i64,
    failed: i64,
}

impl Row {
    /// Returns the value of a dimension, empty if it was not requested.
    pub(super) fn text(&self, dimension: Dimension) -> &str {
        &self.labels[dimension as usize]
    }

    /// Returns the value of a dimension, `None` if it was not requested.
    pub(super) fn some(&self, dimension: Dimension) -> Option<String> {
        Some(self.text(dimension)).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    pub(super) fn count(&self, metric: &UsageMetric) -> i64 {
        match metric {
            UsageMetric::Requests => self.counts.ok + self.counts.rejected + self.counts.failed,
            UsageMetric::Status200 => self.counts.ok,
            UsageMetric::Status400 => self.counts.rejected,
            UsageMetric::Status429 => self.counts.limited,
            UsageMetric::Status500 => self.counts.failed,
            // The platform never redirects.
            _ => 0,
        }
    }
}

/// Returns the filter of a dimension; `None` without values. Only existing values are kept, because the request may have many.
pub(super) fn filter(dimension: Dimension, requested: &[String]) -> Option<Filter> {
    if requested.is_empty() {
        return None;
    }
    let mut known = known_values(dimension);
    known.retain(|value| requested.contains(value));
    Some((dimension, known))
}

/// Returns all values of a dimension.
pub(super) fn known_values(dimension: Dimension) -> Vec<String> {
    let of_clients = |value: fn(ApiClient) -> String| clients().into_iter().map(value).collect();
    match dimension {
        Dimension::ClientId => of_clients(|client| client.id),
        Dimension::ClientName => of_clients(|client| client.name.to_owned()),
        Dimension::User => of_clients(|client| client.user),
        Dimension::Platform => of_clients(|client| client.platform.to_owned()),
        Dimension::Organization => vec![organization_id()],
        Dimension::Template => PATHS.iter().map(|(template, ..)| (*template).to_owned()).collect(),
        Dimension::Method => PATHS.iter().map(|(_, method, _)| (*method).to_owned()).collect(),
    }
}

/// Returns the requested counters; all without a choice.
pub(super) fn counters(requested: &[UsageMetric]) -> Vec<UsageMetric> {
    UsageMetric::KNOWN.iter().filter(|known| requested.is_empty() || requested.contains(known)).cloned().collect()
}

impl Aggregation {
    pub(super) fn rows(&self, partner: &Partner) -> Vec<Row> {
        let (clients, organization) = (clients(), organization_id());
        let mut sums: BTreeMap<(Option<NaiveDate>, Labels<'_>), Counts> = BTreeMap::new();
        for some in partner.requests(&clients, self.today, self.first, self.last) {
            let labels = labels(&some, &organization);
            let counts = self.builtin || !some.client.builtin;
            if !counts || !self.only.iter().all(|(of, values)| values.iter().any(|value| value == labels[*of as usize]))
            {
                continue;
            }
            let mut split = Labels::default();
            for dimension in &self.by {
                split[*dimension as usize] = labels[*dimension as usize];
            }
            let date = self.granularity.as_ref().map(|size| bucket(size, some.day));
            let sum = sums.entry((date, split)).or_default();
            sum.ok += some.ok;
            sum.rejected += some.rejected;
            sum.limited += some.limited;
            sum.failed += some.failed;
        }
        sums.into_iter()
            .map(|((date, labels), counts)| Row { date, labels: labels.map(str::to_owned), counts })
            .collect()
    }
}

fn labels<'a>(some: &Requests<'a>, organization: &'a str) -> Labels<'a> {
    let client = some.client;
    [&client.id, client.name, organization, &client.user, some.template, some.method, client.platform]
}

/// Returns the first day of the bucket; weeks begin on Monday.
fn bucket(size: &UsageGranularity, day: NaiveDate) -> NaiveDate {
    match size {
        UsageGranularity::Week => days_before(day, day.weekday().num_days_from_monday().into()),
        UsageGranularity::Month => month_of(day),
        _ => day,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn september(granularity: Option<UsageGranularity>, by: &[Dimension]) -> Aggregation {
        Aggregation {
            first: "2026-09-01".parse().unwrap(),
            last: "2026-09-30".parse().unwrap(),
            today: "2026-10-01".parse().unwrap(),
            granularity,
            by: by.to_vec(),
            only: Vec::new(),
            builtin: false,
        }
    }

    fn partner() -> Partner {
        let day = "2026-10-01".parse().unwrap();
        Partner::new(crate::dataset::Seed::new(0), &crate::dataset::Size::default(), day)
    }

    fn total(rows: &[Row]) -> i64 {
        rows.iter().map(|row| row.count(&UsageMetric::Requests)).sum()
    }

    #[test]
    fn totals_do_not_depend_on_grouping() {
        use Dimension::*;
        let all = total(&september(None, &[]).rows(&partner()));
        assert!(all > 0);
        for (granularity, by, rows) in [
            (None, &[ClientId][..], 2),
            (Some(UsageGranularity::Month), &[Method], 2),
            (Some(UsageGranularity::Day), &[ClientId, ClientName, Template], 180),
            (Some(UsageGranularity::Week), &[Organization], 5),
            (None, &[User, Platform], 2),
        ] {
            let result = september(granularity, by).rows(&partner());
            assert_eq!((result.len(), total(&result)), (rows, all), "{by:?}");
        }
    }

    #[test]
    fn filters_partition_the_rows() {
        let all = total(&september(None, &[]).rows(&partner()));
        for dimension in [Dimension::ClientId, Dimension::ClientName, Dimension::User, Dimension::Template] {
            let part = |value: String| {
                let filter = filter(dimension, &[value.clone(), value, "unknown".to_owned()]).unwrap();
                total(&Aggregation { only: vec![filter], ..september(None, &[]) }.rows(&partner()))
            };
            let parts: Vec<_> = known_values(dimension).into_iter().map(part).collect();
            assert_eq!(parts.iter().sum::<i64>(), all, "{dimension:?} {parts:?}");
        }
        let none = filter(Dimension::ClientId, &["unknown".to_owned()]).unwrap();
        assert!(Aggregation { only: vec![none], ..september(None, &[]) }.rows(&partner()).is_empty());
    }

    #[test]
    fn builtin_clients_are_counted_on_request_only() {
        let own = september(None, &[Dimension::Platform]);
        let all = Aggregation { builtin: true, ..own.clone() };
        assert_eq!((own.rows(&partner()).len(), all.rows(&partner()).len()), (1, 2));
    }
}
