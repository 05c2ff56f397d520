//! What a marketplace itself said of usage that Suger reported to it. `SUCCESS` of a report is Suger's word.

use usage_billing_core::{DecimalNumber, printable};

use super::types::{
    AggregatedMeteringUsageRecord, AwsBatchMeterUsageOutput, AwsUsageRecordResult, AwsUsageRecordResultStatus,
    AzureBatchUsageEventOkResponse, AzureUsageEventStatus, GcpReportResponse, MeteringUsageRecordReportInfo as Info,
    Partner, UsageRecordReportStatus as Status,
};

/// Words that are kept of one report; a response can have as many as records.
const MAX_WORDS: usize = 20;

/// Whether a marketplace bills usage that was reported to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Acceptance {
    /// Suger says so, and the marketplace's own response as well; Suger alone, if nothing was charged, or if it is a marketplace whose response
    /// reports do not have.
    Accepted,
    /// The report is under way, or what became of it is not known; with the words of the report, if there are any.
    Pending(Vec<String>),
    /// The marketplace or Suger says that it is not; with their words.
    Refused(Vec<String>),
}

/// Returns what became of a dimension (its key at the marketplace) in a report; of the report's own quantities, if several dimensions
/// are asked for, what is worst. None are asked for where the dimension is not known: then everything in the report counts.
///
/// - AWS: a record is accepted with `Success` alone. `CustomerNotSubscribed` and `DuplicateRecord` (another quantity was metered before) are
///   not billed; unprocessed records were not looked at.
/// - Azure: an event is accepted with `Accepted` alone. `Duplicate` means that the hour has another event.
/// - Google Cloud: a report is accepted without `reportErrors`.
/// - Alibaba: a report is accepted if `Success` is true.
///
/// A response that does not mention what was charged accepts nothing, and neither does the lack of the response in a report to one of these
/// marketplaces: the outcome is pending.
pub(super) fn acceptance(info: &Info, dimensions: &[&str]) -> Acceptance {
    let mut words = refusals(info, dimensions);
    match &info.status {
        Some(Status::Success | Status::Invoiced) if words.is_empty() => {
            let silences = match dimensions {
                [] => vec![silence(info, None)],
                _ => dimensions.iter().map(|dimension| silence(info, Some(dimension))).collect(),
            };
            match silences.into_iter().flatten().next() {
                None => Acceptance::Accepted,
                Some(words) => Acceptance::Pending(vec![words]),
            }
        }
        Some(Status::Success | Status::Invoiced) => Acceptance::Refused(words),
        Some(status @ (Status::Failed | Status::Deleted | Status::Canceled)) => {
            words.insert(0, spoken(&format!("Suger: {status}"), info.message.as_deref()));
            Acceptance::Refused(words)
        }
        status => {
            let status = status.as_ref().map_or("no status", |status| status.as_str());
            words.insert(0, spoken(&format!("Suger: {}", printable(status)), info.message.as_deref()));
            Acceptance::Pending(words)
        }
    }
}

/// Words of the marketplace against a dimension, or against any if none is asked for.
fn refusals(info: &Info, dimensions: &[&str]) -> Vec<String> {
    let is_meant = |dimension: &Option<String>| match dimension.as_deref() {
        Some(dimension) => dimensions.is_empty() || dimensions.contains(&dimension),
        // It may be any.
        None => true,
    };
    let mut words = Vec::new();
    if let Some(AwsBatchMeterUsageOutput { results, unprocessed_records, .. }) = &info.aws_metering_response {
        for result in results {
            let dimension = result.usage_record.as_ref().and_then(|record| record.dimension.clone());
            if result.status != Some(AwsUsageRecordResultStatus::Success) && is_meant(&dimension) {
                let status = result.status.as_ref().map_or("a result without status", |status| status.as_str());
                words.push(of_dimension("AWS", status, dimension.as_deref(), None));
            }
        }
        for record in unprocessed_records.iter().filter(|record| is_meant(&record.dimension)) {
            words.push(of_dimension("AWS", "unprocessed record", record.dimension.as_deref(), None));
        }
    }
    if let Some(AzureBatchUsageEventOkResponse { result, .. }) = &info.azure_metering_response {
        for event in result.iter().filter(|event| event.status != Some(AzureUsageEventStatus::Accepted)) {
            if is_meant(&event.dimension) {
                let status = event.status.as_ref().map_or("an event without status", |status| status.as_str());
                let message = event.error.as_ref().and_then(|error| error.message.as_deref());
                words.push(of_dimension("Azure", status, event.dimension.as_deref(), message));
            }
        }
    }
    if let Some(GcpReportResponse { report_errors, .. }) = &info.gcp_metering_response {
        for error in report_errors {
            let status = error.status.as_ref();
            let code =
                status.and_then(|status| status.code).map_or_else(|| "error".to_owned(), |code| format!("code {code}"));
            let message = status.and_then(|status| status.message.as_deref());
            words.push(spoken(&format!("Google Cloud: {code}"), message));
        }
    }
    if info.alibaba_metering_response.as_ref().is_some_and(|response| response.success == Some(false)) {
        words.push("Alibaba: not successful".to_owned());
    }
    if words.len() > MAX_WORDS {
        let more = words.len() - MAX_WORDS;
        words.truncate(MAX_WORDS);
        words.push(format!("and {more} more"));
    }
    words
}

