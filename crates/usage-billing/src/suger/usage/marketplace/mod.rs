//! Acceptance of reported usage according to the response of the marketplace. `SUCCESS` of a report is only the status
//! of Suger.

use usage_billing_core::{DecimalNumber, printable};

use super::aws_response::aws_response;
use crate::suger::types::{
    AggregatedMeteringUsageRecord, AwsUsageRecordResult, AwsUsageRecordResultStatus, AzureBatchUsageEventOkResponse,
    AzureUsageEventStatus, GcpReportResponse, MeteringUsageRecordReport as Report,
    MeteringUsageRecordReportInfo as Info, Partner, UsageRecordReportStatus as Status,
};

/// Maximum number of reasons that are kept of one report; a response can have one for each record.
const MAX_REASONS: usize = 20;

/// Whether a marketplace bills usage that was reported to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::suger) enum Acceptance {
    /// Accepted according to Suger and the response of the marketplace. The status of Suger alone is enough if nothing was charged, or if
    /// reports have no response of this marketplace.
    Accepted,
    /// The report is in progress, or its outcome is unknown; with the reasons in the report, if there are any.
    Pending(Vec<String>),
    /// Rejected by the marketplace or Suger; with their reasons.
    Rejected(Vec<String>),
}

/// Returns the acceptance of a dimension (its key at the marketplace) in a report. For several dimensions it is the
/// worst of theirs. Without dimensions, because they are unknown, everything in the report counts.
///
/// - AWS: a record is accepted only with `Success`. `CustomerNotSubscribed` and `DuplicateRecord` (another quantity
///   was metered before) are not billed; unprocessed records were not processed.
/// - Azure: an event is accepted only with `Accepted`. `Duplicate` means that the hour has another event.
/// - Google Cloud: a report is accepted without `reportErrors`.
/// - Alibaba: a report is accepted if `Success` is true. The response of Alibaba International is not documented; it
///   is read in the same way.
///
/// Only the response of `partner`, the marketplace of the report ([`partner_of`]), counts, or any response without it. The outcome is
/// pending if that response does not mention the charged usage, or if a report to one of these marketplaces, or to an
/// unknown one, has no response. It is also pending for a dimension that the report does not state, unless the report states no quantities
/// at all.
pub(in crate::suger) fn acceptance(info: &Info, partner: Option<&Partner>, dimensions: &[&str]) -> Acceptance {
    let mut reasons = rejections(info, dimensions);
    match &info.status {
        Some(_) if is_success(info) && reasons.is_empty() => {
            let missing = match dimensions {
                [] => vec![missing_response(info, partner, None)],
                _ => dimensions.iter().map(|dimension| missing_response(info, partner, Some(dimension))).collect(),
            };
            match missing.into_iter().flatten().next() {
                None => Acceptance::Accepted,
                Some(reasons) => Acceptance::Pending(vec![reasons]),
            }
        }
        Some(_) if is_success(info) => Acceptance::Rejected(reasons),
        Some(status @ (Status::Failed | Status::Deleted | Status::Canceled)) => {
            reasons.insert(0, with_message(&format!("Suger: {status}"), info.message.as_deref()));
            Acceptance::Rejected(reasons)
        }
        status => {
            let status = status.as_ref().map_or("no status", |status| status.as_str());
            reasons.insert(0, with_message(&format!("Suger: {}", printable(status)), info.message.as_deref()));
            Acceptance::Pending(reasons)
        }
    }
}

/// Returns the marketplace of a report that names it: in its details, in the report itself, or by a group in it.
pub(in crate::suger) fn partner_of<'a>(report: &'a Report, of_group: Option<&'a Partner>) -> Option<&'a Partner> {
    let of_info = report.info.as_ref().and_then(|info| info.partner.as_ref());
    let all = [of_info, report.partner.as_ref(), of_group];
    all.into_iter().flatten().find(|partner| !partner.as_str().is_empty())
}

/// Returns whether a report is of another entitlement than a group, if both name theirs.
pub(in crate::suger) fn is_of_another_entitlement(report: &Report, of_group: Option<&str>) -> bool {
    let of_report = report.entitlement_id.as_deref().filter(|id| !id.is_empty());
    of_report.zip(of_group).is_some_and(|(of_report, of_group)| of_report != of_group)
}

/// Returns whether the marketplace accepted a report according to Suger.
pub(in crate::suger) fn is_success(info: &Info) -> bool {
    matches!(info.status, Some(Status::Success | Status::Invoiced))
}

/// Returns whether the marketplace does not bill by a report, according to Suger.
pub(in crate::suger) fn is_void(info: &Info) -> bool {
    matches!(info.status, Some(Status::Failed | Status::Deleted | Status::Canceled))
}

