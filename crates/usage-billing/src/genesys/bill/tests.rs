use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::genesys::charge::ChargedItem;
use crate::genesys::test_support::{more, number, text};

/// Cases of `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    about: String,
    #[serde(default)]
    terms: Vec<StatedTerms>,
    cases: Vec<Vec<Vec<Value>>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct StatedTerms {
    subscription: Option<String>,
    currency: bool,
    whole_month: bool,
    ramp: String,
}

impl Default for StatedTerms {
    fn default() -> Self {
        let (subscription, ramp) = (Some("PREPAY_MONTHLY_COMMITMENT".to_owned()), "outside".to_owned());
        Self { subscription, currency: true, whole_month: true, ramp }
    }
}

impl StatedTerms {
    fn terms(&self) -> Terms {
        Terms {
            has_currency: self.currency,
            is_whole_month: self.whole_month,
            subscription: self.subscription.as_deref().map(SubscriptionType::from),
            ramp: match self.ramp.as_str() {
                "inside" => RampPeriod::Inside,
                "outside" => RampPeriod::Outside,
                "unclear" => RampPeriod::Unclear,
                other => panic!("{other}"),
            },
        }
    }
}

/// Returns a charge as `cases.yaml` states it, and whether it can be read.
fn stated(position: u64, fields: &[Value]) -> (Charge, bool) {
    let more = more(fields, 4, &["part", "unit", "bundle", "price", "prepaid_price", "third_party", "unread"]);
    let quantity = |index: usize| fields.get(index).and_then(number).unwrap_or_default();
    let price = |field: &str, default: &str| more.get(field).map_or_else(|| default.parse().ok(), number);
    let name = text(&fields[0]);
    let item = ChargedItem {
        position,
        part_number: more.get("part").map_or_else(|| name.clone(), text),
        grouping: text(&fields[1]),
        unit: more.get("unit").map_or_else(|| "minute".to_owned(), text),
        name,
    };
    let charge = Charge {
        item,
        usage_quantity: quantity(2),
        prepaid_quantity: quantity(3),
        prepaid_price: price("prepaid_price", "0.20"),
        overage_price: price("price", "0.25"),
        bundle_quantity: more.get("bundle").and_then(number),
        is_third_party: more.get("third_party").map_or(Some(false), Value::as_bool),
    };
    (charge, !more.contains_key("unread"))
}

/// Returns the lines of charges in this order, by their positions.
fn bill(charges: &[(Charge, bool)], terms: &Terms) -> BTreeMap<u64, String> {
    let (readable, unread): (Vec<_>, Vec<_>) = charges.iter().partition(|(_, is_readable)| *is_readable);
    let unread: Vec<_> = unread.iter().map(|(charge, _)| &charge.item).collect();
    let readable: Vec<_> = readable.into_iter().map(|(charge, _)| charge.clone()).collect();
    let lines = lines(readable.clone(), &unread, terms);
    let positions = lines.iter().map(|line| line.charge.item.position);
    assert!(positions.eq(readable.iter().map(|charge| charge.item.position)), "{lines:?}");
    lines.iter().map(|line| (line.charge.item.position, written(line))).collect()
}

fn written(line: &BillLine) -> String {
    let number = |number: Option<Decimal>| number.map_or("?".to_owned(), |number| number.to_string());
    let amounts = [line.prepaid_amount, line.overage_amount, line.amount];
    let [prepaid, beyond, amount] = amounts.map(|amount| number(amount.map(|amount| amount.normalize())));
    let overage = number(line.overage_quantity);
    let included = line.included_quantity;
    let numbers = format!("included {included}, overage {overage}, {prepaid} + {beyond} = {amount}");
    let numbers = if line.role.is_charged() { format!(": {numbers}") } else { String::new() };
    let reasons: String = line.see_invoice.iter().map(|reason| format!("; {reason:?}")).collect();
    format!("{:?}, {}{numbers}{reasons}", line.role, line.billing_reason())
}

#[test]
fn bills_of_all_cases_are_those_of_the_snapshot() {
    let groups: Vec<Group> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
    let mut snapshot = String::new();
    for Group { about, terms, cases } in &groups {
        snapshot += &format!("\n# {about}\n");
        let terms = if terms.is_empty() { &vec![StatedTerms::default()] } else { terms };
        for terms in terms {
            snapshot += &format!("{terms:?}\n");
            for case in cases {
                let mut charges: Vec<_> = case.iter().zip(1..).map(|(fields, at)| stated(at, fields)).collect();
                let found = bill(&charges, &terms.terms());
                for turn in 0..2 * case.len() {
                    if turn == case.len() {
                        charges.reverse();
                    }
                    charges.rotate_left(1);
                    assert_eq!(bill(&charges, &terms.terms()), found, "{about}: {case:?} depends on the order");
                }
                for (fields, at) in case.iter().zip(1..) {
                    let line = found.get(&at).map_or("unreadable", String::as_str);
                    snapshot +=
                        &format!("{}{} -> {line}\n", if at == 1 { "- " } else { "  " }, Value::from(fields.clone()));
                }
            }
        }
    }
    insta::assert_snapshot!(snapshot);
}

