//! One API before and after: the comparison on the wire, with the decisions on it, and the verdict on its crate.

use std::{panic::resume_unwind, thread};

use chrono::NaiveDate;
use spec_diff::{
    Options,
    review::{ApiDiff, ApiState},
};

use super::{
    inputs::ApiInput,
    verdict::{self, CrateVerdict},
};

/// Human-readable documentation: no client can depend on it.
const IGNORED: [&str; 1] = ["x-source"];

/// An API with both verdicts.
pub(super) struct Compared {
    pub(super) api: ApiDiff,
    /// None if there is no crate before and after, or it was not asked for.
    pub(super) of_crate: Option<CrateVerdict>,
}

impl Compared {
    /// Returns whether users of the crate need changes: it takes a major step, or was removed.
    pub(super) fn breaks_crate(&self) -> bool {
        self.api.state == ApiState::Removed || self.of_crate.as_ref().is_some_and(CrateVerdict::is_breaking)
    }
}

/// Compares one API, on the wire alone or with its crate. The error is a line: what cannot be read, and where.
pub(super) fn compare(input: ApiInput, today: NaiveDate, wire_only: bool) -> Result<Compared, String> {
    let ApiInput { name, pair, accept, manifests } = input;
    let pair = pair.parse()?;
    let options = Options {
        api: name,
        ignored_extensions: IGNORED.map(str::to_owned).to_vec(),
        today: Some(today.to_string()),
        ..Options::default()
    };
    let has_crate = pair.state == ApiState::Compared && !wire_only;
    // Generating takes longer than comparing.
    let (report, needed) = thread::scope(|threads| {
        let needed = has_crate.then(|| threads.spawn(|| verdict::needed(&pair.base.document, &pair.revision.document)));
        let report = pair.diff(&options);
        (report, needed.map(|needed| needed.join().unwrap_or_else(|panic| resume_unwind(panic))))
    });
    let mut api = pair.review(report?, &accept, today);
    let of_crate =
        needed.map(|needed| CrateVerdict { needed, declared: manifests.as_ref().map(verdict::declared_step) });
    api.supplement = of_crate.as_ref().map(CrateVerdict::supplement);
    Ok(Compared { api, of_crate })
}

#[cfg(test)]
pub(super) mod tests {
    use spec_diff::{
        Bump, Level,
        input::{Folder, Input, Source},
        review::{AcceptFile, Pair},
    };

    use super::*;
    use crate::test_support::MINI;

    fn source(name: &str, text: &str) -> Source {
        Source { name: name.to_owned(), text: text.to_owned() }
    }

    fn manifest(version: &str) -> Option<Source> {
        Some(source("crates/usage-billing-mini/Cargo.toml", &format!("[package]\nversion = \"{version}\"\n")))
    }

    /// Returns the small document and its changed text, with the versions of the crate.
    pub(in crate::commands::diff) fn input(head: &str, versions: [&str; 2]) -> ApiInput {
        let document = |text| Some(Input { source: source("openapi/mini.yaml", text), folder: Folder::None });
        ApiInput {
            name: "mini".to_owned(),
            pair: Pair { base: document(MINI), revision: document(head) },
            accept: AcceptFile { name: "openapi/mini.accept.toml".to_owned(), source: None },
            manifests: Some(versions.map(manifest)),
        }
    }

    pub(in crate::commands::diff) fn compared(input: ApiInput) -> Compared {
        compare(input, "2026-11-22".parse().expect("a day"), false).expect("both are documents")
    }

    /// Returns the small document with a number instead of a string.
    pub(in crate::commands::diff) fn edited() -> String {
        let text = MINI.replace("sku: {type: string, ", "sku: {type: integer, format: int64, ");
        assert_ne!(text, MINI, "the edit applies");
        text
    }

    #[test]
    fn report_has_both_verdicts() {
        let Compared { api, of_crate } = compared(input(&edited(), ["0.1.0", "0.1.1"]));
        assert_eq!(api.report.wire, Level::Breaking);
        let of_crate = of_crate.expect("there is a crate");
        assert_eq!(of_crate.needed_bump(), Some(Bump::Major));
        let expected = "the crate needs a major step, its version goes from 0.1.0 to 0.1.1; set 0.2.0 or more";
        assert_eq!(of_crate.undeclared().as_deref(), Some(expected));
        let of_crate = compared(input(&edited(), ["0.1.0", "0.2.0"])).of_crate;
        assert_eq!(of_crate.and_then(|verdict| verdict.undeclared()), None);
    }

    #[test]
    fn new_api_is_info_and_removed_api_breaks() {
        let new = input(MINI, ["0.1.0", "0.1.0"]);
        let new = compared(ApiInput { pair: Pair { base: None, ..new.pair }, ..new }).api;
        assert_eq!((new.state, new.report.wire), (ApiState::Added, Level::Info));
        assert!(new.findings.iter().all(|finding| finding.change.rule == "endpoint-added"), "{:?}", new.findings);
        let removed = input(MINI, ["0.1.0", "0.1.0"]);
        let removed = compared(ApiInput { pair: Pair { revision: None, ..removed.pair }, ..removed }).api;
        assert_eq!((removed.state, removed.report.wire), (ApiState::Removed, Level::Breaking));
        assert_eq!(removed.findings.len(), new.findings.len());
    }

    #[test]
    fn unreadable_document_is_an_error_of_one_line() {
        let broken =
            |head| compare(input(head, ["0.1.0", "0.1.0"]), NaiveDate::MIN, false).err().expect("it is broken");
        let head = broken("openapi: [");
        assert!(head.starts_with("openapi/mini.yaml:") && head.lines().count() == 1, "{head}");
        let swagger = broken("swagger: '2.0'");
        assert_eq!(swagger, "openapi/mini.yaml: not an OpenAPI 3 document: it is Swagger 2.0; convert it first");
    }
}
