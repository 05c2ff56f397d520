//! The choice of operations of a specification.

use std::collections::BTreeMap;

use openapi_document::{METHODS, Operation, pointer::child, resolve};
use serde_json::{Map, Value};

use super::bundle;
use crate::{codegen::identifiers::value_name, output::pluralize};

/// How operations are chosen: those that any of these names.
#[derive(Default)]
pub(crate) struct Choice {
    pub(crate) tags: Vec<String>,
    /// By `operationId`, or as `GET /path`.
    pub(crate) operations: Vec<String>,
    /// With `*` for a part of a segment and `**` for any number of them.
    pub(crate) paths: Vec<String>,
}

impl Choice {
    pub(crate) fn is_empty(&self) -> bool {
        self.tags.is_empty() && self.operations.is_empty() && self.paths.is_empty()
    }

    /// Returns the chosen operations, by path, then method. The error names the choices without an operation.
    pub(crate) fn of<'a>(&self, root: &'a Value) -> Result<Vec<Operation<'a>>, String> {
        let all = operations(root);
        if all.is_empty() {
            return Err(nothing_to_choose(root));
        }
        let unused =
            |what: &str, name: &String| Err(format!("no operation has the {what} {name:?} (--list shows them)"));
        let any = |fits: &dyn Fn(&Operation<'a>) -> bool| all.iter().any(fits);
        for tag in &self.tags {
            if !any(&|operation| has_tag(operation, tag)) {
                return unused("tag", tag);
            }
        }
        for id in &self.operations {
            if !any(&|operation| has_id(operation, id)) {
                return unused("id", id);
            }
        }
        for glob in &self.paths {
            if !any(&|operation| fits(glob, operation.path)) {
                return unused("path", glob);
            }
        }
        let chosen = all.into_iter().filter(|operation| {
            self.tags.iter().any(|tag| has_tag(operation, tag))
                || self.operations.iter().any(|id| has_id(operation, id))
                || self.paths.iter().any(|glob| fits(glob, operation.path))
        });
        Ok(chosen.collect())
    }
}

/// Returns why a specification has no operations.
fn nothing_to_choose(root: &Value) -> String {
    let lost = lost(root);
    let Some((first, rest)) = lost.split_first() else {
        return "the specification has no operations: its `paths` have none; give the file that has them".to_owned();
    };
    let more = if rest.is_empty() { String::new() } else { format!("; and {} more", rest.len()) };
    let is_elsewhere = |line: &String| line.contains("unresolved reference \"") && !line.contains("reference \"#");
    let files = if lost.iter().any(is_elsewhere) { "; files that it refers to belong in its folder" } else { "" };
    format!("the specification has no operations; {first}{more}{files}")
}

/// Returns all operations, by path, then method; path items and operations that are references are followed.
pub(crate) fn operations(root: &Value) -> Vec<Operation<'_>> {
    let paths = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    let items = paths.filter_map(|(path, item)| Some((path, resolve(root, item).as_object()?)));
    let operations = items.flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| {
            let value = resolve(root, item.get(method)?).as_object().filter(|value| !value.contains_key("$ref"))?;
            Some(Operation { path, method, pointer: child(&child("/paths", path), method), value, item })
        })
    });
    operations.filter(|operation| operation.path.starts_with('/')).collect()
}

/// Paths and operations that are unresolved references or no objects, a line each.
pub(super) fn lost(root: &Value) -> Vec<String> {
    let paths = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    let locations = paths.filter(|(path, _)| !path.starts_with("x-")).flat_map(|(path, item)| {
        let item = resolve(root, item);
        let methods = METHODS.into_iter().filter_map(move |method| {
            Some((format!("{} {path}", method.to_uppercase()), resolve(root, item.get(method)?)))
        });
        [(path.clone(), item)].into_iter().chain(methods)
    });
    let lost = locations.filter_map(|(what, node)| {
        let why = bundle::dangling(node).map(|reference| format!("unresolved reference {reference:?}"));
        let why = why.or_else(|| (!node.is_object()).then(|| "it is not an object".to_owned()))?;
        Some(format!("{what}: not read: {why}"))
    });
    // Azure's, for operations that differ in the query only.
    let overloads = root.get("x-ms-paths").and_then(Value::as_object).map_or(0, Map::len);
    let overloads = (overloads > 0).then(|| format!("x-ms-paths: {} not read", pluralize(overloads, "path")));
    let relative = root.get("paths").and_then(Value::as_object).into_iter().flatten();
    let relative = relative.filter(|(path, _)| !path.starts_with('/') && !path.starts_with("x-"));
    let relative = relative.map(|(path, _)| format!("{path}: not read: the path does not begin with a slash"));
    let webhooks = root.get("webhooks").and_then(Value::as_object).map_or(0, Map::len);
    let webhooks = (webhooks > 0).then(|| format!("webhooks: {webhooks} not read: they are requests of the vendor"));
    lost.chain(relative).chain(overloads).chain(webhooks).collect()
}