/// Returns what is missing in the marketplace's response about a dimension, or about anything if none is given; `None` if nothing is, or nothing
/// was charged.
fn silence(info: &Info, dimension: Option<&str>) -> Option<String> {
    if !is_charged(info, dimension) {
        return None;
    }
    let what = || dimension.map_or_else(|| "anything".to_owned(), |dimension| printable(dimension).to_string());
    let is_about = |named: Option<&str>| match (named, dimension) {
        (Some(named), Some(dimension)) => named == dimension,
        // It may be any.
        _ => true,
    };
    let results = info.aws_metering_response.as_ref().map(|response| {
        let of_result = |result: &AwsUsageRecordResult| {
            is_about(result.usage_record.as_ref().and_then(|record| record.dimension.as_deref()))
        };
        response.results.iter().any(of_result)
    });
    let events = info
        .azure_metering_response
        .as_ref()
        .map(|response| response.result.iter().any(|event| is_about(event.dimension.as_deref())));
    let gcp = info.gcp_metering_response.as_ref().map(|_| true);
    let alibaba = info.alibaba_metering_response.as_ref().map(|response| response.success == Some(true));
    let answers: Vec<bool> = [results, events, gcp, alibaba].into_iter().flatten().collect();
    match &info.partner {
        _ if answers.contains(&true) => None,
        _ if !answers.is_empty() => Some(format!("the marketplace's response does not mention {}", what())),
        Some(Partner::Aws | Partner::Azure | Partner::Gcp | Partner::Alibaba) => {
            Some("the report has no response of the marketplace".to_owned())
        }
        _ => None,
    }
}

/// Returns whether a report may have charged a dimension, or anything if none is given: a report that states no quantities at all may have.
fn is_charged(info: &Info, dimension: Option<&str>) -> bool {
    let is_some = |quantity: &DecimalNumber| !quantity.0.is_zero();
    let maps = [&info.included_records, &info.credit_records, &info.new_decimal_parts];
    let totals = &info.aggregated_billable_records;
    let of_total = |total: &AggregatedMeteringUsageRecord| [total.quantity, total.amount].iter().flatten().any(is_some);
    let is_stated = !info.reported_records.is_empty() || !totals.is_empty() || maps.iter().any(|map| !map.is_empty());
    let is_charged = match dimension {
        Some(dimension) => info.reported_records.get(dimension).is_some_and(is_some),
        None => info.reported_records.values().any(is_some) || totals.iter().any(of_total),
    };
    is_charged || !is_stated
}

fn of_dimension(marketplace: &str, status: &str, dimension: Option<&str>, message: Option<&str>) -> String {
    let dimension = dimension.map(|dimension| format!(" for {}", printable(dimension))).unwrap_or_default();
    spoken(&format!("{marketplace}: {}{dimension}", printable(status)), message)
}