/// Returns the reasons of the marketplace against a dimension, or against any dimension if none is given.
fn rejections(info: &Info, dimensions: &[&str]) -> Vec<String> {
    let is_meant = |dimension: &Option<String>| match dimension.as_deref() {
        Some(dimension) => dimensions.is_empty() || dimensions.contains(&dimension),
        // It may be any dimension.
        None => true,
    };
    let mut reasons = Vec::new();
    if let Some(Ok(response)) = aws_response(info) {
        for result in &response.results {
            let dimension = result.usage_record.as_ref().and_then(|record| record.dimension.clone());
            if result.status != Some(AwsUsageRecordResultStatus::Success) && is_meant(&dimension) {
                let status = result.status.as_ref().map_or("a result without status", |status| status.as_str());
                reasons.push(of_dimension("AWS", status, dimension.as_deref(), None));
            }
        }
        for record in response.unprocessed_records.iter().filter(|record| is_meant(&record.dimension)) {
            reasons.push(of_dimension("AWS", "unprocessed record", record.dimension.as_deref(), None));
        }
    }
    if let Some(AzureBatchUsageEventOkResponse { result, .. }) = &info.azure_metering_response {
        for event in result.iter().filter(|event| event.status != Some(AzureUsageEventStatus::Accepted)) {
            if is_meant(&event.dimension) {
                let status = event.status.as_ref().map_or("an event without status", |status| status.as_str());
                let message = event.error.as_ref().and_then(|error| error.message.as_deref());
                reasons.push(of_dimension("Azure", status, event.dimension.as_deref(), message));
            }
        }
    }
    if let Some(GcpReportResponse { report_errors, .. }) = &info.gcp_metering_response {
        for error in report_errors {
            let status = error.status.as_ref();
            let code =
                status.and_then(|status| status.code).map_or_else(|| "error".to_owned(), |code| format!("code {code}"));
            let message = status.and_then(|status| status.message.as_deref());
            reasons.push(with_message(&format!("Google Cloud: {code}"), message));
        }
    }
    if alibaba_success(info).any(|success| success == Some(false)) {
        reasons.push("Alibaba: not successful".to_owned());
    }
    if reasons.len() > MAX_REASONS {
        let more = reasons.len() - MAX_REASONS;
        reasons.truncate(MAX_REASONS);
        reasons.push(format!("and {more} more"));
    }
    reasons
}

/// Returns `Success` of each Alibaba response in the report.
fn alibaba_success(info: &Info) -> impl Iterator<Item = Option<bool>> {
    let international = &info.alibaba_international_metering_response;
    let of_international = || {
        let success = international.iter().find(|(name, _)| name.eq_ignore_ascii_case("success"));
        success.and_then(|(_, value)| value.as_bool())
    };
    let response = info.alibaba_metering_response.as_ref().map(|response| response.success);
    response.into_iter().chain((!international.is_empty()).then(of_international))
}

/// Returns a message if the response of the marketplace does not mention a dimension, or anything if none is given.
/// `None` if it does, or if nothing was charged.
fn missing_response(info: &Info, partner: Option<&Partner>, dimension: Option<&str>) -> Option<String> {
    let of_aws = match aws_response(info).filter(|_| matches!(partner, None | Some(Partner::Aws | Partner::AwsChina))) {
        Some(Err(contradiction)) => return Some(contradiction),
        of_aws => of_aws.and_then(Result::ok),
    };
    let charge = charge(info, dimension);
    if charge == Charge::Nothing {
        return None;
    }
    let subject = || dimension.map_or_else(|| "anything".to_owned(), |dimension| printable(dimension).to_string());
    let is_about_all = charge != Charge::NotStated;
    let results = of_aws.map(|response| {
        let of_result = |result: &AwsUsageRecordResult| result.usage_record.as_ref()?.dimension.clone();
        mentions(info, response.results.iter().map(of_result), dimension, is_about_all)
    });
    let events = info.azure_metering_response.as_ref().map(|response| {
        mentions(info, response.result.iter().map(|event| event.dimension.clone()), dimension, is_about_all)
    });
    let gcp = info.gcp_metering_response.as_ref().map(|_| is_about_all);
    let alibaba = alibaba_success(info).reduce(|one, other| one.or(other));
    let alibaba = alibaba.map(|success| success == Some(true) && is_about_all);
    let responses = match partner {
        Some(Partner::Aws | Partner::AwsChina) => [results, None, None, None],
        Some(Partner::Azure) => [None, events, None, None],
        Some(Partner::Gcp) => [None, None, gcp, None],
        Some(Partner::Alibaba) => [None, None, None, alibaba],
        Some(_) => [None; 4],
        None => [results, events, gcp, alibaba],
    };
    let mut responses = responses.into_iter().flatten().peekable();
    match partner {
        _ if responses.peek().is_some() => (!responses.all(|is_accepted| is_accepted))
            .then(|| format!("the marketplace's response does not mention {}", subject())),
        Some(Partner::Aws | Partner::AwsChina | Partner::Azure | Partner::Gcp | Partner::Alibaba) => {
            Some("the report has no response of the marketplace".to_owned())
        }
        None => Some("the report names no marketplace, and has no response of one".to_owned()),
        _ if charge == Charge::NotStated => Some(format!("the report does not state {}", subject())),
        _ => None,
    }
}

