//! Subtypes: components that extend another one which has a discriminator. Where the one is read, any of them may come.

use std::collections::BTreeSet;

use openapi_document::{
    pointer::{child, unescape},
    resolve_at,
};
use serde_json::{Map, Value};

use super::{Converter, view::View};
use crate::import::losses::Kind;

impl Converter<'_> {
    /// Adds the fields of the components that extend a schema by `allOf`, in any number of steps, and of those that its discriminator
    /// names.
    pub(super) fn add_subtypes(&self, view: &mut View, node: &Value, at: &str, depth: usize) {
        let (at, node) = resolve_at(self.root, at.to_owned(), node);
        if !view.has_fields() || !self.has_discriminator(node) {
            return;
        }
        let named = mapping(node).filter_map(|(_, target)| self.target(&at, target)).collect::<Vec<_>>();
        let mut found = BTreeSet::from([at.clone()]);
        let mut todo = vec![at.clone()];
        while let Some(base) = todo.pop() {
            let extensions = self.extensions(&base).into_iter();
            todo.extend(extensions.filter(|pointer| found.insert(pointer.clone())).collect::<Vec<_>>());
        }
        // What the discriminator of a base names may be the base of that base.
        found.extend(named.into_iter().filter(|pointer| !self.extends(&at, pointer)));
        found.remove(&at);
        for pointer in &found {
            if depth == 0 {
                self.views.set(0);
            }
            let subtype = self.root.pointer(pointer);
            let subtype = subtype.and_then(|schema| self.view_within(schema, pointer, &mut BTreeSet::new(), depth + 1));
            subtype.into_iter().for_each(|subtype| view.or(subtype));
        }
        self.add_discriminator(view, node, &at, found.iter().map(String::as_str));
        if !found.is_empty() {
            view.unions.push(if node.get("discriminator").is_some() { child(&at, "discriminator") } else { at });
        }
    }

    /// Notes the values of a discriminator that name nothing.
    pub(super) fn check_mapping(&mut self, node: &Value, at: &str) {
        for (value, target) in mapping(node) {
            if self.target(at, target).is_none() {
                let location = child(&child(&child(at, "discriminator"), "mapping"), value);
                self.losses.add(Kind::Union, &location, format!("unresolved reference {target:?}"));
            }
        }
    }

    /// Adds the field that a schema's discriminator names, with the values of these targets: those that its mapping has, else the names of
    /// components.
    pub(super) fn add_discriminator<'t>(
        &self,
        view: &mut View,
        node: &Value,
        at: &str,
        targets: impl Iterator<Item = &'t str>,
    ) {
        let Some(field) =
            node.get("discriminator").and_then(|it| it.as_str().or_else(|| it.get("propertyName")?.as_str()))
        else {
            return;
        };
        let mapped =
            mapping(node).map(|(value, target)| (value.to_owned(), self.target(at, target))).collect::<Vec<_>>();
        let others = targets.filter(|target| mapped.iter().all(|(_, mapped)| mapped.as_deref() != Some(target)));
        let values = others.filter_map(|target| {
            let stated = ["x-discriminator-value", "x-ms-discriminator-value"];
            let subtype = self.root.pointer(target)?;
            let stated = stated.iter().find_map(|key| subtype.get(*key)?.as_str()).map(str::to_owned);
            stated.or_else(|| Some(unescape(target.rsplit('/').next()?)))
        });
        let values = mapped.iter().map(|(value, _)| value.clone()).chain(values).collect::<Vec<_>>();
        if !values.is_empty() {
            view.discriminators.insert(field.to_owned(), values);
        }
    }

    /// Returns the pointer to what a discriminator names: by a reference, or by the name of a component.
    fn target(&self, at: &str, named: &str) -> Option<String> {
        let section = if at.starts_with("/definitions/") { "/definitions" } else { "/components/schemas" };
        let pointer = named.strip_prefix('#').map_or_else(|| child(section, named), str::to_owned);
        self.root.pointer(&pointer).map(|_| pointer)
    }

    /// Returns whether a schema or one that it extends has a discriminator of objects with fields of their own.
    fn has_discriminator(&self, node: &Value) -> bool {
        let states = |node: &Value| {
            let alternatives = ["oneOf", "anyOf"].iter().any(|key| node.get(*key).is_some());
            node.get("discriminator").is_some() && !alternatives
        };
        let extended = self.extended(node);
        states(node) || extended.iter().filter_map(|pointer| self.root.pointer(pointer)).any(states)
    }

    /// Returns the pointers to the components that a schema extends, in any number of steps.
    fn extended(&self, node: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut todo = bases(node).map(str::to_owned).collect::<Vec<_>>();
        while let Some(pointer) = todo.pop() {
            if let Some(node) = self.root.pointer(&pointer)
                && found.insert(pointer)
            {
                todo.extend(bases(node).map(str::to_owned));
            }
        }
        found
    }

    /// Returns the components beside one that extend it.
    fn extensions(&self, base: &str) -> Vec<String> {
        let (section, _) = base.rsplit_once('/').unwrap_or_default();
        let components = self.root.pointer(section).and_then(Value::as_object).into_iter().flatten();
        let extend = components.filter(|(_, schema)| bases(schema).any(|target| target == base));
        extend.map(|(name, _)| child(section, name)).collect()
    }

    /// Returns whether a component extends another one, or is it.
    pub(super) fn extends(&self, pointer: &str, base: &str) -> bool {
        let node = self.root.pointer(pointer);
        pointer == base || node.is_some_and(|node| self.extended(node).contains(base))
    }
}