#[test]
fn sums_and_products_are_exact_or_none() {
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    for (of, one, other, expected) in [
        (exact_sum as fn(Decimal, Decimal) -> Option<Decimal>, "62.50", "250", Some("312.50")),
        (exact_sum, "1", "-1", Some("0")),
        // 30 digits.
        (exact_sum, "7000000000000000000000000000", "0.05", None),
        (exact_sum, "0.05", "-7000000000000000000000000000", None),
        (exact_sum, "79228162514264337593543950335", "1", None),
        (exact_product, "11500", "0.01", Some("115.00")),
        (exact_product, "20451.5", "0.0119", Some("243.37285")),
        (exact_product, "0", "0.01", Some("0.00")),
        // 29 places.
        (exact_product, "0.00000000000001", "0.000000000000001", None),
        (exact_product, "79228162514264337593543950335", "10", None),
    ] {
        let found = of(decimal(one), decimal(other)).map(|number| number.to_string());
        assert_eq!(found.as_deref(), expected, "{one} {other}");
    }
}

fn charges() -> impl Strategy<Value = Vec<Charge>> {
    let name = prop::sample::select(vec!["A", "B", "C"]);
    let grouping = prop::sample::select(vec![
        "user-license",
        "resource",
        "storage",
        "storage-category",
        "fair-use",
        "rollup",
        "rollup-usage",
        "surprise",
    ]);
    let one = (name, grouping, 0i64..2000, 0u32..3, 0i64..1000, prop::option::of(0i64..3), 0i64..3);
    prop::collection::vec(one, 0..8).prop_map(|charges| {
        let placed = charges.into_iter().zip(1..);
        placed
            .map(|((name, grouping, usage, places, prepaid, bundle, price), position)| Charge {
                usage_quantity: Decimal::new(usage, places),
                prepaid_quantity: prepaid.into(),
                overage_price: Some(Decimal::new(price, 2)),
                bundle_quantity: bundle.map(Into::into),
                ..stated(position, &[Value::from(name), Value::from(grouping)]).0
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_usage_is_counted_twice_or_negative(charges in charges()) {
        let found = lines(charges.clone(), &[], &StatedTerms::default().terms());
        prop_assert_eq!(found.len(), charges.len());
        let allowances: Decimal = charges.iter().filter(|charge| charge.item.grouping == "fair-use").map(|charge| charge.usage_quantity).sum();
        let included: Decimal = found.iter().map(|line| line.included_quantity).sum();
        prop_assert!(included <= allowances, "an allowance is taken off once");
        for line in &found {
            let usage = line.charge.usage_quantity;
            prop_assert!(line.included_quantity >= Decimal::ZERO);
            if let Some(overage) = line.overage_quantity {
                prop_assert!(overage >= Decimal::ZERO && overage <= usage);
                let covered = line.charge.prepaid_quantity + line.included_quantity;
                prop_assert_eq!(overage + covered.min(usage), usage);
            }
            if let (Some(prepaid), Some(overage)) = (line.prepaid_amount, line.overage_amount) {
                prop_assert_eq!(line.amount, Some(prepaid + overage));
            }
            let is_silent = line.amount.is_some() || !line.role.is_charged() || !line.see_invoice.is_empty();
            prop_assert!(is_silent, "an unknown amount has a reason");
            let not_charged = ["fair-use", "rollup-usage"].contains(&line.charge.item.grouping.as_str());
            prop_assert!(!(not_charged && (line.is_billable() == Some(true) || line.amount.is_some())));
        }
        let has_total = charges.iter().any(|charge| charge.item.grouping == "rollup");
        let has_storage = charges.iter().any(|charge| charge.item.grouping == "storage");
        for line in found.iter().filter(|line| line.is_billable() == Some(true)) {
            prop_assert!(!(has_total && line.role == ChargeRole::Part));
            prop_assert!(!(has_storage && line.charge.item.grouping == "storage-category"));
        }
    }

    #[test]
    fn order_of_charges_changes_no_line((charges, shuffled) in charges().prop_flat_map(|charges| (Just(charges.clone()), Just(charges).prop_shuffle()))) {
        let billing = |charges: Vec<Charge>| {
            let found = lines(charges, &[], &StatedTerms::default().terms());
            let summary = |line: &BillLine| (line.is_billable(), line.included_quantity, line.overage_quantity, line.amount);
            found.iter().map(|line| (line.charge.item.position, summary(line))).collect::<BTreeMap<_, _>>()
        };
        prop_assert_eq!(billing(charges), billing(shuffled));
    }
}
