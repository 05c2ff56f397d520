//! Parameters beside each other: by place and name, those of the path by their order.

use openapi_document::{Operation, pointer::child};
use serde_json::Value;

use super::Comparison;
use crate::commands::upstream::plain::{plain, shown};

impl<'a> Comparison<'a> {
    pub(super) fn parameters(&mut self, own: &Operation<'a>, other: &'a Value, template: &str) {
        let name = |parameter: &Value| {
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            (text("in"), if text("in") == "header" { text("name").to_lowercase() } else { text("name") })
        };
        let at = child(&own.pointer, "parameters");
        let own_all = own.parameters(self.ours);
        let others = other.get("parameters").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        // Parameters of the path are matched by their order: their names are not on the wire.
        let path = |all: Vec<&'a Value>, template: &str| {
            let place = |parameter: &Value| {
                template.find(&format!("{{{}}}", parameter.get("name").and_then(Value::as_str).unwrap_or_default()))
            };
            let mut all = all.into_iter().filter(|parameter| name(parameter).0 == "path").collect::<Vec<_>>();
            all.sort_by_key(|parameter| place(parameter));
            all
        };
        for (own, other) in path(own_all.clone(), own.path).into_iter().zip(path(others.iter().collect(), template)) {
            let place = child(&child(&at, "path"), &name(own).1);
            self.parameter(own, other, &place);
        }
        for own in own_all.iter().filter(|own| name(own).0 != "path") {
            let place = child(&child(&at, &name(own).0), &name(own).1);
            match others.iter().find(|other| name(other) == name(own)) {
                Some(other) => self.parameter(own, other, &place),
                None => self.add(&place, "parameter-extra", "the vendor does not document it".to_owned()),
            }
        }
        for other in others.iter().filter(|other| name(other).0 != "path") {
            if own_all.iter().all(|own| name(own) != name(other)) {
                let (place, _) = name(other);
                let name = other.get("name").and_then(Value::as_str).unwrap_or_default();
                let kind = shown(plain(self.theirs, other.get("schema").unwrap_or(&Value::Null)).schema);
                self.add(&at, "parameter-missing", format!("the vendor has {name:?} in {place} ({kind})"));
            }
        }
    }

    fn parameter(&mut self, own: &'a Value, other: &'a Value, at: &str) {
        let required = |parameter: &Value| parameter.get("required").and_then(Value::as_bool).unwrap_or_default();
        self.sent = true;
        self.required(required(own), required(other), at);
        self.deprecation(own.get("deprecated") == Some(&Value::Bool(true)), other, at);
        if is_exploded(own) != is_exploded(other) {
            let said =
                |parameter| if is_exploded(parameter) { "a parameter for each item" } else { "joined by commas" };
            self.add(at, "style", format!("{} here, {} at the vendor's", said(own), said(other)));
        }
        if let (Some(own), Some(other)) = (own.get("schema"), other.get("schema")) {
            self.schema(own, other, at);
        }
        self.sent = false;
    }
}

/// Whether the items of an array in the query are parameters of their own.
fn is_exploded(parameter: &Value) -> bool {
    parameter.get("explode") != Some(&Value::Bool(false))
}
