//! Rows from the sums, once all rows of the report were added.

use std::collections::HashMap;
use std::collections::HashSet;

use usage_billing_core::Result;

use super::contained_items::{contained_items, item_of};
use super::{UsageAggregator, is_evidence};
use crate::acronis::account::facts::AccountFacts;
use crate::acronis::account::tenant_kinds::Inclusion;
use crate::acronis::billing::hosting::Host;
use crate::acronis::billing::item_names;
use crate::acronis::billing::rule::{self, Item, SeenItems};
use crate::acronis::usage::report_context::ReportContext;
use crate::acronis::usage::sums::{Key, Sum, string_bytes};
use crate::memory_limit::{ROW, SLOT};
use crate::rows::identity::disambiguate_keys;
use crate::{BillingReason, UsageRow};

impl UsageAggregator<'_> {
    /// Returns the rows and their size in bytes.
    pub(crate) fn rows(mut self, facts: &AccountFacts) -> Result<(Vec<UsageRow>, usize)> {
        // Hosts and kinds of tenants are known once all rows were added.
        self.numbers.clear();
        self.strings = HashSet::new();
        let mut hosted = self.hosted_sums(facts)?;
        if hosted.is_empty() {
            self.kinds.require_customers(&facts.tenant_kinds)?;
        }
        // Rows are large: unneeded data is dropped before they are created, and each sum with its row.
        drop(std::mem::take(&mut self.owners));
        hosted.sort_unstable_by(|one, other| {
            let names = one.2.first.tenant_name.cmp(&other.2.first.tenant_name);
            names.then_with(|| (&one.0, one.1).cmp(&(&other.0, other.1)))
        });
        let context = ReportContext::new(self.file)?;
        let has_others = hosted.iter().any(|(key, ..)| is_evidence(key) && *key.tenant_id != *context.account);
        // Only rows that count: the own row of a partner states nothing about its customers.
        let counts = |key: &&Key| is_evidence(key) && (!has_others || *key.tenant_id != *context.account);
        let mut has_skus = false;
        let (mut seen, mut by_tenant) = (SeenItems::default(), HashMap::<_, SeenItems>::new());
        for key in hosted.iter().map(|(key, ..)| key).filter(counts) {
            has_skus |= key.sku.is_some();
            seen.add(&key.name);
            by_tenant.entry(key.tenant_id.clone()).or_default().add(&key.name);
        }
        let nothing = SeenItems::default();
        let contained = contained_items(&hosted, &context.account);
        let account_name = self.account_name.take().or_else(|| facts.account_name.clone());
        let mut rows = Vec::with_capacity(hosted.len());
        for (key, host, sum) in hosted {
            let is_own = *key.tenant_id == *context.account;
            for (place, (mode, quantity, price)) in sum.parts.by_mode().enumerate() {
                if place > 0 {
                    self.keep(ROW + SLOT + string_bytes(&key, &sum), sum.first.number)?;
                }
                let item = Item {
                    name: &key.name,
                    measurement_unit: key.measurement_unit.as_deref(),
                    edition: key.edition.as_deref(),
                    has_sku: (has_skus || key.sku.is_some()).then_some(key.sku.is_some()),
                    host,
                    mode,
                    seen: &seen,
                    of_tenant: by_tenant.get(&key.tenant_id).unwrap_or(&nothing),
                    licensing_mode: facts.licensing_mode,
                };
                let never_charged = item_names::never_charged(&key.name, item.measurement_unit);
                let is_beside_others = has_others && is_own;
                let is_contained = is_beside_others && contained.contains(&item_of(&key));
                let total = is_contained.then_some(BillingReason::TotalOfRows);
                let reason = never_charged.or(total).or(context.reason()).unwrap_or_else(|| rule::reason(&item));
                let reason = match reason.is_billable() {
                    _ if sum.parts.contradict && matches!(reason, BillingReason::Usage | BillingReason::Trial) => {
                        BillingReason::ContradictoryColumns
                    }
                    Some(true) if item_names::contradicts_unit(&key.name, item.measurement_unit) => {
                        BillingReason::ContradictoryColumns
                    }
                    Some(true) if sum.is_of_unknown_kind || is_beside_others => BillingReason::UnknownTenantKind,
                    Some(true) if context.may_be_early() => BillingReason::UnknownReportDate,
                    _ => reason,
                };
                let mut row = context.row(&key, &sum, (mode, host), quantity, price, reason)?;
                row.account_name = account_name.clone();
                facts.prices.apply(&mut row)?;
                rows.push(row);
            }
        }
        Ok((disambiguate_keys(rows), self.memory.kept()))
    }

    /// Takes the sums that count, with the host of each: sums of components with the same host are added up.
    fn hosted_sums(&mut self, facts: &AccountFacts) -> Result<Vec<(Key, Host, Sum)>> {
        let tenants = self.sums.keys().filter(|(key, _)| is_evidence(key)).map(|(key, _)| &*key.tenant_id);
        let mut others = tenants.filter(|tenant| **tenant != *self.account);
        let first = others.next();
        let is_among_others = others.any(|tenant| Some(tenant) != first);
        let mut hosted: Vec<(Key, Host, Sum)> = Vec::with_capacity(self.sums.len());
        for ((key, component), mut sum) in std::mem::take(&mut self.sums) {
            match self.kinds.inclusion(&key.tenant_id, &sum.first.tenant_kind, &facts.tenant_kinds) {
                Inclusion::Excluded => continue,
                Inclusion::Included(kind) => sum.first.tenant_kind = kind,
                Inclusion::Unknown => sum.is_of_unknown_kind = is_among_others,
            }
            let host = self.owners.host(component.as_ref(), &facts.ownership);
            // Sums of one key are adjacent.
            let mut of_key = hosted.iter_mut().rev().take_while(|(before, ..)| *before == key);
            match of_key.find(|(_, before, _)| *before == host) {
                Some((.., before)) => before.add(sum.parts, &sum.first, &key.name, &key.tenant_id)?,
                None => hosted.push((key, host, sum)),
            }
        }
        Ok(hosted)
    }
}