/// Returns the tags with the number of their operations; those without a tag count under "".
pub(crate) fn tags<'a>(operations: &[Operation<'a>]) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for operation in operations {
        let names = tags_of(operation);
        let names = if names.is_empty() { vec![""] } else { names };
        names.into_iter().for_each(|tag| *counts.entry(tag).or_default() += 1);
    }
    counts
}

/// Returns the operation's own tags.
pub(super) fn tags_of<'a>(operation: &Operation<'a>) -> Vec<&'a str> {
    operation.value.get("tags").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

fn has_tag(operation: &Operation<'_>, wanted: &str) -> bool {
    tags_of(operation).iter().any(|tag| tag.eq_ignore_ascii_case(wanted))
}

fn has_id(operation: &Operation<'_>, wanted: &str) -> bool {
    let own = operation.id();
    own == wanted
        || wanted
            .split_once(' ')
            .is_some_and(|(method, path)| method.eq_ignore_ascii_case(operation.method) && path == operation.path)
        || own.is_empty() && value_name(&derived_id(operation)) == value_name(wanted)
}

/// Returns the name of an operation that has none: its method and the words of its path.
pub(super) fn derived_id(operation: &Operation<'_>) -> String {
    let words = operation.path.split('/').filter(|part| !part.is_empty()).map(|part| match part.strip_prefix('{') {
        Some(name) => format!("by_{}", name.trim_end_matches('}')),
        None => part.to_owned(),
    });
    value_name(&[operation.method.to_owned()].into_iter().chain(words).collect::<Vec<_>>().join("_"))
}

fn fits(glob: &str, path: &str) -> bool {
    let exact = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    glob == path || glob::Pattern::new(glob).is_ok_and(|pattern| pattern.matches_with(path, exact))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chosen(choice: Choice) -> Result<Vec<String>, String> {
        let root = json!({
            "paths": {
                "/v1/usage": {"get": {"operationId": "getUsage", "tags": ["Usage"]}, "post": {"tags": ["Usage", "Send"]}},
                "/v1/usage/{id}": {"$ref": "#/x/item"},
                "/v1/users": {"get": {"operationId": "listUsers"}},
            },
            "x": {"item": {"delete": {"$ref": "#/x/operation"}}, "operation": {"operationId": "removeUsage"}},
        });
        let found = choice.of(&root)?;
        Ok(found.iter().map(|operation| format!("{} {}", operation.method, operation.path)).collect())
    }

    fn words(all: &[&str]) -> Vec<String> {
        all.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn operations_are_chosen_by_tag_id_or_path() {
        let tags = |all: &[&str]| chosen(Choice { tags: words(all), ..Choice::default() });
        let ids = |all: &[&str]| chosen(Choice { operations: words(all), ..Choice::default() });
        let paths = |all: &[&str]| chosen(Choice { paths: words(all), ..Choice::default() });
        assert_eq!(tags(&["usage"]), Ok(words(&["get /v1/usage", "post /v1/usage"])));
        assert_eq!(ids(&["removeUsage", "get /v1/users"]), Ok(words(&["delete /v1/usage/{id}", "get /v1/users"])));
        assert_eq!(ids(&["post_v1_usage"]), Ok(words(&["post /v1/usage"])));
        assert_eq!(paths(&["/v1/us*"]), Ok(words(&["get /v1/usage", "post /v1/usage", "get /v1/users"])));
        assert_eq!(paths(&["/v1/usage/**"]), Ok(words(&["delete /v1/usage/{id}"])));
    }

    #[test]
    fn unresolved_paths_and_operations_are_reported() {
        let root = json!({"paths": {
            "/a": {"$ref": "#/x-files/a.yaml/b"},
            "/b": {"get": {"$ref": "#/gone"}, "put": {"operationId": "b"}},
        }, "x-ms-paths": {"/b?kind=c": {}}});
        let names = operations(&root).into_iter().map(|operation| operation.id().to_owned()).collect::<Vec<_>>();
        assert_eq!(names, ["b"]);
        assert_eq!(
            lost(&root),
            [
                "/a: not read: unresolved reference \"a.yaml#/b\"",
                "GET /b: not read: unresolved reference \"#/gone\"",
                "x-ms-paths: 1 path not read",
            ]
        );
    }

    #[test]
    fn a_choice_that_chooses_nothing_is_named() {
        let choice = Choice { tags: words(&["Usage", "Billing"]), ..Choice::default() };
        assert_eq!(chosen(choice), Err("no operation has the tag \"Billing\" (--list shows them)".to_owned()));
        let any = Choice { paths: words(&["/**"]), ..Choice::default() };
        assert_eq!(
            any.of(&json!({})).map(|all| all.len()),
            Err("the specification has no operations: its `paths` have none; give the file that has them".to_owned())
        );
        let hooks = json!({"paths": {"/a": {"$ref": "a.yaml"}, "/b": null}, "webhooks": {"paid": {"post": {}}}});
        assert_eq!(
            any.of(&hooks).err().as_deref(),
            Some(
                "the specification has no operations; /a: not read: unresolved reference \"a.yaml\"; and 2 more; files that it refers to belong in its folder"
            )
        );
    }
}
