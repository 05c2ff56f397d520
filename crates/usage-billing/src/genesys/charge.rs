//! Charges of a billing overview, each read on its own, so that one unreadable charge hides no other.

use std::collections::HashMap;
use std::hash::Hash;

use usage_billing_core::{Decimal, Error, ErrorKind, LenientDecimal, printable};

use super::types;
use crate::rows::loadable;

/// The operation that returns a billing overview.
pub(super) const OPERATION: &str = "getBillingTrusteebillingoverviewTrustorOrgId";

/// One charge of a billing overview.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Charge {
    /// The item that is charged for.
    pub item: ChargedItem,
    /// Quantity used in the period. For an allowance, the free quantity.
    pub usage_quantity: Decimal,
    /// Quantity committed and prepaid.
    pub prepaid_quantity: Decimal,
    /// Price of one prepaid unit before tax.
    pub prepaid_price: Option<Decimal>,
    /// Price of one unit beyond the prepaid quantity, before tax.
    pub overage_price: Option<Decimal>,
    /// Units in a bundle. 0 and 1 mean that there are no bundles.
    pub bundle_quantity: Option<Decimal>,
    /// Whether it is another company's product.
    pub is_third_party: Option<bool>,
}

/// The item that a charge is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChargedItem {
    /// Position in the overview, from 1.
    pub position: u64,
    /// Name of the product; its part number if the overview contains no name.
    pub name: String,
    /// Part number of the product; its name if the overview contains no part number.
    pub part_number: String,
    /// The vendor's grouping, as sent.
    pub grouping: String,
    /// Unit of the quantities, as sent.
    pub unit: String,
}

/// A charge that cannot be read. Its item is known as far as the overview states it.
#[derive(Debug)]
#[non_exhaustive]
pub struct UnreadableCharge {
    /// The item that is charged for.
    pub item: ChargedItem,
    /// The error, which names the invalid field.
    pub error: Error,
}

/// Meaning of the vendor's groupings, as far as public sources state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    /// A licence of the vendor's software.
    Licence,
    /// Any other separate charge: devices, resources, messages, storage.
    Other,
    /// Storage by category: whether it is contained in `storage` is not documented.
    StorageCategory,
    /// An allowance.
    FairUse,
    /// The total of the `rollup-usage` charges.
    Rollup,
    /// A part of a total.
    RollupUsage,
    Unknown,
}

impl Charge {
    /// Returns the units in a bundle, if it is sold in bundles.
    pub(super) fn bundle(&self) -> Option<Decimal> {
        self.bundle_quantity.filter(|bundle| !bundle.is_zero() && *bundle != Decimal::ONE)
    }

    /// Returns what charges that repeat each other have in common: product, unit, numbers and prices. Spelling does not distinguish them.
    pub(super) fn content(&self) -> impl Eq + Hash + use<> {
        let strings = [&self.item.name, &self.item.part_number, &self.item.unit].map(|text| text.to_lowercase());
        (strings, self.usage_quantity, self.prepaid_quantity, self.prepaid_price, self.overage_price, self.bundle())
    }

    /// Returns whether another charge of the overview with the same [`content`](Self::content) is the same one. The grouping of charges that are not
    /// totals, parts or allowances does not distinguish them; but storage of one category has the numbers of all `storage`.
    pub(super) fn is_repeated_by(&self, other: &Self) -> bool {
        let has_same_grouping = self.item.grouping().is_single() && other.item.grouping().is_single()
            || is_same(&self.item.grouping, &other.item.grouping);
        let is_category_of = |one: &Self, other: &Self| {
            one.item.grouping() == Grouping::StorageCategory && is_same(&other.item.grouping, "storage")
        };
        let is_third_party = self.is_third_party.zip(other.is_third_party);
        self.item.position != other.item.position
            && has_same_grouping
            && !is_category_of(self, other)
            && !is_category_of(other, self)
            && is_third_party.is_none_or(|(one, other)| one == other)
    }
}

