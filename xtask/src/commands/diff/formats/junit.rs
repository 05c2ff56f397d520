//! For CI systems that read JUnit's XML: a suite for each API, a case for each finding and for the crate's version.
//!
//! Written by hand: three elements, of which the escaping is shared with the page.

use std::fmt::Write;

use spec_diff::Level;

use super::{decision, escaped, verdict, words};
use crate::commands::diff::api_diff::{ApiDiff, DiffRun};

struct Case {
    name: String,
    place: String,
    /// Why it fails.
    failure: Option<String>,
    /// What it says, if it does not fail.
    words: String,
}

pub(super) fn suites(comparison: &DiffRun) -> String {
    let mut xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"spec-diff\">\n".to_owned();
    for api in &comparison.apis {
        suite(api, &mut xml);
    }
    if !comparison.problems.is_empty() {
        let count = comparison.problems.len();
        _ = writeln!(xml, "  <testsuite name=\"unreadable\" tests=\"{count}\" failures=\"0\" errors=\"{count}\">");
        for problem in &comparison.problems {
            let problem = escaped(problem);
            _ = writeln!(xml, "    <testcase name=\"document\"><error message=\"{problem}\"/></testcase>");
        }
        xml.push_str("  </testsuite>\n");
    }
    xml.push_str("</testsuites>\n");
    xml
}

fn suite(api: &ApiDiff, xml: &mut String) {
    let cases = cases(api);
    let failures = cases.iter().filter(|case| case.failure.is_some()).count();
    let (name, count) = (escaped(&api.report.api), cases.len());
    _ = writeln!(xml, "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failures}\" errors=\"0\">");
    for case in cases {
        let (name, place) = (escaped(&case.name), escaped(&case.place));
        let inside = match &case.failure {
            Some(failure) => format!("<failure message=\"{}\"/>", escaped(failure)),
            None => format!("<system-out>{}</system-out>", escaped(&case.words)),
        };
        _ = writeln!(xml, "    <testcase classname=\"{place}\" name=\"{name}\">{inside}</testcase>");
    }
    xml.push_str("  </testsuite>\n");
}

/// What breaks and is not accepted fails, and a version that takes too small a step.
fn cases(api: &ApiDiff) -> Vec<Case> {
    let undeclared = api.generated.as_ref().and_then(|generated| generated.undeclared());
    let of_crate =
        Case { name: "version".to_owned(), place: api.revision.name.clone(), failure: undeclared, words: verdict(api) };
    let mut cases = vec![of_crate];
    cases.extend(api.findings.iter().map(|finding| {
        let change = &finding.change;
        let words = words(change).to_owned();
        let fails = finding.accepted.is_none() && change.level == Level::Breaking;
        Case {
            name: format!("{}: {}", change.owner, change.id),
            place: format!("{}:{}", api.revision.name, api.first_line(change)),
            failure: fails.then(|| words.clone()),
            words: match &finding.accepted {
                Some(accepted) => format!("{}: {words} ({})", change.level, decision(accepted)),
                None => format!("{}: {words}", change.level),
            },
        }
    }));
    cases.extend(api.notices.iter().map(|notice| Case {
        name: "accepted change".to_owned(),
        place: format!("{}:{}", notice.file, notice.line),
        failure: (notice.level == Level::Breaking).then(|| notice.message.clone()),
        words: notice.message.clone(),
    }));
    cases
}
