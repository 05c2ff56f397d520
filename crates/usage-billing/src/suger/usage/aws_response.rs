//! The response of AWS in a usage record report, in any spelling of its names: the document of Suger has camelCase, the
//! structs of AWS's SDK for Go, which have no JSON names, become PascalCase, and Go reads names in any case.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::suger::types::{AwsBatchMeterUsageOutput as Output, AwsUsageRecord, MeteringUsageRecordReportInfo as Info};

/// The names that decide about acceptance, as the document spells them.
const NAMES: [&str; 6] = ["results", "unprocessedRecords", "status", "usageRecord", "dimension", "quantity"];

/// Returns the response of AWS. A response that cannot be read in another spelling is returned as it is, and does not
/// mention what it has in that spelling.
///
/// # Errors
/// A message if it states different values in two spellings: it is unknown which of them count.
pub(super) fn aws_response(info: &Info) -> Option<Result<Cow<'_, Output>, String>> {
    let response = info.aws_metering_response.as_ref()?;
    let is_plain = |record: &AwsUsageRecord| record.extra.is_empty();
    let mut results = response.results.iter();
    if response.extra.is_empty()
        && results.all(|result| result.extra.is_empty() && result.usage_record.as_ref().is_none_or(is_plain))
        && response.unprocessed_records.iter().all(is_plain)
    {
        return Some(Ok(Cow::Borrowed(response)));
    }
    let Ok(json) = serde_json::to_value(response) else { return Some(Ok(Cow::Borrowed(response))) };
    let read = with_known_names(json).map(serde_json::from_value);
    Some(read.map(|read| read.map_or(Cow::Borrowed(response), Cow::Owned)))
}

/// Returns a value with the names of the document, in any depth.
fn with_known_names(value: Value) -> Result<Value, String> {
    Ok(match value {
        Value::Object(fields) => {
            let mut all = Map::new();
            for (name, value) in fields {
                let known = NAMES.iter().find(|known| known.eq_ignore_ascii_case(&name));
                let name = known.map_or(name, |known| (*known).to_owned());
                merge(&mut all, name, with_known_names(value)?)?;
            }
            Value::Object(all)
        }
        Value::Array(values) => values.into_iter().map(with_known_names).collect::<Result<_, _>>()?,
        other => other,
    })
}