/// A line of words, with a message if there is one.
fn spoken(words: &str, message: Option<&str>) -> String {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{words}: {}", printable(message)),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(json: Value, dimensions: &[&str]) -> Acceptance {
        let mut info = json!({"status": "SUCCESS", "reportedRecords": {"gb": 5, "calls": 3}});
        info.as_object_mut().unwrap().extend(json.as_object().unwrap().clone());
        acceptance(&serde_json::from_value(info).unwrap(), dimensions)
    }

    fn aws(results: Value) -> Value {
        json!({"awsMeteringResponse": {"results": results}})
    }

    fn result(dimension: &str, status: &str) -> Value {
        json!({"status": status, "usageRecord": {"dimension": dimension, "quantity": 5}})
    }

    fn refused(words: &[&str]) -> Acceptance {
        Acceptance::Refused(words.iter().map(|words| (*words).to_owned()).collect())
    }

    fn silent(what: &str) -> Acceptance {
        Acceptance::Pending(vec![format!("the marketplace's response does not mention {what}")])
    }

    #[test]
    fn success_of_a_marketplace_whose_response_reports_do_not_have_is_sugers_word() {
        for status in ["SUCCESS", "INVOICED"] {
            for partner in [Value::Null, json!(""), json!("STRIPE"), json!("NEW")] {
                assert_eq!(of(json!({"status": status, "partner": partner}), &["gb"]), Acceptance::Accepted);
            }
            for partner in ["AWS", "AZURE", "GCP", "ALIBABA"] {
                let missing = Acceptance::Pending(vec!["the report has no response of the marketplace".to_owned()]);
                assert_eq!(of(json!({"status": status, "partner": partner}), &["gb"]), missing);
                assert_eq!(of(json!({"status": status, "partner": partner}), &[]), missing);
                assert_eq!(of(json!({"status": status, "partner": partner}), &["included"]), Acceptance::Accepted);
                let nothing = json!({"status": status, "partner": partner, "reportedRecords": {"gb": 0}});
                assert_eq!(of(nothing, &[]), Acceptance::Accepted);
            }
        }
    }

    #[test]
    fn response_without_results_accepts_nothing_that_was_charged() {
        let empty = |records: Value| {
            [
                json!({"awsMeteringResponse": {}, "reportedRecords": records}),
                json!({"awsMeteringResponse": {"results": [], "unprocessedRecords": []}, "reportedRecords": records}),
                json!({"azureMeteringResponse": {"count": 0, "result": []}, "reportedRecords": records}),
                json!({"alibabaMeteringResponse": {"RequestId": "r"}, "reportedRecords": records}),
            ]
        };
        for charged in [json!({"gb": 5}), json!({}), Value::Null] {
            for report in empty(charged) {
                assert_eq!(of(report.clone(), &["gb"]), silent("gb"), "{report}");
                assert_eq!(of(report.clone(), &[]), silent("anything"), "{report}");
            }
        }
        for nothing in [json!({"gb": 0}), json!({"calls": 0})] {
            for report in empty(nothing) {
                assert_eq!(of(report.clone(), &["gb"]), Acceptance::Accepted, "{report}");
                assert_eq!(of(report.clone(), &[]), Acceptance::Accepted, "{report}");
            }
        }
        // What is covered by other quantities was not charged.
        for covered in ["includedRecords", "creditRecords", "newDecimalParts"] {
            let report = json!({"awsMeteringResponse": {}, "reportedRecords": {}, covered: {"gb": 5}});
            assert_eq!(of(report, &["gb"]), Acceptance::Accepted, "{covered}");
        }
        let total = |total: Value| {
            let mut report = aws(json!([]));
            report["reportedRecords"] = json!({});
            report["aggregatedBillableRecords"] = json!([total]);
            of(report, &[])
        };
        assert_eq!(total(json!({"key": "gpu", "quantity": 3})), silent("anything"));
        assert_eq!(total(json!({"key": "gpu", "amount": 0.5})), silent("anything"));
        assert_eq!(total(json!({"key": "gpu", "quantity": 0, "amount": 0})), Acceptance::Accepted);
    }

    #[test]
    fn aws_accepts_a_record_with_success_alone() {
        let all = aws(json!([result("gb", "Success"), result("calls", "CustomerNotSubscribed")]));
        assert_eq!(of(all.clone(), &["gb"]), Acceptance::Accepted);
        assert_eq!(of(all.clone(), &["calls"]), refused(&["AWS: CustomerNotSubscribed for calls"]));
        assert_eq!(of(all, &[]), refused(&["AWS: CustomerNotSubscribed for calls"]));
        for status in ["DuplicateRecord", "NEW_STATUS", ""] {
            assert_eq!(of(aws(json!([result("gb", status)])), &["gb"]), refused(&[&format!("AWS: {status} for gb")]));
        }
        assert_eq!(
            of(aws(json!([{"status": "CustomerNotSubscribed"}])), &["gb"]),
            refused(&["AWS: CustomerNotSubscribed"])
        );
        assert_eq!(of(aws(json!([{}])), &["gb"]), refused(&["AWS: a result without status"]));
        let unprocessed = json!({"awsMeteringResponse": {"results": [], "unprocessedRecords": [{"dimension": "gb"}]}});
        assert_eq!(of(unprocessed.clone(), &["gb"]), refused(&["AWS: unprocessed record for gb"]));
        assert_eq!(of(unprocessed, &["calls"]), silent("calls"));
    }

    #[test]
    fn dimension_that_was_charged_has_to_be_in_the_response() {
        assert_eq!(of(aws(json!([result("gb", "Success")])), &["calls"]), silent("calls"));
        let azure = json!({"azureMeteringResponse": {"result": [{"status": "Accepted", "dimension": "gb"}]}});
        assert_eq!(of(azure.clone(), &["gb", "calls"]), silent("calls"));
        assert_eq!(of(azure, &["included"]), Acceptance::Accepted, "nothing of it was charged");
        assert_eq!(of(aws(json!([{"status": "Success"}])), &["calls"]), Acceptance::Accepted);
    }

    #[test]
    fn azure_accepts_an_event_with_accepted_alone() {
        let azure = |event: Value| json!({"azureMeteringResponse": {"result": [event]}});
        assert_eq!(of(azure(json!({"status": "Accepted", "dimension": "gb"})), &["gb"]), Acceptance::Accepted);
        let expired = json!({"status": "Expired", "dimension": "gb", "error": {"message": "too old"}});
        assert_eq!(of(azure(expired), &["gb"]), refused(&["Azure: Expired for gb: too old"]));
        assert_eq!(of(azure(json!({"status": "Duplicate"})), &["gb"]), refused(&["Azure: Duplicate"]));
        assert_eq!(of(azure(json!({"dimension": "gb"})), &["gb"]), refused(&["Azure: an event without status for gb"]));
    }

    #[test]
    fn google_cloud_and_alibaba_accept_whole_reports() {
        let gcp = |errors: Value| json!({"gcpMeteringResponse": {"reportErrors": errors}});
        assert_eq!(of(gcp(json!([])), &["gb"]), Acceptance::Accepted);
        let error = json!([{"operationId": "o-1", "status": {"code": 3, "message": "unknown consumer"}}]);
        assert_eq!(of(gcp(error), &["gb"]), refused(&["Google Cloud: code 3: unknown consumer"]));
        assert_eq!(of(gcp(json!([{}])), &["gb"]), refused(&["Google Cloud: error"]));
        let alibaba = |success: Value| json!({"alibabaMeteringResponse": {"Success": success}});
        assert_eq!(of(alibaba(json!(true)), &["gb"]), Acceptance::Accepted);
        assert_eq!(of(alibaba(json!(false)), &["gb"]), refused(&["Alibaba: not successful"]));
    }

    #[test]
    fn words_of_a_report_are_bounded() {
        let Acceptance::Refused(words) = of(aws(json!(vec![result("gb", "DuplicateRecord"); 1000])), &["gb"]) else {
            panic!()
        };
        assert_eq!((words.len(), words[MAX_WORDS].as_str()), (MAX_WORDS + 1, "and 980 more"));
        let most = of(aws(json!(vec![result("gb", "DuplicateRecord"); MAX_WORDS])), &["gb"]);
        assert_eq!(most, refused(&["AWS: DuplicateRecord for gb"; MAX_WORDS]));
    }

    #[test]
    fn report_that_is_not_a_success_is_not_accepted() {
        for status in ["FAILED", "DELETED", "CANCELED"] {
            let found = of(json!({"status": status, "message": "no such plan\n"}), &["gb"]);
            assert_eq!(found, refused(&[&format!("Suger: {status}: no such plan\\n")]));
        }
        for (status, said) in
            [(json!("CREATED"), "CREATED"), (json!(""), ""), (json!("NEW"), "NEW"), (Value::Null, "no status")]
        {
            assert_eq!(of(json!({"status": status}), &["gb"]), Acceptance::Pending(vec![format!("Suger: {said}")]));
        }
    }
}
