//! Decides whether Acronis charges for a number. It is pure.
//!
//! The rule and its sources are in `docs/acronis.md`.

use crate::acronis::account::licensing_mode::LicensingMode;
use crate::acronis::billing::hosting::Host;
use crate::acronis::billing::item_names::{
    HCI_STORAGE, HCI_TOTAL, LOCAL_STORAGE, Licensing, SEAT_PARTS, SERVICES, STORAGE, WITHOUT_PREFIX, WORKLOADS, bit,
    is_stored, lacks_unit, never_charged, without_prefix,
};
use crate::{BillingReason, UsageMode};

/// The facts about a number once the complete report was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    /// The name with the prefix of the edition: `pw_base_storage`.
    pub(crate) name: &'a str,
    pub(crate) measurement_unit: Option<&'a str>,
    pub(crate) edition: Option<&'a str>,
    /// Whether it has a SKU; `None` in a report without SKUs.
    pub(crate) has_sku: Option<bool>,
    pub(crate) host: Host,
    pub(crate) mode: UsageMode,
    /// The items of the report.
    pub(crate) seen: &'a SeenItems,
    /// The items of the same tenant in the report.
    pub(crate) of_tenant: &'a SeenItems,
    /// The current licensing mode of the account, if it can be read. No source states whether the month of the report had the same mode.
    pub(crate) licensing_mode: Option<LicensingMode>,
}

/// Facts about the items of a report, or of a tenant in it.
#[derive(Debug, Default)]
pub(crate) struct SeenItems {
    /// Whether there are items of today's licensing: `pw_…`, `pg_…`, `pu_…`.
    is_modern: bool,
    /// Whether there are per-workload items: `pw_…`.
    has_workloads: bool,
    /// Whether there are per-gigabyte items: `pg_…`.
    has_gigabytes: bool,
    /// The workloads and storage that have items of today's licensing: a bit for each name.
    sold: u64,
}

impl SeenItems {
    pub(crate) fn add(&mut self, name: &str) {
        let (name, licensing) = without_prefix(name);
        if matches!(licensing, Licensing::Workloads | Licensing::Users | Licensing::Gigabytes) {
            self.is_modern = true;
            self.has_workloads |= licensing == Licensing::Workloads;
            self.has_gigabytes |= licensing == Licensing::Gigabytes;
            self.sold |= bit(name);
        }
    }

    /// Returns whether an item of today's licensing counts the same.
    fn contains(&self, name: &str) -> bool {
        self.sold & bit(name) != 0
    }

    /// Returns whether the items are of this licensing mode and none is of the other one. The month of the report had this mode then.
    fn confirm(&self, mode: LicensingMode) -> bool {
        (self.has_workloads, self.has_gigabytes)
            == (mode == LicensingMode::PerDevice, mode == LicensingMode::PerGigabyte)
    }
}

/// Returns why the vendor charges for the number or does not.
pub(crate) fn reason(item: &Item<'_>) -> BillingReason {
    if let Some(reason) = never_charged(item.name, item.measurement_unit) {
        return reason;
    }
    if item.mode == UsageMode::Trial {
        return BillingReason::Trial;
    }
    let (_, by_prefix) = without_prefix(item.name);
    let stated = charged_by(item, by_prefix);
    // The prefix of an item is of the month of the report, and takes precedence over the mode of today.
    let Some(mode) = item.licensing_mode.filter(|_| by_prefix.is_open()) else { return stated };
    let in_mode = charged_by(item, mode.into());
    match item.seen.confirm(mode) {
        true => in_mode,
        // The month may have had either mode.
        false if in_mode.is_billable() != stated.is_billable() => BillingReason::UnknownLicensing,
        false => stated,
    }
}

fn charged_by(item: &Item<'_>, licensing: Licensing) -> BillingReason {
    let (name, by_prefix) = without_prefix(item.name);
    let is_workload = WORKLOADS.contains(&name);
    let without_skus = match is_unnamed(item, by_prefix) && !SERVICES.contains(&name) {
        true => unnamed(item, name, licensing),
        false => by_licensing(item, name, licensing),
    };
    // An item of an edition without prefix, beside one of today's licensing that may count the same.
    let is_repeated = by_prefix == Licensing::Unprefixed && item.of_tenant.contains(name);
    let without_skus = match without_skus {
        BillingReason::Usage if is_repeated => BillingReason::UnknownItem,
        other => other,
    };
    let reason = match item.has_sku {
        // "Accounted, but not billed": a SKU does not change it.
        _ if is_workload && by_prefix == Licensing::Gigabytes => BillingReason::Included,
        // The mode or the other items state that devices are not charged, the SKU that they are sold.
        Some(true) if is_workload && (licensing == Licensing::Gigabytes || may_be_by_gigabyte(item, licensing)) => {
            BillingReason::UnknownLicensing
        }
        Some(true) if name == HCI_TOTAL => BillingReason::UnknownItem,
        Some(true) if SERVICES.contains(&name) => BillingReason::Usage,
        Some(true) => {
            let stored = is_stored(name).then(|| by_licensing(item, name, licensing));
            // A SKU is of the item on any host: it does not state who hosts the storage.
            match stored.unwrap_or_else(|| by_host(item.host, licensing)) {
                // The mode states that this storage is included, the SKU that it is sold.
                BillingReason::Included | BillingReason::PartnerHosted if by_prefix.is_open() => {
                    BillingReason::UnknownLicensing
                }
                reason => reason,
            }
        }
        // The mode states that all storage is charged; without a SKU it is not sold.
        Some(false) if is_stored(name) && (licensing, without_skus) == (Licensing::Gigabytes, BillingReason::Usage) => {
            BillingReason::UnknownLicensing
        }
        Some(false) => BillingReason::NotSold,
        None => without_skus,
    };
    // A number of a component may be of bytes or of pieces, and only storage depends on its host.
    let lacks_unit = item.host != Host::NoComponent && lacks_unit(item.name, item.measurement_unit);
    match reason {
        BillingReason::Usage | BillingReason::PartnerHosted if lacks_unit => BillingReason::UnknownItem,
        reason => reason,
    }
}