/// Returns for each charge whether another one repeats it.
pub(super) fn are_repeated(charges: &[Charge]) -> Vec<bool> {
    let contents: Vec<_> = charges.iter().map(Charge::content).collect();
    let mut by_content: HashMap<_, Vec<&Charge>> = HashMap::new();
    for (charge, content) in charges.iter().zip(&contents) {
        by_content.entry(content).or_default().push(charge);
    }
    let is_repeated = |(charge, content): (&Charge, _)| {
        by_content.get(content).is_some_and(|others| others.iter().any(|other| charge.is_repeated_by(other)))
    };
    charges.iter().zip(&contents).map(is_repeated).collect()
}

impl Grouping {
    /// Returns whether it is of separate charges.
    fn is_single(self) -> bool {
        matches!(self, Self::Licence | Self::Other | Self::StorageCategory)
    }
}

impl ChargedItem {
    pub(super) fn grouping(&self) -> Grouping {
        match self.grouping.trim().to_ascii_lowercase().as_str() {
            "user-license"
            | "billable-app-usage-license"
            | "billable-app-concurrent-license"
            | "billable-app-org-license" => Grouping::Licence,
            "device" | "resource" | "messaging" | "messaging-usage" | "storage" => Grouping::Other,
            "storage-category" => Grouping::StorageCategory,
            "fair-use" => Grouping::FairUse,
            "rollup" => Grouping::Rollup,
            "rollup-usage" => Grouping::RollupUsage,
            _ => Grouping::Unknown,
        }
    }
}

/// Returns whether two of the vendor's strings name the same thing.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

