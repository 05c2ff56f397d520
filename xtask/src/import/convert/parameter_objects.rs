//! Parameters that are objects: their fields are sent one by one, those of nested objects under names such as `filter[at][gte]`.

use std::collections::VecDeque;

use openapi_document::resolve;
use serde_json::{Value, json};

use super::{
    Converter,
    parameters::Parameter,
    view::{NamedField, View},
};
use crate::import::losses::Kind;

/// Names of fields inside fields are not written out beyond this length: objects may hold themselves.
const MAX_DEEP_NAME: usize = 100;

/// Objects of more fields are not written out: with each level, objects that hold themselves twice have twice as many.
const MAX_FIELDS: usize = 500;

/// Names as they are sent, with schemas and whether they are required.
type Fields = Vec<(String, Value, bool)>;

impl Converter<'_> {
    /// Returns the fields of a parameter that is an object, with the names under which they are sent.
    pub(super) fn parameter_fields(&mut self, schema: &Value, at: &str, around: &str) -> Option<Fields> {
        let view = self.view(schema, at)?;
        Some(
            view.into_fields()
                .map(|NamedField { name, node, required, .. }| {
                    let sent = if around.is_empty() { name } else { format!("{around}[{name}]") };
                    (sent, node, required)
                })
                .collect(),
        )
    }

    /// Returns the fields of an object inside a parameter that is an object, such as `filter[at][gte]`; with what it may be besides
    /// objects.
    fn nested_fields(&self, node: &Value, at: &str, sent: &str) -> Option<(Option<Value>, Fields)> {
        let node = resolve(self.root, node);
        let parts = ["oneOf", "anyOf"].iter().find_map(|key| node.get(*key)?.as_array());
        let parts = parts.map_or_else(|| vec![node], |parts| parts.iter().collect());
        let mut views = parts.into_iter().map(|part| (part, self.view(part, at).filter(View::has_fields)));
        let (mut simple, mut fields) = (Vec::new(), Vec::new());
        views.by_ref().for_each(|(part, view)| match view {
            Some(view) => {
                fields.extend(
                    view.into_fields().map(|field| (format!("{sent}[{}]", field.name), field.node, field.required)),
                );
            }
            None => simple.push(part.clone()),
        });
        let simple = match simple.len() {
            0 => None,
            1 => simple.pop(),
            _ => Some(json!({"anyOf": simple})),
        };
        (!fields.is_empty()).then_some((simple, fields))
    }

    /// Returns a parameter for each field of an object.
    pub(super) fn flat(&mut self, parameter: &Parameter<'_>, fields: Fields) -> Result<Vec<Value>, String> {
        let (name, at) = (parameter.text("name"), parameter.at.as_str());
        let deep = parameter.text("style") == "deepObject";
        let mut all = Vec::new();
        let mut fields = VecDeque::from(fields);
        let mut read = 0;
        while let Some((sent, node, required)) = fields.pop_front() {
            if read == MAX_FIELDS {
                if required && parameter.required() {
                    return Err(format!("its required parameter {name:?} has more than {MAX_FIELDS} fields"));
                }
                let text =
                    format!("{sent:?} and deeper fields of {name:?} are left out: more than {MAX_FIELDS} fields");
                self.losses.add(Kind::Parameter, at, text);
                break;
            }
            read += 1;
            let nested = if deep && sent.len() < MAX_DEEP_NAME { self.nested_fields(&node, at, &sent) } else { None };
            if let Some((simple, nested)) = nested {
                fields.extend(
                    nested.into_iter().map(|(sent, node, own)| (sent, node, own && required && simple.is_none())),
                );
                let Some(simple) = simple else { continue };
                fields.push_front((sent, simple, false));
                continue;
            }
            let (hint, mark) = (format!("parameter-{sent}"), self.losses.len());
            let Some(converted) = self.parameter_schema((&sent, &node, at), parameter, &hint) else {
                self.losses.truncate_but_schemas(mark);
                let text = format!("{sent:?} is left out: its type has no single form as a string");
                self.losses.add(Kind::Parameter, at, text);
                continue;
            };
            all.push(self.drafted(parameter, &sent, converted, required && parameter.required()));
        }
        if all.is_empty() && parameter.required() {
            return Err(format!("its required parameter {name:?} is an object without fields that can be sent"));
        }
        let text = if all.is_empty() {
            "is left out: any fields, of which none is described"
        } else {
            "is sent by its fields, a parameter each"
        };
        self.losses.add(Kind::Parameter, at, format!("{name:?} {text}"));
        Ok(all)
    }
}