/// Returns whether results are about a dimension, or about anything. Results without dimensions are about all of the
/// charged dimensions if there is one for each.
fn mentions(
    info: &Info,
    results: impl Iterator<Item = Option<String>>,
    dimension: Option<&str>,
    is_about_all: bool,
) -> bool {
    let (mut unnamed, mut named) = (0, false);
    for result in results {
        match result {
            None => unnamed += 1,
            Some(result) => named |= dimension.is_none_or(|dimension| result == dimension),
        }
    }
    let charged = info.reported_records.values().filter(|quantity| !quantity.0.is_zero()).count().max(1);
    named && (dimension.is_some() || is_about_all) || is_about_all && unnamed >= charged
}

/// The charge that a report states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charge {
    /// Nothing: the report states 0, or included amounts, credit or the next report cover the usage.
    Nothing,
    /// A quantity, or an unknown one because the report states no quantities at all.
    Something,
    /// The report states quantities, but not of the dimension.
    NotStated,
}

/// Returns the charge of a dimension in a report, or of any dimension if none is given.
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
    with_message(&format!("{marketplace}: {}{dimension}", printable(status)), message)
}

/// Returns a reason, with a message if there is one.
fn with_message(reasons: &str, message: Option<&str>) -> String {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{reasons}: {}", printable(message)),
        None => reasons.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::suger::test_support::{Fields, Section, report_json};

    fn acceptance_of(fields: Fields) -> Acceptance {
        let mut all = Fields::from_iter([("reportedRecords".to_owned(), json!({"gb": 5, "calls": 3}))]);
        all.extend(fields);
        let dimensions: Vec<String> = serde_json::from_value(all.remove("of").unwrap()).unwrap();
        let report: Report = serde_json::from_value(report_json(all)).unwrap();
        let dimensions: Vec<_> = dimensions.iter().map(String::as_str).collect();
        acceptance(report.info.as_ref().unwrap(), partner_of(&report, None), &dimensions)
    }

    #[test]
    fn acceptance_in_all_cases_is_that_of_the_snapshot() {
        let sections: Vec<Section> = serde_saphyr::from_str(include_str!("cases.yaml")).unwrap();
        let snapshot = Section::outcomes(sections, |fields| format!("{:?}", acceptance_of(fields)));
        insta::assert_snapshot!(snapshot);
    }

    #[test]
    fn marketplace_is_named_by_the_details_the_report_or_the_group() {
        for (of_info, of_report, of_group, expected) in [
            (json!("AWS"), json!("GCP"), json!("AZURE"), Some("AWS")),
            (json!(""), json!("GCP"), json!("AZURE"), Some("GCP")),
            (Value::Null, json!(""), json!("AZURE"), Some("AZURE")),
            (Value::Null, Value::Null, json!(""), None),
            (Value::Null, Value::Null, Value::Null, None),
        ] {
            let report: Report =
                serde_json::from_value(json!({"partner": of_report, "info": {"partner": of_info}})).unwrap();
            let of_group: Option<Partner> = serde_json::from_value(of_group).unwrap();
            assert_eq!(partner_of(&report, of_group.as_ref()).map(Partner::as_str), expected);
        }
    }

    #[test]
    fn reasons_of_a_report_are_bounded() {
        let duplicates = |count: usize| json!(vec![json!(["gb", "DuplicateRecord"]); count]);
        let duplicated = |count: usize| {
            acceptance_of(Fields::from_iter([("aws".to_owned(), duplicates(count)), ("of".to_owned(), json!(["gb"]))]))
        };
        let Acceptance::Rejected(reasons) = duplicated(1000) else { panic!() };
        assert_eq!((reasons.len(), reasons[MAX_REASONS].as_str()), (MAX_REASONS + 1, "and 980 more"));
        let reason = "AWS: DuplicateRecord for gb".to_owned();
        assert_eq!(duplicated(MAX_REASONS), Acceptance::Rejected(vec![reason; MAX_REASONS]));
    }
}