/// Adds a field to an object that may have it in another spelling.
fn merge(all: &mut Map<String, Value>, name: String, value: Value) -> Result<(), String> {
    match (all.get_mut(&name), value) {
        (None | Some(Value::Null), value) => _ = all.insert(name, value),
        (Some(_), Value::Null) => {}
        (Some(Value::Array(one)), Value::Array(mut other)) => one.append(&mut other),
        (Some(Value::Object(one)), Value::Object(other)) => {
            other.into_iter().try_for_each(|(name, value)| merge(one, name, value))?;
        }
        (Some(one), other) if *one == other => {}
        (Some(one), other) => return Err(format!("AWS: {name} is both {one} and {other}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The statuses and dimensions of the results, and the dimensions of unprocessed records.
    fn read(response: Value) -> Vec<String> {
        let info: Info = serde_json::from_value(json!({"awsMeteringResponse": response})).unwrap();
        let response = aws_response(&info).unwrap().unwrap();
        let results = response.results.iter().map(|result| {
            let dimension = result.usage_record.as_ref().and_then(|record| record.dimension.as_deref());
            format!("{:?} {dimension:?}", result.status.as_ref().map(|status| status.as_str()))
        });
        let unprocessed =
            response.unprocessed_records.iter().map(|record| format!("unprocessed {:?}", record.dimension));
        results.chain(unprocessed).collect()
    }

    #[test]
    fn response_is_read_in_any_spelling() {
        let expected = [r#"Some("DuplicateRecord") Some("gb")"#, r#"unprocessed Some("calls")"#];
        let camel = json!({
            "results": [{"status": "DuplicateRecord", "usageRecord": {"dimension": "gb", "quantity": 5}}],
            "unprocessedRecords": [{"dimension": "calls"}],
        });
        let pascal = json!({
            "Results": [{
                "MeteringRecordId": "m-1", "Status": "DuplicateRecord",
                "UsageRecord": {"Dimension": "gb", "Quantity": 5, "Timestamp": "2026-10-01T07:00:00Z", "UsageAllocations": null},
            }],
            "UnprocessedRecords": [{"Dimension": "calls"}], "ResultMetadata": {},
        });
        let outside = json!({
            "Results": [{"status": "DuplicateRecord", "usageRecord": {"dimension": "gb"}}],
            "UnprocessedRecords": [{"dimension": "calls"}],
        });
        let inside = json!({
            "results": [{"Status": "DuplicateRecord", "UsageRecord": {"Dimension": "gb"}}],
            "unprocessedRecords": [{"Dimension": "calls"}],
        });
        let alternating = json!({
            "results": [{"Status": "DuplicateRecord", "usageRecord": {"Dimension": "gb"}}],
            "UnprocessedRecords": [{"dimension": "calls"}],
        });
        let shouted = json!({
            "RESULTS": [{"STATUS": "DuplicateRecord", "usagerecord": {"DIMENSION": "gb"}}],
            "unprocessedrecords": [{"Dimension": "calls"}],
        });
        for response in [camel, pascal, outside, inside, alternating, shouted] {
            assert_eq!(read(response.clone()), expected, "{response}");
        }
        let null = json!({"results": null, "Results": null, "UnprocessedRecords": null});
        assert!(read(null).is_empty());
        assert!(read(json!({"Results": "maintenance", "": 1})).is_empty());
        assert_eq!(read(json!({"results": [{"status": "Success", "Status": null}]})), [r#"Some("Success") None"#]);
        assert!(aws_response(&Info::default()).is_none());
    }

    #[test]
    fn results_in_several_spellings_all_count() {
        let result = |status: &str| json!({"status": status});
        let both = json!({"results": [result("Success")], "Results": [result("DuplicateRecord")]});
        let mut found = read(both);
        found.sort();
        assert_eq!(found, [r#"Some("DuplicateRecord") None"#, r#"Some("Success") None"#]);
    }

    #[test]
    fn different_values_in_two_spellings_are_an_error() {
        let response = |json: Value| -> Result<Vec<String>, String> {
            let info: Info = serde_json::from_value(json!({"awsMeteringResponse": json})).unwrap();
            aws_response(&info).unwrap().map(|_| read(json))
        };
        let result = |result: Value| response(json!({"results": [result]}));
        for (one, other, expected) in [
            ("Success", "DuplicateRecord", Err(r#"AWS: status is both "DuplicateRecord" and "Success""#.to_owned())),
            ("Success", "Success", Ok(vec![r#"Some("Success") None"#.to_owned()])),
        ] {
            assert_eq!(result(json!({"status": one, "Status": other})), expected);
        }
        let record = |record: Value| result(json!({"status": "Success", "usageRecord": record}));
        let success = Ok(vec![r#"Some("Success") Some("gb")"#.to_owned()]);
        assert_eq!(record(json!({"dimension": "gb", "quantity": 5, "Quantity": 5})), success);
        assert_eq!(record(json!({"dimension": "gb", "quantity": 5, "Quantity": null})), success);
        let gb = json!({"dimension": "gb", "quantity": 5});
        assert_eq!(result(json!({"status": "Success", "usageRecord": gb, "usagerecord": null})), success);
        let different = Err("AWS: quantity is both 3 and 5".to_owned());
        assert_eq!(record(json!({"dimension": "gb", "quantity": 5, "Quantity": 3})), different);
        let halves =
            |one: Value, other: Value| result(json!({"Status": "Success", "usageRecord": one, "UsageRecord": other}));
        assert_eq!(halves(json!({"quantity": 5}), json!({"Dimension": "gb"})), success);
        assert_eq!(halves(json!({"quantity": 5, "dimension": "gb"}), json!({"Quantity": 3})), different);
        let lists = response(json!({"results": [{}], "Results": "maintenance"}));
        assert_eq!(lists, Err(r#"AWS: results is both "maintenance" and [{}]"#.to_owned()));
    }
}
