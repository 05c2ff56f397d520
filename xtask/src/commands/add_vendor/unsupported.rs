//! Operations that convert and still cannot be generated: found one by one, so that none takes others with it.

use openapi_document::{
    Document, SCHEMAS,
    pointer::{keys, unescape},
    reachable,
};
use serde_json::Value;

use super::yaml_writer;
use crate::{
    codegen::{self, GeneratedFiles},
    import::{Conversion, ConvertedOperation, Kind, Loss, Owner, Published},
    lint::{self, Level},
};

/// Why a document cannot be generated.
pub(super) struct Failure {
    pub(super) reason: String,
    /// The place in the document, if it is known.
    at: Option<String>,
}

impl From<String> for Failure {
    /// The generator names the place at the end.
    fn from(reason: String) -> Self {
        let at = reason.rsplit_once(" at /").map(|(_, pointer)| format!("/{pointer}"));
        Self { reason, at }
    }
}

/// The text of a draft's document, and the crate's generated sources.
pub(super) fn generated(
    name: &str,
    draft: &Conversion,
    published: &Published,
) -> Result<(String, GeneratedFiles), Failure> {
    let (text, document) = checked(name, draft, published)?;
    let sources = codegen::render(&document)?;
    Ok((text, sources))
}

/// The text of a draft's document, and the document, if it keeps all rules.
pub(super) fn checked(name: &str, draft: &Conversion, published: &Published) -> Result<(String, Document), Failure> {
    let text = yaml_writer::document(draft, published)?;
    let document = Document::parse(&format!("openapi/{name}.yaml"), &text)?;
    let findings = lint::lint(&document);
    match findings.iter().find(|finding| finding.rule.level == Level::Error) {
        Some(finding) => Err(Failure {
            reason: format!("the generated document violates a rule: {finding}"),
            at: Some(finding.pointer.clone()),
        }),
        None => Ok((text, document)),
    }
}

/// The pointers, in the vendor's file, of the operations that a failure is about: the one at its place, or those that use the schema there.
pub(super) fn causes(draft: &Conversion, failure: &Failure) -> Vec<String> {
    let parts = failure.at.iter().flat_map(|at| keys(at)).collect::<Vec<_>>();
    let is_cause: Box<dyn Fn(&ConvertedOperation) -> bool> = match parts.as_slice() {
        [section, path, method, ..] if section == "paths" => {
            Box::new(move |operation| operation.path == *path && operation.method == *method)
        }
        [section, schemas, name, ..] if section == "components" && schemas == "schemas" => {
            let document = draft.document();
            let uses = move |operation: &ConvertedOperation| {
                let found = reachable(&document, [&operation.value], |_| true);
                found.iter().any(|reference| reference.strip_prefix(SCHEMAS).map(unescape).as_ref() == Some(name))
            };
            Box::new(uses)
        }
        _ => return Vec::new(),
    };
    draft.operations.iter().filter(|operation| is_cause(operation)).map(|operation| operation.at.clone()).collect()
}

/// The note that an operation is left out.
pub(super) fn loss(root: &Value, at: String, reason: &str) -> Loss {
    let named = crate::import::operations(root).into_iter().find(|operation| operation.pointer == at);
    let named = named.map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path));
    let text = crate::text::one_line(&format!("{}: {reason}", named.unwrap_or_default()));
    Loss { kind: Kind::Operation, at, text, owner: Owner::Document }
}
