//! Items and usage of tenants, with those of all tenants below, and the number that is billed.

use usage_billing_acronis::types::{Quota, TenantKind};
use usage_billing_core::Decimal;

use super::catalogue::{CUSTOMER_COUNT, Charge, Item, Unit};
use super::components::Infra;
use super::derived_counters::derived_counters;
use super::tenant_table::UsageLine;
use super::usage_series::{Span, UsageSeries};
use super::{Licensing, Tree};
use crate::dataset::{EPOCH, midnight};

/// A gibibyte, which Acronis displays as a GB.
const GIB: i64 = 1 << 30;
/// Seconds of a hundredth of a compute point: a point is 3600 seconds.
const SECONDS_PER_HUNDREDTH: i64 = 36;

/// An item that a tenant or a tenant below it has.
pub(crate) struct Holding {
    pub(crate) item: &'static Item,
    pub(crate) infra: Option<&'static Infra>,
    /// The tenant's own soft limit.
    pub(crate) quota: Option<i64>,
    pub(crate) is_on: bool,
}

/// Usage of one item on one component.
pub(crate) struct Usage {
    pub(crate) item: &'static Item,
    pub(crate) infra: Option<&'static Infra>,
    pub(crate) quota: Option<i64>,
    /// Absolute and delta, as in [`Usage::effective`].
    pub(crate) production: [i64; 2],
    pub(crate) trial: [i64; 2],
}

impl Holding {
    /// Returns the limits: counts have an overage, storage has none.
    pub(crate) fn limits(&self) -> Option<Quota> {
        if self.item.unit == Unit::Switch {
            return None;
        }
        let overage = self.quota.filter(|_| self.item.unit == Unit::Pieces).map(|limit| (limit / 10).into());
        let version = self.quota.map_or(0, |limit| midnight(EPOCH).timestamp_millis() + limit % 86_400_000);
        Some(Quota { value: self.quota.map(Into::into), overage, version })
    }
}

impl Usage {
    pub(super) fn new(item: &'static Item, infra: Option<&'static Infra>) -> Self {
        Self { item, infra, quota: None, production: [0; 2], trial: [0; 2] }
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.production == [0; 2] && self.trial == [0; 2]
    }

    pub(crate) fn total(&self) -> [i64; 2] {
        [self.production[0] + self.trial[0], self.production[1] + self.trial[1]]
    }

    /// Returns the index of the effective number: the change of usage that is added up, otherwise the level.
    pub(crate) fn effective(&self) -> usize {
        usize::from(self.item.is_range)
    }

    /// Returns the SKU. Usage on trial has none, and neither has storage that the vendor does not host. Only the partner that buys per
    /// device sees SKUs.
    pub(crate) fn sku(&self) -> Option<&'static str> {
        self.item.sku.filter(|_| self.production != [0; 2] && self.is_sold(Licensing::PerDevice))
    }

    /// Returns the quantity that the vendor charges a partner for: production usage of sold items.
    pub(crate) fn charged(&self, licensing: Licensing) -> Option<i64> {
        self.is_sold(licensing).then(|| self.production[self.effective()])
    }

    /// Returns whether an item of the same tenant is licensed per gigabyte, while this one states no licensing and is charged by
    /// device only.
    pub(crate) fn is_contradicted_by(&self, other: &Self) -> bool {
        self.item.edition == Some("standard")
            && self.is_sold(Licensing::PerDevice) != self.is_sold(Licensing::PerGigabyte)
            && other.item.edition == Some("pck_per_gigabyte")
    }

    fn is_sold(&self, licensing: Licensing) -> bool {
        match self.item.charge_by(licensing) {
            Charge::Each => true,
            Charge::Hosted => self.infra.is_none_or(Infra::is_vendors),
            Charge::Nothing => false,
        }
    }
}

impl Unit {
    /// Converts a raw number to the unit in which it is billed: bytes to gibibytes, with all digits of a decimal; seconds to compute
    /// points, rounded half up to two decimal places.
    pub(crate) fn billed(self, raw: i64) -> (Decimal, &'static str) {
        match self {
            Self::Bytes => ((Decimal::from(raw) / Decimal::from(GIB)).normalize(), "GiB"),
            Self::Seconds => {
                let half = SECONDS_PER_HUNDREDTH / 2 * raw.signum();
                (Decimal::new((raw + half) / SECONDS_PER_HUNDREDTH, 2).normalize(), "compute points")
            }
            Self::Pieces | Self::Switch => (raw.into(), "units"),
        }
    }
}

