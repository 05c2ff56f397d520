//! Forms side by side with their drafts: objects in them are fields of their own, such as `at[gte]`.

use openapi_document::{Operation, pointer::child, resolve_at};
use serde_json::Value;

use super::{
    parts::properties,
    schema::{has_fields_of, resolved, text},
    walk::Walk,
};
use crate::import;

/// How deep the objects of a form are followed.
const DEPTH: usize = 8;

impl<'a> Walk<'a> {
    /// Compares the form of Swagger 2, whose fields are parameters.
    pub(super) fn form_data(&mut self, operation: &Operation<'a>, own: Option<&'a Value>) {
        let parameters = operation.parameters_at(self.theirs).into_iter();
        let fields = parameters.filter(|(_, parameter)| text(parameter, "in") == "formData").collect::<Vec<_>>();
        if fields.is_empty() {
            return;
        }
        let media = own.and_then(|own| own.get("content")?.as_object()).into_iter().flatten();
        let form = media.filter(|(media, _)| import::is_form(media)).find_map(|(_, media)| media.get("schema"));
        let Some(form) = form else {
            return self.add(&child(&operation.pointer, "parameters"), "the body is not in the draft");
        };
        let (_, form) = resolve_at(self.ours, String::new(), form);
        self.is_form = true;
        for (at, parameter) in fields {
            let name = text(parameter, "name");
            match form.get("properties").and_then(|own| own.get(name)) {
                Some(own) => self.schema(parameter, at, own, 0),
                None => {
                    self.from.clear();
                    self.add(&at, format!("the field {name:?} is not in the draft"));
                }
            }
        }
        self.is_form = false;
        self.from.clear();
    }

    /// Notes the objects that the specification asks for in another form than `at[gte]`. `at` is the location of the form's schema.
    pub(super) fn encoding(&mut self, media: &'a Value, at: &str, own: &'a Value) {
        let (_, own) = resolve_at(self.ours, String::new(), own);
        for (name, stated) in media.get("encoding").and_then(Value::as_object).into_iter().flatten() {
            let is_stated = ["style", "explode", "contentType"].iter().any(|key| stated.get(*key).is_some());
            if is_stated && text(stated, "style") != "deepObject" && has_fields_of(own, name) {
                self.from.clear();
                self.add(
                    &child(&child(at, "properties"), name),
                    format!("the object {name:?} is asked for in another form"),
                );
            }
        }
    }

    /// Compares an object in a form, whose fields are `around[field]` in the draft.
    pub(super) fn form_object(&mut self, schema: &'a Value, at: String, own: &'a Value, around: &str, depth: usize) {
        let (at, schema) = resolved(self.theirs, at, schema);
        for (name, (at, property)) in properties(self.theirs, schema, &at) {
            let sent = format!("{around}[{name}]");
            match own.get("properties").and_then(|own| own.get(&sent)) {
                Some(own) => self.schema(property, at, own, depth + 1),
                None if self.is_skipped(property) => {}
                None if depth < DEPTH && has_fields_of(own, &sent) => {
                    self.form_object(property, at, own, &sent, depth + 1);
                }
                None => {
                    self.from.clear();
                    self.add(&at, format!("the field {sent:?} is not in the draft"));
                }
            }
        }
    }
}