/// Reads the charge at `position` of the overview of `organization`.
///
/// An empty price or bundle is absent. A quantity that is absent, null or empty makes the charge unreadable.
pub(super) fn read(
    usage: &types::SubscriptionOverviewUsage,
    position: u64,
    organization: &str,
) -> Result<Charge, Box<UnreadableCharge>> {
    let string = |field: &Option<String>| field.as_deref().map(str::trim).unwrap_or_default().to_owned();
    let (name, part_number) = (string(&usage.name), string(&usage.part_number));
    let named = if name.is_empty() { &part_number } else { &name };
    let item = ChargedItem {
        position,
        part_number: if part_number.is_empty() { named.clone() } else { part_number.clone() },
        name: named.clone(),
        grouping: string(&usage.grouping),
        unit: string(&usage.unit_of_measure_type),
    };
    let unreadable = |reason: String| {
        let label = match named.as_str() {
            "" => String::new(),
            _ if part_number.is_empty() || part_number == *named => format!(" ({named})"),
            _ => format!(" ({named}, {part_number})"),
        };
        let message =
            format!("charge {position}{} of organization {}: {reason}", printable(&label), printable(organization));
        let error = Error::new(ErrorKind::Decode, message).with_operation(OPERATION);
        Box::new(UnreadableCharge { item: item.clone(), error })
    };
    if named.is_empty() {
        return Err(unreadable("it has neither a name nor a part number".to_owned()));
    }
    let optional = |field: &str, number: &Option<LenientDecimal>| {
        let value = number.as_ref().map_or(Ok(None), LenientDecimal::value);
        value.map_err(|reason| unreadable(format!("{field} is {reason}")))
    };
    let quantity = |field: &str, number: &Option<LenientDecimal>| match (number, optional(field, number)?) {
        (_, Some(quantity)) => Ok(quantity),
        (None, None) => Err(unreadable(format!("{field} is missing or null"))),
        (Some(_), None) => Err(unreadable(format!("{field} is empty"))),
    };
    let price = |field: &str, number: &Option<LenientDecimal>| match optional(field, number)? {
        Some(price) if !loadable::unit_price_fits(price) => {
            Err(unreadable(format!("{field} {price} does not fit DECIMAL(38,12)")))
        }
        price => Ok(price),
    };
    let usage_quantity = quantity("usageQuantity", &usage.usage_quantity)?;
    // An allowance and a part of a total have no prepaid quantity of their own.
    let prepaid_quantity = match item.grouping() {
        Grouping::FairUse | Grouping::RollupUsage => {
            optional("prepayQuantity", &usage.prepay_quantity)?.unwrap_or_default()
        }
        _ => quantity("prepayQuantity", &usage.prepay_quantity)?,
    };
    Ok(Charge {
        usage_quantity,
        prepaid_quantity,
        prepaid_price: price("prepayPrice", &usage.prepay_price)?,
        overage_price: price("overagePrice", &usage.overage_price)?,
        bundle_quantity: optional("bundleQuantity", &usage.bundle_quantity)?,
        is_third_party: usage.is_third_party,
        item,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(change: Value) -> Result<Charge, String> {
        let mut usage = json!({
            "name": "CX 1", "partNumber": "GC-CX1", "grouping": "user-license", "unitOfMeasureType": "seat",
            "usageQuantity": "5", "prepayQuantity": "3", "overagePrice": "10.00", "prepayPrice": "9.00",
        });
        for (field, value) in change.as_object().unwrap() {
            usage[field] = value.clone();
        }
        read(&serde_json::from_value(usage).unwrap(), 4, "o-1").map_err(|unreadable| unreadable.error.to_string())
    }

    #[test]
    fn empty_price_or_bundle_is_absent() {
        let charge = parse(json!({"overagePrice": "", "prepayPrice": " ", "bundleQuantity": ""})).unwrap();
        assert_eq!((charge.overage_price, charge.prepaid_price, charge.bundle_quantity), (None, None, None));
        assert_eq!(parse(json!({"overagePrice": null})).unwrap().overage_price, None);
        assert_eq!(parse(json!({"usageQuantity": 5.5})).unwrap().usage_quantity.to_string(), "5.5");
    }

    #[test]
    fn storage_is_not_repeated_by_its_only_category() {
        let charged_item = |grouping: &str, position| {
            let mut charge = parse(json!({"grouping": grouping})).unwrap();
            charge.item.position = position;
            charge
        };
        for (one, other, is_repeated) in [
            ("storage", "Storage-Category", false),
            ("storage", "storage", true),
            ("storage", "resource", true),
            ("storage-category", "storage-category", true),
            ("storage-category", "resource", true),
        ] {
            let (one, other) = (charged_item(one, 1), charged_item(other, 2));
            assert_eq!((one.is_repeated_by(&other), other.is_repeated_by(&one)), (is_repeated, is_repeated));
        }
    }

    #[test]
    fn unreadable_number_error_names_charge_and_field() {
        for (change, expected) in [
            (
                json!({"usageQuantity": null}),
                "charge 4 (CX 1, GC-CX1) of organization o-1: usageQuantity is missing or null",
            ),
            (json!({"usageQuantity": ""}), "usageQuantity is empty"),
            (json!({"prepayQuantity": null}), "prepayQuantity is missing or null"),
            (json!({"usageQuantity": "1,250"}), "usageQuantity is not a decimal number: 1,250"),
            (json!({"overagePrice": "n/a"}), "overagePrice is not a decimal number: n/a"),
            (json!({"bundleQuantity": {"of": 3}}), "bundleQuantity is not a decimal number"),
            (
                json!({"overagePrice": "100000000000000000000000000"}),
                "overagePrice 100000000000000000000000000 does not fit DECIMAL(38,12)",
            ),
            (json!({"usageQuantity": "1e400"}), "usageQuantity is not a decimal number"),
            (json!({"name": null, "usageQuantity": null}), "charge 4 (GC-CX1) of organization"),
            (
                json!({"name": "", "partNumber": " "}),
                "charge 4 of organization o-1: it has neither a name nor a part number",
            ),
        ] {
            let error = parse(change.clone()).unwrap_err();
            assert!(error.contains(expected), "{change}: {error}");
        }
    }

    #[test]
    fn allowance_needs_no_prepaid_quantity() {
        assert!(parse(json!({"grouping": "fair-use", "prepayQuantity": null})).is_ok());
        assert!(parse(json!({"grouping": " Rollup-Usage ", "prepayQuantity": null})).is_ok());
        assert!(parse(json!({"grouping": "rollup", "prepayQuantity": null})).is_err());
    }
}