impl Tree {
    /// Returns the items of a tenant, with those of all tenants below.
    pub(crate) fn holdings(&self, index: usize) -> Vec<Holding> {
        let mut holdings: Vec<Holding> = Vec::new();
        for (at, _, line) in self.lines(index) {
            let is_on = !matches!(line.series, UsageSeries::Idle) || line.item.unit == Unit::Switch;
            let known = holdings.iter_mut().find(|known| known.item == line.item && known.infra == line.infra);
            match known {
                Some(known) => known.is_on |= is_on,
                None => holdings.push(Holding {
                    item: line.item,
                    infra: line.infra,
                    quota: line.quota.filter(|_| at == index),
                    is_on,
                }),
            }
        }
        holdings
    }

    /// Returns the usage of a tenant and all tenants below in a span, one sum for each item and component.
    pub(crate) fn usage(&self, index: usize, span: Span) -> Vec<Usage> {
        let mut sums: Vec<Usage> = Vec::new();
        for (at, number, line) in self.lines(index) {
            let (Some(tenant), key) = (self.get(at), [at as u64, number]) else { continue };
            let sum = sum_of(&mut sums, line.item, line.infra);
            if at == index {
                sum.quota = line.quota;
            }
            let side = if tenant.is_trial(span.last) { &mut sum.trial } else { &mut sum.production };
            match (line.item.unit, line.series) {
                // The switch is on.
                (Unit::Switch, _) => side[0] = i64::from(span.last >= EPOCH),
                // Usage before the end of the trial remains on trial.
                (_, series @ UsageSeries::Range(_)) => {
                    side[0] += series.absolute(self.seed, &key, span.last);
                    let (trial, production) = span.split(tenant.billed_since);
                    let used = |span: Option<Span>| span.map_or(0, |span| series.delta(self.seed, &key, span));
                    sum.trial[1] += used(trial);
                    sum.production[1] += used(production);
                }
                (_, series) => {
                    side[0] += series.absolute(self.seed, &key, span.last);
                    side[1] += series.delta(self.seed, &key, span);
                }
            }
        }
        sums.extend(derived_counters(&sums));
        if self.get(index).is_some_and(|tenant| tenant.kind == TenantKind::Partner) && span.last >= EPOCH {
            let mut count = Usage::new(&CUSTOMER_COUNT, None);
            for tenant in self.descendants(index).filter_map(|below| self.get(below)) {
                let side = if tenant.is_trial(span.last) { &mut count.trial } else { &mut count.production };
                side[0] += i64::from(tenant.kind == TenantKind::Customer);
            }
            sums.push(count);
        }
        sums
    }

    /// Iterates over the lines of a tenant and of all tenants below, with index and number.
    fn lines(&self, index: usize) -> impl Iterator<Item = (usize, u64, &UsageLine)> {
        std::iter::once(index).chain(self.descendants(index)).flat_map(move |at| {
            let lines = self.get(at).map_or(&[][..], |tenant| &tenant.lines);
            lines.iter().zip(0u64..).map(move |(line, number)| (at, number, line))
        })
    }
}

fn sum_of<'a>(sums: &'a mut Vec<Usage>, item: &'static Item, infra: Option<&'static Infra>) -> &'a mut Usage {
    let known = sums.iter().position(|sum| sum.item == item && sum.infra == infra).unwrap_or(sums.len());
    if known == sums.len() {
        sums.push(Usage::new(item, infra));
    }
    &mut sums[known]
}

#[cfg(test)]
mod tests {
    use super::super::tests::index;
    use super::*;
    use crate::dataset::{day, days_before, months_after};

    fn usage(name: &str, month: &str) -> Vec<Usage> {
        let tree = Tree::of_tests();
        let first = day(&format!("{month}-01"));
        let last = days_before(months_after(first, 1), 1);
        tree.usage(index(&tree, name), Span::summary(first, last, last))
    }

    #[test]
    fn every_month_has_the_awkward_rows() {
        for month in ["2025-02", "2026-10", "2028-12"] {
            let alder = usage("Alder Dental Group", month);
            let storage: Vec<_> = alder.iter().filter(|row| row.item.name == "pw_base_storage").collect();
            assert_eq!(
                storage.iter().filter(|row| row.charged(Licensing::PerDevice).is_none() && row.sku().is_none()).count(),
                1
            );
            assert_eq!(storage.len(), 3);
            let total = alder.iter().find(|row| row.item.name == "total_storage").unwrap();
            assert!(
                total.charged(Licensing::PerDevice).is_none()
                    && total.total()[0] > storage.iter().map(|row| row.total()[0]).sum()
            );
            let kestrel = usage("Kestrel & Sons, \"Harbour\" Ltd.", month);
            assert!(kestrel.iter().any(|row| row.item.is_range && row.production[1] > 0));
            assert!(kestrel.iter().any(Usage::is_zero));
            assert!(usage("株式会社さくら", month).iter().all(|row| row.production == [0; 2] && row.trial[0] > 0));
            assert!(usage("Birch Logistics, Inc.", month).iter().any(|row| row.production[1] < 0));
        }
    }

