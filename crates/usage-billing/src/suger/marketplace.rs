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
/// - Alibaba: a report is accepted if `Success` is true. The response of Alibaba International is not documented; it is read in the same way.
///
/// Only the response of the marketplace that the report names accepts anything; of any, if it names none. A response that does not mention what was
/// charged accepts nothing, and neither does the lack of the response in a report to one of these marketplaces: the outcome is pending. So is that of
/// a dimension that the report does not state, unless it states no quantities at all.
pub(super) fn acceptance(info: &Info, dimensions: &[&str]) -> Acceptance {
    let mut words = refusals(info, dimensions);
    match &info.status {
        Some(_) if is_success(info) && words.is_empty() => {
            let silences = match dimensions {
                [] => vec![silence(info, None)],
                _ => dimensions.iter().map(|dimension| silence(info, Some(dimension))).collect(),
            };
            match silences.into_iter().flatten().next() {
                None => Acceptance::Accepted,
                Some(words) => Acceptance::Pending(vec![words]),
            }
        }
        Some(_) if is_success(info) => Acceptance::Refused(words),
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

/// Whether Suger says that the marketplace took a report.
pub(super) fn is_success(info: &Info) -> bool {
    matches!(info.status, Some(Status::Success | Status::Invoiced))
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
    if alibaba_success(info).any(|success| success == Some(false)) {
        words.push("Alibaba: not successful".to_owned());
    }
    if words.len() > MAX_WORDS {
        let more = words.len() - MAX_WORDS;
        words.truncate(MAX_WORDS);
        words.push(format!("and {more} more"));
    }
    words
}

/// `Success` of Alibaba's responses, as far as there are any.
fn alibaba_success(info: &Info) -> impl Iterator<Item = Option<bool>> {
    let international = &info.alibaba_international_metering_response;
    let of_international = || {
        let success = international.iter().find(|(name, _)| name.eq_ignore_ascii_case("success"));
        success.and_then(|(_, value)| value.as_bool())
    };
    let response = info.alibaba_metering_response.as_ref().map(|response| response.success);
    response.into_iter().chain((!international.is_empty()).then(of_international))
}

/// Returns what is missing in the marketplace's response about a dimension, or about anything if none is given; `None` if nothing is, or nothing
/// was charged.
fn silence(info: &Info, dimension: Option<&str>) -> Option<String> {
    let charge = charge(info, dimension);
    if charge == Charge::Nothing {
        return None;
    }
    let what = || dimension.map_or_else(|| "anything".to_owned(), |dimension| printable(dimension).to_string());
    let is_about = |named: Option<&str>| match (named, dimension) {
        (Some(named), Some(dimension)) => named == dimension,
        // It may be any.
        _ => charge != Charge::NotStated,
    };
    let is_about_all = charge != Charge::NotStated;
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
    let gcp = info.gcp_metering_response.as_ref().map(|_| is_about_all);
    let alibaba = alibaba_success(info).reduce(|one, other| one.or(other));
    let alibaba = alibaba.map(|success| success == Some(true) && is_about_all);
    let answers = match &info.partner {
        Some(Partner::Aws | Partner::AwsChina) => [results, None, None, None],
        Some(Partner::Azure) => [None, events, None, None],
        Some(Partner::Gcp) => [None, None, gcp, None],
        Some(Partner::Alibaba) => [None, None, None, alibaba],
        Some(partner) if !partner.as_str().is_empty() => [None; 4],
        _ => [results, events, gcp, alibaba],
    };
    let mut answers = answers.into_iter().flatten().peekable();
    match &info.partner {
        _ if answers.peek().is_some() => {
            (!answers.all(|answer| answer)).then(|| format!("the marketplace's response does not mention {}", what()))
        }
        Some(Partner::Aws | Partner::Azure | Partner::Gcp | Partner::Alibaba) => {
            Some("the report has no response of the marketplace".to_owned())
        }
        _ if charge == Charge::NotStated => Some(format!("the report does not state {}", what())),
        _ => None,
    }
}

/// What a report says that it charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// Nothing: 0 is stated, or that included amounts, credit or the next report cover it.
    Nothing,
    /// Something; or it states no quantities at all, and may have charged anything.
    Something,
    /// It states quantities, but not of the dimension.
    NotStated,
}

/// Returns what a report charged of a dimension, or of anything if none is given.
fn charge(info: &Info, dimension: Option<&str>) -> Charge {
    let is_some = |quantity: &DecimalNumber| !quantity.0.is_zero();
    let covered = [&info.included_records, &info.credit_records, &info.new_decimal_parts];
    let totals = &info.aggregated_billable_records;
    let of_total = |total: &AggregatedMeteringUsageRecord| [total.quantity, total.amount].iter().flatten().any(is_some);
    if info.reported_records.is_empty() && totals.is_empty() && covered.iter().all(|map| map.is_empty()) {
        return Charge::Something;
    }
    let is_charged = match dimension {
        Some(dimension) => {
            let mut totals = totals.iter().filter(|total| total.key.as_deref() == Some(dimension)).peekable();
            let is_covered = covered.iter().any(|map| map.get(dimension).is_some_and(is_some));
            match info.reported_records.get(dimension) {
                Some(quantity) => is_some(quantity),
                None if totals.peek().is_some() => totals.any(of_total),
                None if is_covered => false,
                None => return Charge::NotStated,
            }
        }
        None => info.reported_records.values().any(is_some) || totals.iter().any(of_total),
    };
    if is_charged { Charge::Something } else { Charge::Nothing }
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
                let included = json!({"status": status, "partner": partner, "includedRecords": {"included": 2}});
                assert_eq!(of(included, &["included"]), Acceptance::Accepted);
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
        for report in empty(json!({"gb": 0})) {
            assert_eq!(of(report.clone(), &["gb"]), Acceptance::Accepted, "{report}");
            assert_eq!(of(report.clone(), &[]), Acceptance::Accepted, "{report}");
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
        let mut included = azure.clone();
        included["includedRecords"] = json!({"included": 2});
        assert_eq!(of(included, &["included"]), Acceptance::Accepted, "nothing of it was charged");
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
    fn only_the_response_of_the_reports_own_marketplace_accepts_its_usage() {
        let responses = [
            ("awsMeteringResponse", aws(json!([result("gb", "Success")]))["awsMeteringResponse"].take()),
            ("azureMeteringResponse", json!({"result": [{"status": "Accepted", "dimension": "gb"}]})),
            ("gcpMeteringResponse", json!({})),
            ("alibabaMeteringResponse", json!({"Success": true})),
            ("alibabaInternationalMeteringResponse", json!({"success": true, "code": "200"})),
        ];
        let missing = Acceptance::Pending(vec!["the report has no response of the marketplace".to_owned()]);
        for (partner, own) in [("AWS", 0..1), ("AZURE", 1..2), ("GCP", 2..3), ("ALIBABA", 3..5)] {
            for (place, (name, response)) in responses.iter().enumerate() {
                let found = of(json!({"partner": partner, *name: response}), &["gb"]);
                let expected = if own.contains(&place) { Acceptance::Accepted } else { missing.clone() };
                assert_eq!(found, expected, "{partner} {name}");
            }
        }
        let both =
            |aws: Value| of(json!({"partner": "AWS", "awsMeteringResponse": aws, "gcpMeteringResponse": {}}), &["gb"]);
        assert_eq!(both(json!({"results": []})), silent("gb"));
        assert_eq!(both(json!({"results": [result("gb", "Success")]})), Acceptance::Accepted);
        // What nobody names has to be accepted by all.
        assert_eq!(of(json!({"awsMeteringResponse": {}, "gcpMeteringResponse": {}}), &["gb"]), silent("gb"));
        // Of a marketplace whose response reports do not have, nothing is waited for.
        assert_eq!(of(json!({"partner": "STRIPE", "awsMeteringResponse": {}}), &["gb"]), Acceptance::Accepted);
        assert_eq!(of(json!({"partner": "AWS_CHINA", "awsMeteringResponse": {}}), &["gb"]), silent("gb"));
        for (response, expected) in [(json!({"RequestId": "r"}), silent("gb")), (json!({}), missing)] {
            let report = json!({"partner": "ALIBABA", "alibabaInternationalMeteringResponse": response});
            assert_eq!(of(report, &["gb"]), expected);
        }
        let international = json!({"partner": "ALIBABA", "alibabaInternationalMeteringResponse": {"Success": false}});
        assert_eq!(of(international, &["gb"]), refused(&["Alibaba: not successful"]));
    }

    #[test]
    fn dimension_that_the_report_does_not_state_is_pending() {
        let not_stated = Acceptance::Pending(vec!["the report does not state seats".to_owned()]);
        for partner in [Value::Null, json!("STRIPE")] {
            assert_eq!(of(json!({"partner": partner}), &["seats"]), not_stated);
            assert_eq!(of(json!({"partner": partner, "includedRecords": {"seats": 0}}), &["seats"]), not_stated);
        }
        for response in [
            aws(json!([result("gb", "Success")])),
            aws(json!([{"status": "Success"}])),
            json!({"azureMeteringResponse": {"result": [{"status": "Accepted", "dimension": "gb"}]}}),
            json!({"gcpMeteringResponse": {}}),
            json!({"alibabaMeteringResponse": {"Success": true}}),
        ] {
            assert_eq!(of(response.clone(), &["seats"]), silent("seats"), "{response}");
        }
        // The marketplace itself names it, or the report does.
        assert_eq!(of(aws(json!([result("seats", "Success")])), &["seats"]), Acceptance::Accepted);
        for stated in [
            json!({"reportedRecords": {"seats": 0}}),
            json!({"includedRecords": {"seats": 3}}),
            json!({"creditRecords": {"seats": 3}}),
            json!({"newDecimalParts": {"seats": 0.5}}),
            json!({"aggregatedBillableRecords": [{"key": "seats", "quantity": 0}]}),
        ] {
            assert_eq!(of(stated.clone(), &["seats"]), Acceptance::Accepted, "{stated}");
        }
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
