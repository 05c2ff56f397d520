//! Operations that convert and still cannot be generated: found one by one, so that none takes others with it.

use openapi_document::{
    Document, SCHEMAS,
    pointer::{child, keys, unescape},
    reachable,
};
use serde_json::Value;

use super::yaml_writer;
use crate::{
    codegen::{self, Omitted, PrintedDocument},
    import::{Conversion, ConvertedOperation, Kind, Loss, Owner, Published},
    lint::{self, Level},
    output::Failure,
    packed::PackedText,
};

/// Returns the text of a draft's document, packed, and the crate's generated code. Extensions of the vendor that are not ours are removed from
/// the draft.
pub(super) fn generated(
    name: &str,
    draft: &mut Conversion,
    published: &Published,
) -> Result<(PackedText, PrintedDocument), Failure> {
    let (text, document) = loop {
        match checked(name, draft, published) {
            Err(failure) if without_extension(draft, &failure) => {}
            outcome => break outcome?,
        }
    };
    // The generator needs the memory.
    let packed = PackedText::new(&text)?;
    drop(text);
    Ok((packed, codegen::print(document)?))
}

/// Removes the extension that a failure is about. Returns whether there is one.
fn without_extension(draft: &mut Conversion, failure: &Failure) -> bool {
    let parts = failure.at.iter().flat_map(|at| keys(at)).collect::<Vec<_>>();
    let [_, path, method, key, ..] = parts.as_slice() else { return false };
    let is_of = |operation: &&mut ConvertedOperation| operation.path == *path && operation.method == *method;
    let Some(operation) = draft.operations.iter_mut().find(is_of).filter(|_| EXTENSIONS.contains(&key.as_str())) else {
        return false;
    };
    let mut value = operation.value();
    let removed = value.as_object_mut().and_then(|value| value.remove(key)).is_some();
    operation.packed = value.into();
    let (at, reason) =
        (child(&operation.at, key), failure.reason.trim_start_matches("the generated document violates a rule: "));
    let text = crate::text::one_line(&format!("{key} is left out: {reason}"));
    draft.losses.push(Loss { kind: Kind::Other, at, text, owner: Owner::Document });
    removed
}

/// The extensions by which methods are generated.
const EXTENSIONS: [&str; 2] = ["x-pagination", "x-long-running"];

/// Returns the text of a draft's document, and the document, if it keeps all rules.
pub(super) fn checked(name: &str, draft: &Conversion, published: &Published) -> Result<(String, Document), Failure> {
    let (text, document) = yaml_writer::document(name, draft, published)?;
    let findings = lint::lint(&document);
    match findings.iter().find(|finding| finding.rule.level == Level::Error) {
        Some(finding) => {
            let mut failure = Failure::from(format!("the generated document violates a rule: {finding}"));
            failure.at = Some(finding.pointer.clone());
            Err(failure)
        }
        None => Ok((text, document)),
    }
}

/// Returns the pointers, in the vendor's file, of the operations that a failure is about: the one at its location, or those that use the
/// schema there.
pub(super) fn causes(draft: &Conversion, failure: &Failure) -> Vec<String> {
    let parts = failure.at.iter().flat_map(|at| keys(at)).collect::<Vec<_>>();
    let is_cause: Box<dyn Fn(&ConvertedOperation) -> bool> = match parts.as_slice() {
        [section, path, method, ..] if section == "paths" => {
            Box::new(move |operation| operation.path == *path && operation.method == *method)
        }
        [section, schemas, name, ..] if section == "components" && schemas == "schemas" => {
            let document = draft.document();
            let uses = move |operation: &ConvertedOperation| {
                let value = operation.value();
                let found = reachable(&document, [&value], |_| true);
                found.iter().any(|reference| reference.strip_prefix(SCHEMAS).map(unescape).as_ref() == Some(name))
            };
            Box::new(uses)
        }
        _ => return Vec::new(),
    };
    draft.operations.iter().filter(|operation| is_cause(operation)).map(|operation| operation.at.clone()).collect()
}

/// Returns the note that an extension has no method.
pub(super) fn omission(draft: &Conversion, omitted: &Omitted) -> Loss {
    let parts = keys(&omitted.at).collect::<Vec<_>>();
    let is_of = |operation: &&ConvertedOperation| {
        parts.get(1).is_some_and(|path| *path == operation.path)
            && parts.get(2).is_some_and(|method| *method == operation.method)
    };
    let at = draft.operations.iter().find(is_of).map_or_else(|| omitted.at.clone(), |operation| operation.at.clone());
    Loss { kind: Kind::Other, at, text: crate::text::one_line(&omitted.reason), owner: Owner::Document }
}

/// Returns the note that an operation is left out.
pub(super) fn loss(root: &Value, at: String, reason: &str) -> Loss {
    let named = crate::import::operations(root).into_iter().find(|operation| operation.pointer == at);
    let named = named.map(|operation| format!("{} {}", operation.method.to_uppercase(), operation.path));
    let text = crate::text::one_line(&format!("{}: {}", named.unwrap_or_default(), without_location(reason)));
    Loss { kind: Kind::Operation, at, text, owner: Owner::Document }
}

/// Returns the reason of a failure without the draft's file, which is not written, and without the location in it.
fn without_location(reason: &str) -> &str {
    let reason = reason.split_once(".yaml: ").map_or(reason, |(file, rest)| match file.starts_with("openapi/") {
        true => rest,
        false => reason,
    });
    if let Some(finding) = reason.strip_prefix("the generated document violates a rule: ") {
        return finding.split_once(": ").map_or(finding, |(_, reason)| reason);
    }
    let is_place = |place: &str| ["operation ", "schema "].iter().any(|of| place.starts_with(of));
    reason.rsplit_once("; ").filter(|(_, place)| is_place(place)).map_or(reason, |(reason, _)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_of_a_loss_has_no_location_in_the_draft() {
        for (failure, expected) in [
            (
                "openapi/acme.yaml: progenitor could not generate: no; yes; operation getX at /paths/~1x/get",
                "progenitor could not generate: no; yes",
            ),
            ("openapi/acme.yaml: nothing in it fails alone", "nothing in it fails alone"),
            ("openapi/acme.yaml: no name; schema A at /components/schemas/A", "no name"),
            (
                "the generated document violates a rule: error[status] at /paths/~1x/get: 299 is odd; use 200",
                "299 is odd; use 200",
            ),
            ("cookies are not supported; use headers", "cookies are not supported; use headers"),
        ] {
            assert_eq!(without_location(failure), expected);
        }
    }
}
