//! The response of AWS in a usage record report, in either spelling: the document of Suger has camelCase, and the structs
//! of AWS's SDK for Go, which have no JSON names, become PascalCase.

use std::borrow::Cow;

use serde_json::Value;

use super::types::{AwsBatchMeterUsageOutput as Output, MeteringUsageRecordReportInfo as Info};

/// Returns the response of AWS. Results in PascalCase are added to the others; what cannot be read is left out, so that
/// the response does not mention it.
pub(super) fn aws_response(info: &Info) -> Option<Cow<'_, Output>> {
    let response = info.aws_metering_response.as_ref()?;
    if response.extra.is_empty() {
        return Some(Cow::Borrowed(response));
    }
    let Ok(other) = serde_json::from_value::<Output>(in_camel_case(Value::Object(response.extra.clone()))) else {
        return Some(Cow::Borrowed(response));
    };
    let mut all = response.clone();
    all.results.extend(other.results);
    all.unprocessed_records.extend(other.unprocessed_records);
    Some(Cow::Owned(all))
}

/// Returns a value with all names of fields in camelCase.
fn in_camel_case(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(name, value)| {
                    let rest = name.get(1..).unwrap_or_default();
                    let first = name.get(..1).map(str::to_ascii_lowercase);
                    (first.map_or(name.clone(), |first| first + rest), in_camel_case(value))
                })
                .collect(),
        ),
        Value::Array(values) => Value::Array(values.into_iter().map(in_camel_case).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The statuses and dimensions of the results, and the dimensions of unprocessed records.
    fn read(response: Value) -> Vec<String> {
        let info: Info = serde_json::from_value(json!({"awsMeteringResponse": response})).unwrap();
        let response = aws_response(&info).unwrap();
        let results = response.results.iter().map(|result| {
            let dimension = result.usage_record.as_ref().and_then(|record| record.dimension.as_deref());
            format!("{:?} {dimension:?}", result.status.as_ref().map(|status| status.as_str()))
        });
        let unprocessed =
            response.unprocessed_records.iter().map(|record| format!("unprocessed {:?}", record.dimension));
        results.chain(unprocessed).collect()
    }

    #[test]
    fn response_is_read_in_both_spellings() {
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
        assert_eq!(read(camel), expected);
        assert_eq!(read(pascal), expected);
        let null = json!({"results": null, "Results": null, "UnprocessedRecords": null});
        assert!(read(null).is_empty());
        assert!(read(json!({"Results": "maintenance", "": 1})).is_empty());
        assert!(aws_response(&Info::default()).is_none());
    }
}
