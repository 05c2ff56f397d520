//! A vendor's specification rewritten by our rules: as much of it as the chosen operations need.
//!
//! Schemas are converted once each, when they are first reached. Objects with properties and lists of values become components, all
//! else is written where it is used.

mod all_of;
mod components;
mod conversion;
mod direction;
mod field;
mod form;
mod identifiers;
mod keywords;
mod media_types;
mod nulls;
mod object;
mod operation;
mod parameter_objects;
mod parameters;
mod path_template;
mod primitive;
mod printable_text;
mod request_body;
mod responses;
mod schema;
mod stated_examples;
mod subtypes;
mod union;
mod view;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
};

use openapi_document::{Operation, SCHEMAS, references};
use serde_json::{Map, Value, json};

use super::{
    losses::{Kind, Loss, Losses, Owner},
    pagination,
    parse::{Edition, Published},
    security, servers,
};
pub(crate) use conversion::{Conversion, ConvertedOperation};
pub(crate) use keywords::{annotates, states_something};
pub(crate) use media_types::{is_any_media, is_form};
pub(crate) use parameters::separator;
pub(crate) use responses::is_ignored_header;

use crate::{packed::Packed, text::one_line};
use direction::{Direction, Directions};
use identifiers::Names;

/// Rewrites the chosen operations. `today` becomes the draft's version. Operations that no client can send are left out, with
/// the reason among the losses; the error states why nothing is left. Schemas refer to each other over hundreds of steps: the stack has to
/// be a large one.
pub(crate) fn convert(published: &Published, chosen: &[Operation<'_>], today: &str) -> Result<Conversion, String> {
    let mut converter = Converter::new(&published.root, published.edition);
    let address = converter.address(chosen);
    let source = source(published);
    let mut operations = Vec::new();
    for operation in chosen {
        let mark = converter.losses.len();
        match converter.operation(operation, address.as_deref(), &source, today) {
            Ok(drafted) => operations.push(drafted),
            Err(reason) => {
                converter.losses.truncate_but_schemas(mark);
                let name = format!("{} {}", operation.method.to_uppercase(), operation.path);
                converter.losses.add(Kind::Operation, &operation.pointer, format!("{name}: {reason}"));
            }
        }
    }
    if operations.is_empty() {
        return Err(nothing_left(converter.losses));
    }
    let sent = chosen.iter().filter(|operation| operations.iter().any(|drafted| drafted.at == operation.pointer));
    let sent = sent.collect::<Vec<_>>();
    let (credentials, security, schemes) = security::credentials(
        &published.root,
        published.edition,
        &converter.requirements(&sent),
        &mut converter.losses,
    )?;
    let others = security::others(&published.root, published.edition, chosen, &security, &mut converter.losses);
    for (at, reason) in others {
        let Some(index) = operations.iter().position(|operation| operation.at == at) else { continue };
        let left_out = operations.remove(index);
        converter.losses.forget(&Owner::Operation(left_out.id));
        let name = format!("{} {}", left_out.method.to_uppercase(), left_out.path);
        converter.losses.add(Kind::Operation, &at, format!("{name}: {reason}"));
    }
    if operations.is_empty() {
        return Err(nothing_left(converter.losses));
    }
    for (at, requirement) in security::smaller(&published.root, chosen, &security) {
        if let Some(operation) = operations.iter_mut().find(|operation| operation.at == at) {
            let mut value = operation.value();
            value["security"] = requirement;
            operation.packed = value.into();
        }
    }
    if address.is_none() {
        let base = servers::base_path(&published.root, published.edition);
        let ending = if base.is_empty() { String::new() } else { format!(", with {base} at its end") };
        let text = format!("the specification states no address: callers of the client give it{ending}");
        converter.losses.add(Kind::Server, "/servers", text);
    }
    if chosen.iter().any(|operation| own_address(operation).is_none()) {
        servers::others(&published.root)
            .into_iter()
            .for_each(|(at, text)| converter.losses.add(Kind::Server, &at, text));
    }
    let head = converter.head(published, &operations, address.as_deref(), today, security);
    let schemas = converter.schemas(&operations);
    let mut head = head;
    let mut schemas = schemas;
    printable_text::clean(&mut head, &mut operations, &mut schemas, &mut converter.losses);
    nulls::note(&operations, &schemas, &mut converter.losses);
    // What turned out to be used by nothing has left no trace.
    let losses = std::mem::take(&mut converter.losses).sorted(|owner| match owner {
        Owner::Schema(name) => schemas.iter().any(|(kept, _)| kept == name),
        Owner::Document | Owner::Operation(_) => true,
    });
    drop(converter);
    let mut draft = Conversion { operations, schemas, losses, credentials, address, head, schemes };
    draft_pagination(&published.root, &mut draft);
    Ok(draft)
}

/// Returns why no operation is left.
fn nothing_left(losses: Losses) -> String {
    let reasons = losses.sorted(|_| true).into_iter().filter(|loss| loss.kind == Kind::Operation);
    let reasons = reasons.map(|loss| loss.text).collect::<Vec<_>>();
    match reasons.as_slice() {
        [] => "no operation was chosen".to_owned(),
        [only] => only.clone(),
        [first, rest @ ..] => {
            format!("none of {} operations can be sent; {first}; and {} more", reasons.len(), rest.len())
        }
    }
}

/// Describes the pages of the lists that follow a convention.
fn draft_pagination(root: &Value, draft: &mut Conversion) {
    let schemas = draft.schemas.iter().map(|(name, schema)| (name.as_str(), schema)).collect::<BTreeMap<_, _>>();
    // Operations refer to schemas only.
    let mut document = json!({"components": {"schemas": {}}});
    let (published, empty) = (super::operations(root), Map::new());
    for operation in &mut draft.operations {
        let Some(published) = published.iter().find(|published| published.pointer == operation.at) else { continue };
        // No others have pages: what only they reach stays packed.
        if operation.method != "get" && !published.value.contains_key("x-ms-pageable") {
            continue;
        }
        let mut value = operation.value();
        unpack_reached(&schemas, &value, &mut document["components"]["schemas"]);
        let Some(object) = value.as_object() else { continue };
        let (path, method, pointer) = (operation.path.as_str(), operation.method, String::new());
        let described = Operation { path, method, pointer, value: object, item: &empty };
        if let Some(extension) = pagination::draft(&document, &described, (root, published)) {
            value["x-pagination"] = extension;
            operation.packed = value.into();
        }
    }
}

/// Adds the schemas that a converted node reaches to those that were found before.
fn unpack_reached(schemas: &BTreeMap<&str, &Packed>, node: &Value, found: &mut Value) {
    let mut wanted = referenced_schemas(node).collect::<Vec<_>>();
    while let Some(name) = wanted.pop() {
        if let (None, Some(schema)) = (found.get(&name), schemas.get(name.as_str())) {
            let schema = schema.value();
            wanted.extend(referenced_schemas(&schema));
            found[name] = schema;
        }
    }
}

/// Returns the text by which a draft names its source.
fn source(published: &Published) -> String {
    let text = |pointer: &str| published.root.pointer(pointer).and_then(Value::as_str).unwrap_or_default().trim();
    let hash = published.sha256.get(..12).unwrap_or_default();
    let version = match text("/info/version") {
        "" => String::new(),
        version => format!(" {version}"),
    };
    format!("{}{version} ({}, sha256 {hash})", one_line(text("/info/title")), published.file)
}

/// The result of converting a referenced schema.
enum Outcome {
    /// It is being converted; whether something referred to it meanwhile.
    Working { name: String, nullable: bool, needed: bool },
    /// The schema to write where it is used: a reference to a component, or a schema too small to be one, whose losses are those of each user.
    Done(Value, Vec<Loss>),
}

/// The work of rewriting one specification.
struct Converter<'a> {
    root: &'a Value,
    edition: Edition,
    names: Names,
    /// The names of the schemas that are being converted, the innermost last.
    names_lent: Vec<String>,
    /// The schemas that were reached, by pointer.
    reached: BTreeMap<String, Outcome>,
    /// Components with the number that states when each was first reached.
    components: BTreeMap<String, (usize, Packed)>,
    /// Lists of values that have a name already, by their last word and values.
    enums: BTreeMap<(String, Vec<String>), String>,
    ids: Names,
    losses: Losses,
    depth: usize,
    order: usize,
    /// The direction of the converted body: the body of a request, or that of a response.
    direction: Direction,
    directions: Directions<'a>,
    /// The number of parts of the current object so far.
    views: Cell<usize>,
}

