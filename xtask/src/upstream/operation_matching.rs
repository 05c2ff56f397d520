//! Pairs of our operations and the vendor's.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::Operation;
use serde_json::Value;

use crate::{
    codegen::identifiers::value_name,
    import::{self, Published, base_paths},
};

/// Returns our operations, each with the vendor's, if it has it: by method and path, else by id.
pub(crate) fn pairs<'a, 'b>(ours: &'a Value, theirs: &'b Published) -> Vec<(Operation<'a>, Option<Operation<'b>>)> {
    let own = openapi_document::operations(ours).into_iter();
    let bases = base_paths(ours, theirs);
    own.map(|operation| {
        let same_path = |other: &Operation<'b>| same(&bases, &operation, other);
        let id = |operation: &Operation<'_>| value_name(operation.id());
        let same_id = |other: &Operation<'b>| !other.id().is_empty() && id(other) == id(&operation);
        let find = |fits: &dyn Fn(&Operation<'b>) -> bool| {
            import::operations(&theirs.root).into_iter().find(|other| fits(other))
        };
        // Paths that differ in the names of their parameters only are distinguished by these, or by the ids.
        let found = find(&|other| same_path(other) && other.path == operation.path)
            .or_else(|| find(&|other| same_path(other) && same_id(other)))
            .or_else(|| find(&same_path))
            .or_else(|| find(&same_id));
        (operation, found)
    })
    .collect()
}

/// Returns whether requests to two operations have the same method and path, a slash at the end and the case of letters
/// included.
pub(crate) fn same_address(ours: &Value, theirs: &Published, own: &Operation<'_>, other: &Operation<'_>) -> bool {
    same_by(shape, &base_paths(ours, theirs), own, other)
}

/// Returns whether two operations are one by method and path, and not only by id.
fn same(bases: &(String, String), own: &Operation<'_>, other: &Operation<'_>) -> bool {
    let loose = |base: &str, path: &str| shape(base, path).trim_end_matches('/').to_lowercase();
    same_by(loose, bases, own, other)
}

fn same_by(
    shape: impl Fn(&str, &str) -> String,
    (our_base, their_base): &(String, String),
    own: &Operation<'_>,
    other: &Operation<'_>,
) -> bool {
    let (whole, bare) = (shape(our_base, own.path), shape("", own.path));
    let there = shape("", other.path);
    own.method == other.method && (shape(their_base, other.path) == whole || there == bare || there == whole)
}

/// Returns the vendor's operations under tags of which we have some, that we have not; by tag, as `GET /path`.
pub(crate) fn uncurated(ours: &Value, theirs: &Published) -> BTreeMap<String, Vec<String>> {
    let pairs = pairs(ours, theirs);
    let curated = pairs.iter().filter_map(|(_, other)| other.as_ref()).collect::<Vec<_>>();
    let tags = curated.iter().flat_map(|operation| tags(operation)).collect::<BTreeSet<_>>();
    let mut found = BTreeMap::<String, Vec<String>>::new();
    for operation in import::operations(&theirs.root) {
        if curated.iter().any(|known| known.pointer == operation.pointer) {
            continue;
        }
        for tag in self::tags(&operation).into_iter().filter(|tag| tags.contains(tag)) {
            found.entry(tag.to_owned()).or_default().push(method_and_path(&operation));
        }
    }
    found
}

/// Returns `GET /path`.
pub(crate) fn method_and_path(operation: &Operation<'_>) -> String {
    format!("{} {}", operation.method.to_uppercase(), operation.path)
}

/// Returns its tags; the empty one if it has none, so that files without tags have something to go by.
fn tags<'a>(operation: &Operation<'a>) -> Vec<&'a str> {
    let stated = operation.value.get("tags").and_then(Value::as_array).into_iter().flatten();
    let stated = stated.filter_map(Value::as_str).collect::<Vec<_>>();
    if stated.is_empty() { vec![""] } else { stated }
}

/// Returns a path without the names of what is in it.
fn shape(base: &str, path: &str) -> String {
    let parts = path.split('/').map(|part| if part.starts_with('{') && part.ends_with('}') { "{}" } else { part });
    format!("{base}{}", parts.collect::<Vec<_>>().join("/"))
}