    #[test]
    fn partner_has_the_sum_of_tenants_below() {
        let storage = |name: &str| {
            let rows = usage(name, "2026-10");
            rows.iter().filter(|row| row.item.name == "pg_base_storage").map(|row| row.total()[0]).sum::<i64>()
        };
        let below = ["Dune Bakery", "Elm & Ødegård AS", "Fjord Kiosk"].map(storage);
        assert_eq!(storage("Cedar MSP"), below.iter().sum::<i64>());
        assert_eq!(storage("Bakeries; \"hot & cold\""), below[0] + below[2]);
        let cedar = usage("Cedar MSP", "2026-10");
        assert_eq!(cedar.iter().filter(|row| row.item.name == "pg_base_storage").count(), 2, "by component");
        let count = cedar.iter().find(|row| row.item.name == "euc_count").unwrap();
        assert_eq!((count.production, count.trial), ([2, 0], [1, 0]));
    }

    #[test]
    fn no_usage_before_the_epoch() {
        let span = Span::summary(day("2014-01-01"), day("2014-12-31"), day("2026-01-01"));
        assert!(Tree::of_tests().usage(0, span).iter().all(Usage::is_zero));
    }

    #[test]
    fn production_is_charged_and_trial_is_not() {
        let cedar = usage("Cedar MSP", "2026-10");
        let storage = cedar.iter().find(|row| row.item.name == "pg_base_storage").unwrap();
        assert_eq!(storage.charged(Licensing::PerDevice), Some(storage.production[0]));
        assert!(storage.trial[0] > 0);
        let range = cedar.iter().find(|row| row.item.is_range).unwrap();
        assert_eq!(range.charged(Licensing::PerDevice), Some(range.production[1]));
    }

    #[test]
    fn per_gigabyte_charges_all_storage_and_no_devices() {
        let cedar = usage("Cedar MSP", "2026-10");
        let is_charged = |name: &str, licensing| {
            let mut rows = cedar.iter().filter(|row| row.item.name == name);
            rows.all(|row| row.charged(licensing).is_some_and(|charged| charged > 0))
        };
        for (name, per_device, per_gigabyte) in [
            // Also in the partner's own component.
            ("pg_base_storage", true, true),
            ("local_storage", false, true),
            ("servers", true, false),
            ("pg_base_workstations", false, false),
            ("notarizations", true, true),
            ("total_storage", false, false),
        ] {
            assert!(cedar.iter().any(|row| row.item.name == name), "{name}");
            assert_eq!(is_charged(name, Licensing::PerDevice), per_device, "{name}");
            assert_eq!(is_charged(name, Licensing::PerGigabyte), per_gigabyte, "{name}");
        }
    }

    #[test]
    fn customer_leaving_trial_has_trial_and_production_usage() {
        let modes = |month: &str| {
            let rows = usage("Heron Vets", month);
            let points = rows.iter().find(|row| row.item.is_range).unwrap();
            let seats = rows.iter().find(|row| row.item.name == "pw_base_workstations").unwrap();
            [points.production[1] > 0, points.trial[1] > 0, seats.production[0] > 0, seats.trial[0] > 0]
        };
        assert_eq!(modes("2026-09"), [false, true, false, true]);
        assert_eq!(modes("2026-10"), [true, true, true, false]);
        assert_eq!(modes("2026-11"), [true, false, true, false]);
    }

    #[test]
    fn bytes_and_seconds_are_billed_in_larger_units() {
        for (unit, raw, quantity, name) in [
            (Unit::Bytes, 881_205_362_688, "820.6864471435546875", "GiB"),
            (Unit::Bytes, -536_870_912, "-0.5", "GiB"),
            (Unit::Seconds, 1_234_560, "342.93", "compute points"),
            (Unit::Seconds, 18, "0.01", "compute points"),
            (Unit::Seconds, 17, "0", "compute points"),
            (Unit::Seconds, -18, "-0.01", "compute points"),
            (Unit::Pieces, 3, "3", "units"),
        ] {
            let (billed, unit) = unit.billed(raw);
            assert_eq!((billed.to_string().as_str(), unit), (quantity, name), "{raw}");
        }
    }
}