/// Returns the values of a schema's discriminator with what they name.
fn mapping(node: &Value) -> impl Iterator<Item = (&str, &str)> {
    let mapping = node.get("discriminator").and_then(|discriminator| discriminator.get("mapping"));
    let mapping = mapping.and_then(Value::as_object).into_iter().flat_map(Map::iter);
    mapping.filter_map(|(value, target)| Some((value.as_str(), target.as_str()?)))
}

/// Returns the pointers to the components that a schema is, or extends by `allOf`.
fn bases(node: &Value) -> impl Iterator<Item = &str> {
    let parts = node.get("allOf").and_then(Value::as_array).into_iter().flatten();
    parts.chain([node]).filter_map(|part| part.get("$ref")?.as_str()?.strip_prefix('#'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::import::convert::tests::{drafted, losses, responding};

    #[test]
    fn base_has_the_fields_of_all_subtypes() {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let field = |name: &str| json!({"type": "object", "properties": {name: {"type": "string"}}});
        let extends = |base: &str, name: &str| json!({"allOf": [reference(base), field(name)]});
        let pet = json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}, "discriminator": {
            "propertyName": "kind", "mapping": {"fish": "#/components/schemas/Fish", "bird": "Bird"},
        }});
        let draft = drafted(responding(
            json!({"type": "object", "properties": {
                "pet": reference("Pet"), "cat": reference("Cat"), "any": {"oneOf": [reference("Pet"), reference("Owner")]},
            }}),
            json!({
                "Pet": pet, "Cat": extends("Pet", "claws"), "Kitten": extends("Cat", "age"), "Fish": field("fins"),
                "Bird": field("wings"), "Owner": field("owner"),
            }),
        ))
        .expect("it converts");
        let document = draft.document();
        let fields = |name: &str| {
            let fields = document["components"]["schemas"][name]["properties"].as_object();
            fields.map(|all| all.keys().cloned().collect::<Vec<_>>().join(" ")).unwrap_or_default()
        };
        assert_eq!(fields("Pet"), "age claws fins kind wings");
        assert_eq!(fields("Cat"), "age claws kind");
        assert_eq!(fields("GetAResponseAny"), "age claws fins kind owner wings");
        let unions = losses(&draft).into_iter().filter(|text| text.starts_with("alternatives became one object"));
        assert!(unions.count() > 0);
    }

    #[test]
    fn field_of_a_discriminator_states_its_values() {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let field = |name: &str| json!({"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}, name: {"type": "string"}}});
        let extends = |name: &str| json!({"allOf": [reference("Pet"), field(name)]});
        let mut cat = extends("claws");
        cat["x-discriminator-value"] = json!("cat-v1");
        let pet = json!({"type": "object", "discriminator": {"propertyName": "kind"}, "properties": {"kind": {"type": "string", "description": "Kind."}}});
        let mapping =
            json!({"propertyName": "kind", "mapping": {"card": "#/components/schemas/Card", "bank/account": "Bank"}});
        let any = json!([reference("Card"), reference("Bank"), reference("Cash")]);
        let draft = drafted(responding(
            json!({"type": "object", "properties": {
                "pet": reference("Pet"), "paid": {"oneOf": any, "discriminator": mapping},
                "owned": {"discriminator": mapping, "oneOf": any, "properties": {"owner": {"type": "string"}}},
            }}),
            json!({
                "Pet": pet, "Cat": cat, "Dog": extends("tail"),
                "Card": field("number"), "Bank": field("iban"), "Cash": field("till"),
            }),
        ))
        .expect("it converts");
        let schemas = draft.document()["components"]["schemas"].clone();
        let kind = |name: &str| schemas[name]["properties"]["kind"]["description"].clone();
        assert_eq!(kind("Pet"), "Kind. One of `cat-v1`, `Dog`.");
        for union in ["GetAResponsePaid", "GetAResponseOwned"] {
            assert_eq!(kind(union), "One of `bank/account`, `card`, `Cash`.", "{union}: {schemas}");
        }
    }

    #[test]
    fn list_of_values_that_subtypes_or_alternatives_narrow_is_one_list() {
        let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
        let of = |value: &str, name: &str| json!({"type": "object", "properties": {"kind": {"type": "string", "enum": [value]}, name: {"type": "string"}}});
        let extends = |value: &str| json!({"allOf": [reference("Event"), of(value, value)]});
        let event = json!({"type": "object", "required": ["kind"], "discriminator": {"propertyName": "kind"}, "properties": {"kind": reference("Kind")}});
        let shape = json!({
            "type": "object", "properties": {"kind": {"type": "string", "description": "Kind."}},
            "oneOf": [of("circle", "radius"), of("square", "side")],
        });
        let draft = drafted(responding(
            json!({"type": "object", "properties": {"event": reference("Event"), "shape": shape}}),
            json!({
                "Kind": {"type": "string", "enum": ["usage", "credit"]}, "Event": event, "Usage": extends("usage"), "Credit": extends("credit"),
            }),
        ))
        .expect("it converts");
        let schemas = draft.document()["components"]["schemas"].clone();
        let values = |name: &str| {
            let target = schemas[name]["properties"]["kind"]["$ref"].as_str().unwrap_or_default();
            schemas[target.rsplit('/').next().unwrap_or_default()]["enum"].clone()
        };
        assert_eq!(values("Event"), json!(["usage", "credit"]), "{schemas}");
        assert_eq!(values("GetAResponseShape"), json!(["circle", "square"]), "{schemas}");
        let untyped =
            losses(&draft).into_iter().filter(|text| text.contains("refines") || text.contains("different kinds"));
        assert_eq!(untyped.count(), 0);
    }

    #[test]
    fn alternative_of_any_fields_keeps_those_that_no_other_has() {
        let one = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        let draft = drafted(responding(json!({"oneOf": [one, {"type": "object"}]}), json!({}))).expect("it converts");
        assert_eq!(draft.document()["components"]["schemas"]["GetAResponse"]["additionalProperties"], true);
    }
}
