//! Charges of contracts in the short form of the cases of tests.

use serde::Deserialize;
use serde_json::{Map, Value};
use usage_billing_core::Decimal;

use super::{ContractCharge, Organization};
use crate::UsageRow;

pub(super) const LATER: &str = "2026-11-21T12:00:00Z";

/// Cases of a `cases.yaml`, which explains them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    about: String,
    cases: Vec<Value>,
}

/// Returns the outcomes of all cases, with their numbers in their section, as the text of a snapshot.
pub(super) fn outcomes(yaml: &str, outcome: impl Fn(usize, &Value) -> String) -> String {
    let mut text = String::new();
    for Section { about, cases } in serde_saphyr::from_str::<Vec<Section>>(yaml).unwrap() {
        text += &format!("\n# {about}\n");
        text.extend(cases.iter().zip(1..).map(|(case, number)| outcome(number, case)));
    }
    text
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn number(value: &Value) -> Option<Decimal> {
    (!value.is_null()).then(|| text(value).parse().unwrap())
}

pub(super) fn charge(organizations: &[&str], overage: &str, amount: &str) -> ContractCharge {
    ContractCharge {
        id: None,
        contract: "CN-1".to_owned(),
        position: 3,
        period: "2026-10".parse().unwrap(),
        is_closed: true,
        organizations: organizations.iter().map(|id| Organization::new(*id, Some(format!("Org {id}")))).collect(),
        part_number: "GC-VTR".to_owned(),
        name: "Voice Transcription".to_owned(),
        unit: Some("Minute".to_owned()),
        prepaid_quantity: Some(Decimal::ZERO),
        fair_use_quantity: Some(Decimal::from(50_000)),
        actual_quantity: Some(Decimal::from(61_500)),
        overage_quantity: Some(overage.parse().unwrap()),
        overage_rate: Some("0.01".parse().unwrap()),
        overage_charge: Some(amount.parse().unwrap()),
        currency: Some("EUR".to_owned()),
        converted_token_count: None,
        is_wallet: false,
    }
}

/// Returns the fields that a charge of `cases.yaml` states last, at this index, all of which are known.
pub(super) fn more(charge: &[Value], index: usize, known: &[&str]) -> Map<String, Value> {
    let more = charge.get(index).map_or_else(Map::new, |more| more.as_object().unwrap().clone());
    let is_known = charge.len() <= index + 1 && more.keys().all(|field| known.contains(&field.as_str()));
    assert!(is_known, "{charge:?}");
    more
}

/// Returns a charge of a contract as `cases.yaml` states it.
pub(super) fn contract_charge(fields: &[Value]) -> ContractCharge {
    let (overage_quantity, overage_charge) = (number(&fields[0]), number(&fields[1]));
    let mut charge = ContractCharge { overage_quantity, overage_charge, ..charge(&["o-1"], "0", "0") };
    assert!(fields.len() <= 3, "{fields:?}");
    for (field, value) in fields.get(2).into_iter().flat_map(|more| more.as_object().unwrap()) {
        match field.as_str() {
            "organizations" => {
                let ids = value.as_array().unwrap().iter();
                charge.organizations =
                    ids.map(|id| Organization::new(text(id), Some(format!("Org {}", text(id))))).collect();
            }
            "part" => charge.part_number = text(value),
            "name" => charge.name = text(value),
            "unit" => charge.unit = value.as_str().map(str::to_owned),
            "closed" => charge.is_closed = value.as_bool().unwrap(),
            "fair_use" => charge.fair_use_quantity = number(value),
            "id" => charge.id = Some(text(value)),
            "contract" => charge.contract = text(value),
            "period" => charge.period = text(value).parse().unwrap(),
            "currency" => charge.currency = value.as_str().map(str::to_owned),
            "prepaid" => charge.prepaid_quantity = number(value),
            "actual" => charge.actual_quantity = number(value),
            "rate" => charge.overage_rate = number(value),
            "converted" => charge.converted_token_count = number(value),
            "wallet" => charge.is_wallet = value.as_bool().unwrap(),
            other => panic!("{other}"),
        }
    }
    charge
}

/// Returns the columns of a row that are not empty, but for its key.
pub(super) fn columns(row: &UsageRow) -> String {
    let json = serde_json::to_value(row).unwrap();
    let columns = UsageRow::COLUMNS.into_iter().filter(|column| *column != "row_key" && !json[column].is_null());
    columns.map(|column| format!("{column}={}", json[column])).collect::<Vec<_>>().join(" ")
}
