//! Reports in the short form of the cases of tests.

use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) type Fields = Map<String, Value>;

/// Details of reports that cases state as Suger does.
const DETAILS: &str = "status message startTime endTime reportedRecords includedRecords creditRecords decimalParts \
    newDecimalParts recordsToReportBeforeAdjustmentAtListPrice aggregatedBillableRecords awsMeteringResponse \
    azureMeteringResponse gcpMeteringResponse alibabaMeteringResponse alibabaInternationalMeteringResponse";

/// Cases of a YAML file. Each has the fields of each of `each` as well.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    about: String,
    #[serde(default)]
    each: Vec<Fields>,
    cases: Vec<Fields>,
}

impl Section {
    /// Returns what each case results in, as the text of a snapshot.
    pub(super) fn outcomes(sections: Vec<Self>, outcome: impl Fn(Fields) -> String) -> String {
        let mut text = String::new();
        for Self { about, each, cases } in sections {
            text += &format!("\n# {about}\n");
            let each = if each.is_empty() { vec![Fields::new()] } else { each };
            for (more, case) in each.iter().flat_map(|more| cases.iter().map(move |case| (more, case))) {
                let fields: Fields = more.clone().into_iter().chain(case.clone()).collect();
                text += &format!("{} -> {}\n", Value::Object(fields.clone()), outcome(fields));
            }
        }
        text
    }
}

/// Adds a marketplace without responses to the details of a report that state none.
pub(super) fn with_marketplace(mut info: Value) -> Value {
    let fields = info.as_object_mut().unwrap();
    if !fields.keys().any(|name| name == "partner" || name.ends_with("MeteringResponse")) {
        fields.insert("partner".to_owned(), json!("STRIPE"));
    }
    info
}

/// Returns the report `r-1` of seven o'clock on the first day, which succeeded, with other fields: `at` is the time at which it was made, `groups`
/// are the ids of its groups, and `aws` and `azure` the responses, each an array of dimension, status and quantity. Most fields are its details.
pub(super) fn report_json(fields: impl IntoIterator<Item = (String, Value)>) -> Value {
    let mut info = json!({"status": "SUCCESS"});
    let mut report = json!({"id": "r-1", "creationTime": "2026-10-01T07:00:00Z"});
    for (field, value) in fields {
        let each = |result: fn(&Value) -> Value| value.as_array().unwrap().iter().map(result).collect::<Vec<_>>();
        match field.as_str() {
            "id" | "entitlementID" | "entitlementTermID" | "partner" => report[field] = value,
            "at" => report["creationTime"] = value,
            "groups" => info["usageRecordGroupIds"] = value,
            "marketplace" => info["partner"] = value,
            "aws" => {
                let result =
                    |of: &Value| json!({"status": of[1], "usageRecord": {"dimension": of[0], "quantity": of.get(2)}});
                info["awsMeteringResponse"] = json!({"results": each(result)});
            }
            "azure" => {
                let event = |of: &Value| json!({"dimension": of[0], "status": of[1], "quantity": of.get(2)});
                info["azureMeteringResponse"] = json!({"result": each(event)});
            }
            name if DETAILS.split(' ').any(|known| known == name) => info[field] = value,
            other => panic!("{other}"),
        }
    }
    if report.get("partner").is_none() {
        report["partner"] = with_marketplace(info.clone())["partner"].take();
    }
    report["info"] = info;
    report
}