impl<'a> Converter<'a> {
    fn new(root: &'a Value, edition: Edition) -> Self {
        Self {
            root,
            edition,
            names: Names::of_types(),
            names_lent: Vec::new(),
            reached: BTreeMap::new(),
            components: BTreeMap::new(),
            enums: BTreeMap::new(),
            ids: Names::of_operations(),
            losses: Losses::default(),
            depth: 0,
            order: 0,
            direction: Direction::Response,
            directions: Directions::of(root),
            views: Cell::new(0),
        }
    }

    /// Returns where the chosen operations go, as far as it is the same for most of them.
    fn address(&self, chosen: &[Operation<'_>]) -> Option<String> {
        servers::common(&chosen.iter().filter_map(|operation| self.address_of(operation)).collect::<Vec<_>>())
    }

    /// Returns the base URL of an operation: its own, else the document's.
    fn address_of(&self, operation: &Operation<'_>) -> Option<String> {
        own_address(operation).or_else(|| servers::of_document(self.root, self.edition))
    }

    /// Returns the security requirement of most operations with one that a client can send; the first of several such ones. Where there is
    /// none, the schemes that are not defined are taken for bearer tokens; at last, that of the operations without one, if there are any.
    fn requirements(&self, sent: &[&Operation<'a>]) -> Value {
        let own = sent.iter().map(|operation| security::requirements(self.root, operation)).collect::<Vec<_>>();
        let alternatives =
            |own: Option<&'a Value>| own.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let is_free = |own| alternatives(own).is_empty() || alternatives(own).contains(&json!({}));
        let all = own.iter().copied().filter(|own| !alternatives(*own).is_empty()).flatten().collect::<Vec<_>>();
        let supported = |is_assumed: bool| {
            let is_sent = |own: &&Value| security::is_supported(self.root, self.edition, own, is_assumed);
            Some(all.iter().copied().filter(is_sent).collect::<Vec<_>>()).filter(|sent| !sent.is_empty())
        };
        let others = || if own.iter().any(|own| is_free(*own)) { Vec::new() } else { all.clone() };
        let all = supported(false).or_else(|| supported(true)).unwrap_or_else(others);
        let names = |own: &Value| {
            let alternatives = own.as_array().into_iter().flatten().filter_map(Value::as_object);
            alternatives.map(|all| all.keys().cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        let mut counts = BTreeMap::<_, usize>::new();
        all.iter().for_each(|own| *counts.entry(names(own)).or_default() += 1);
        let count = |own: &Value| counts.get(&names(own)).copied();
        let most = all.iter().enumerate().max_by_key(|(index, own)| (count(own), std::cmp::Reverse(*index)));
        let mut first = most.map(|(_, own)| (*own).clone()).unwrap_or_default();
        // Of its alternatives, that with which most operations can be sent.
        let holds = |own: &Value, sent: &Value| {
            let mut own = own.as_array().into_iter().flatten().filter_map(Value::as_object);
            own.any(|needed| needed.keys().all(|name| sent.get(name).is_some()))
        };
        if let Some(alternatives) = first.as_array_mut() {
            alternatives.sort_by_key(|sent| std::cmp::Reverse(all.iter().filter(|own| holds(own, sent)).count()));
        }
        // One token serves all operations: it has the scopes of each.
        for alternative in first.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            for (name, scopes) in alternative {
                let own = all
                    .iter()
                    .filter_map(|own| own.as_array())
                    .flatten()
                    .filter_map(|one| one.get(name.as_str())?.as_array());
                let own = own.flatten().cloned().collect::<Vec<_>>();
                let scopes = scopes.as_array_mut().into_iter().next();
                scopes.into_iter().for_each(|scopes| {
                    own.iter().for_each(|scope| {
                        if !scopes.contains(scope) {
                            scopes.push(scope.clone())
                        }
                    });
                });
            }
        }
        first
    }

    /// Returns `openapi`, `info`, `servers`, `tags` and `security`.
    fn head(
        &mut self,
        published: &Published,
        operations: &[ConvertedOperation],
        address: Option<&str>,
        today: &str,
        security: Value,
    ) -> Map<String, Value> {
        let title = published.root.pointer("/info/title").and_then(Value::as_str).unwrap_or_default();
        let title = printable_text::label(title, "/info/title", &mut self.losses);
        let title = if title.is_empty() { published.file.clone() } else { title };
        let mut head = Map::new();
        head.insert("openapi".to_owned(), json!("3.0.3"));
        let description = format!("Generated from {} of {}.", source(published), published.edition);
        head.insert("info".to_owned(), json!({"title": title, "version": today, "description": description}));
        let base = servers::base_path(self.root, self.edition);
        let base = if base.is_empty() { "/".to_owned() } else { base };
        head.insert("servers".to_owned(), json!([{"url": address.unwrap_or(&base)}]));
        let used = operations.iter().filter_map(|operation| Some(operation.value().get("tags")?.as_array()?.clone()));
        let used = used.flatten().filter_map(|tag| Some(tag.as_str()?.to_owned())).collect::<BTreeSet<_>>();
        let losses = &mut self.losses;
        let described = self.root.get("tags").and_then(Value::as_array).into_iter().flatten().enumerate();
        let described = described.filter_map(|(index, tag)| {
            let mark = losses.len();
            let name = printable_text::label(tag.get("name")?.as_str()?, &format!("/tags/{index}/name"), losses);
            if !used.contains(&name) {
                losses.truncate(mark);
                return None;
            }
            let text = tag.get("description").and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
            Some(match text {
                Some(text) => json!({"name": name, "description": text}),
                None => json!({"name": name}),
            })
        });
        let tags = described.collect::<Vec<_>>();
        if !tags.is_empty() {
            head.insert("tags".to_owned(), Value::Array(tags));
        }
        head.insert("security".to_owned(), security);
        head
    }

    /// Returns the components that the operations use, by when they were first reached.
    fn schemas(&mut self, operations: &[ConvertedOperation]) -> Vec<(String, Packed)> {
        let mut wanted = Vec::new();
        wanted
            .extend(operations.iter().flat_map(|operation| referenced_schemas(&operation.value()).collect::<Vec<_>>()));
        let mut kept = BTreeMap::new();
        while let Some(name) = wanted.pop() {
            if let Some((order, schema)) = self.components.remove(&name) {
                wanted.extend(referenced_schemas(&schema.value()));
                kept.insert(order, (name, schema));
            }
        }
        kept.into_values().collect()
    }
}

/// Returns the names of the component schemas that a converted node refers to.
fn referenced_schemas(node: &Value) -> impl Iterator<Item = String> {
    references(node).into_iter().filter_map(|target| target.strip_prefix(SCHEMAS)).map(str::to_owned)
}

/// Returns an operation's or its path's own address.
fn own_address(operation: &Operation<'_>) -> Option<String> {
    let own = |holder: &Map<String, Value>| {
        let servers = holder.get("servers")?;
        servers::address(&json!({"servers": servers}))
    };
    own(operation.value).or_else(|| own(operation.item))
}

#[cfg(test)]
mod tests;