/// Returns whether neither prefix nor edition states the licensing of the item.
fn is_unnamed(item: &Item<'_>, by_prefix: Licensing) -> bool {
    by_prefix == Licensing::Unprefixed && item.edition.is_none_or(|edition| !WITHOUT_PREFIX.contains(&edition))
}

fn unnamed(item: &Item<'_>, name: &str, licensing: Licensing) -> BillingReason {
    let is_storage = is_stored(name);
    match is_storage || WORKLOADS.contains(&name) {
        true if name == LOCAL_STORAGE => unnamed_local_storage(item, licensing),
        true if name == HCI_STORAGE => BillingReason::UnknownItem,
        // In today's licensing, only items are sold, and these have a prefix. Only the tenant's own items show its licensing.
        true if item.of_tenant.is_modern => BillingReason::Counter,
        true if is_storage && item.edition.is_none() && !item.seen.is_modern => by_licensing(item, name, licensing),
        _ => BillingReason::UnknownItem,
    }
}

/// Decides about `local_storage` without a prefix. The vendor's billing module has a price for it, and none for such an item with a prefix: it is
/// the item that is charged per gigabyte.
fn unnamed_local_storage(item: &Item<'_>, licensing: Licensing) -> BillingReason {
    match licensing {
        Licensing::Gigabytes | Licensing::Workloads => by_licensing(item, LOCAL_STORAGE, licensing),
        // The prefixes of the other items replace the mode.
        _ if item.seen.is_modern && !item.seen.has_gigabytes => BillingReason::Included,
        _ => BillingReason::UnknownLicensing,
    }
}

fn by_licensing(item: &Item<'_>, name: &str, licensing: Licensing) -> BillingReason {
    use Licensing::{Gigabytes, Users, Workloads};
    match licensing {
        _ if SERVICES.contains(&name) => BillingReason::Usage,
        // No source states whether advanced packs are charged per gigabyte.
        Workloads if name.starts_with("pack_") => by_host(item.host, licensing),
        Workloads | Users if name == LOCAL_STORAGE => BillingReason::Included,
        Gigabytes if is_stored(name) => BillingReason::Usage,
        _ if name == LOCAL_STORAGE => BillingReason::UnknownLicensing,
        // A SKU is of a product, but public mappings count it and do not charge it, and the vendor's billing module has no price for it.
        _ if name == HCI_STORAGE => BillingReason::UnknownItem,
        _ if STORAGE.contains(&name) => by_host(item.host, licensing),
        Gigabytes if WORKLOADS.contains(&name) => BillingReason::Included,
        _ if SEAT_PARTS.contains(&name) => BillingReason::UnknownItem,
        _ if WORKLOADS.contains(&name) && may_be_by_gigabyte(item, licensing) => BillingReason::UnknownLicensing,
        _ if WORKLOADS.contains(&name) => BillingReason::Usage,
        _ => BillingReason::UnknownItem,
    }
}

/// Returns whether an item that does not state its licensing may be charged by gigabyte: if its own tenant has items by gigabyte, or if other
/// tenants have, and neither an item by device nor a SKU is evidence of devices. If its own tenant's items are all by device, it is not.
fn may_be_by_gigabyte(item: &Item<'_>, licensing: Licensing) -> bool {
    let is_sold_beside_devices = item.has_sku == Some(true) && item.seen.has_workloads;
    let in_report = item.seen.has_gigabytes && !is_sold_beside_devices;
    licensing.is_open()
        && !item.of_tenant.confirm(LicensingMode::PerDevice)
        && (item.of_tenant.has_gigabytes || in_report)
}

/// Decides about an item that is charged unless the partner hosts its storage. Other items than storage have no component.
fn by_host(host: Host, licensing: Licensing) -> BillingReason {
    match (host, licensing) {
        (Host::Vendor | Host::NoComponent, _) | (_, Licensing::Gigabytes) => BillingReason::Usage,
        (Host::Unknown, _) => BillingReason::UnknownHosting,
        (Host::Partner, Licensing::Workloads | Licensing::Users) => BillingReason::PartnerHosted,
        (Host::Partner, Licensing::Edition | Licensing::Unprefixed) => BillingReason::UnknownLicensing,
    }
}

#[cfg(test)]
mod tests;
