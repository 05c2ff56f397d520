//! Forms: fields with simple values and lists of them, those of objects under names such as `address[city]`.

use openapi_document::{component_of, resolve, resolve_at};
use serde_json::{Map, Value, json};

use super::{
    Converter,
    keywords::describe,
    parameters::{Parameter, joined_by},
    view::{NamedField, View},
};
use crate::{
    codegen::identifiers::type_name,
    import::{losses::Kind, parse::Edition},
};

/// So deep are the objects of a form written out as `a[b]`.
const FORM_DEPTH: usize = 4;

/// The maximum number of fields of a form, those of its objects included.
const MAX_FIELDS: usize = 5_000;

/// The fields of a form, as they are sent.
#[derive(Default)]
struct Fields {
    found: Vec<NamedField>,
    /// The number of fields that were looked at.
    read: usize,
}

/// Returns the fields of a form of Swagger 2, which are parameters.
pub(super) fn form_data(fields: &[&Parameter<'_>]) -> View {
    let fields = fields.iter().map(|field| {
        let mut node = field.value.clone();
        ["name", "in", "required"].iter().for_each(|key| drop(node.remove(*key)));
        let required = field.value.get("required") == Some(&json!(true));
        NamedField { name: field.text("name").to_owned(), node: node.into(), at: field.at.clone(), required }
    });
    fields.collect()
}

impl Converter<'_> {
    /// Returns a form; nothing, if no field is left: then nothing is sent. `at` is the location of its schema.
    pub(super) fn form(&mut self, view: View, at: &str, hint: &str) -> Result<Option<Value>, String> {
        if view.has_fields() && (view.is_open || !view.map.is_empty()) {
            self.losses.add(Kind::Field, at, "fields beside the listed ones are not sent");
        }
        let root = self.root;
        let media = at.strip_suffix("/schema").and_then(|at| root.pointer(at));
        let encoding = media.and_then(|media| media.get("encoding"));
        let mut fields = Fields::default();
        self.form_fields(view, encoding, "", true, 0, &mut fields)?;
        if fields.found.is_empty() {
            return Ok(None);
        }
        let view = fields.found.into_iter().collect::<View>();
        let name = type_name(&format!("{}-form", hint.trim_end_matches("-body")));
        let form = self.once(&format!("form {at}"), at, &name, false, |converter, name| {
            converter.object_of(view, &Map::new(), at, name)
        });
        Ok(Some(form))
    }

    fn form_fields(
        &mut self,
        view: View,
        encoding: Option<&Value>,
        around: &str,
        needed: bool,
        depth: usize,
        fields: &mut Fields,
    ) -> Result<(), String> {
        for NamedField { name, node, at, required } in view.into_fields() {
            fields.read += 1;
            if fields.read > MAX_FIELDS {
                return Err(format!("its form has more than {MAX_FIELDS} fields"));
            }
            let stated = encoding.and_then(|encoding| encoding.get(&name));
            let sent = if around.is_empty() { name } else { format!("{around}[{name}]") };
            let required = required && needed;
            let node = without_empty_text(&node);
            let mark = self.losses.len();
            let converted = self.schema(&node, &at, &format!("form-{sent}"));
            let why = self.losses.take_untyped(mark);
            self.losses.truncate_but_schemas(mark);
            let component = component_of(&converted);
            let simple = match component {
                Some(name) => self.lists_values(name),
                None => ["string", "integer", "number", "boolean"].iter().any(|kind| converted["type"] == *kind),
            };
            let choice = converted.get("x-any").is_some() && self.is_choice_of_simple(&node, &at);
            let items = (converted["type"] == "array").then(|| self.simple_items(&node, &converted)).flatten();
            let object = component.filter(|_| !simple).and_then(|_| self.view(&node, &at)).filter(View::has_fields);
            let reason = if simple || choice || items.is_some() || object.is_some() && depth < FORM_DEPTH {
                let kind = if object.is_some() {
                    Field::Object
                } else if items.is_some() {
                    Field::List
                } else {
                    Field::Simple
                };
                let asked = stated.and_then(|stated| asked_form(stated, kind));
                asked.map(|form| format!("the specification asks for {form}"))
            } else if object.is_some() {
                Some(format!("an object within {FORM_DEPTH} others"))
            } else {
                let kind = if converted["type"] == "array" { "a list of lists, of objects or" } else { "a map, or" };
                Some(format!("{kind} of several types"))
            };
            if let Some(why) = reason {
                if required {
                    return Err(format!("its form has the required field {sent:?}, which cannot be sent: {why}"));
                }
                self.losses.add(Kind::Body, &at, format!("the form's field {sent:?} is left out: {why}"));
                continue;
            }
            if let Some(object) = object {
                if depth == 0 && stated.is_none_or(|stated| stated.get("style").is_none()) {
                    let text = format!(
                        "the form's object {sent:?} is sent as fields such as \"{sent}[a]\": the specification states no other form"
                    );
                    self.losses.add(Kind::Body, &at, text);
                }
                // What an encoding states is about the form's own fields.
                self.form_fields(object, None, &sent, required, depth + 1, fields)?;
                continue;
            }
            let text = |format: Option<&str>, node: &Value| {
                let mut text = json!({"type": "string"});
                format.into_iter().for_each(|format| text["format"] = json!(format));
                node.as_object().into_iter().for_each(|map| describe(&mut text, map));
                text
            };
            let place = if items.is_some() { resolve_at(self.root, at.clone(), &node).0 } else { at.clone() };
            let node = if let Some(items) = items {
                self.form_list(&sent, &node, items, stated, &at)
            } else if choice {
                let lost = format!("callers pass the form's field {sent:?} as a string: {why}");
                self.losses.add(Kind::Body, &at, lost);
                text(None, &node)
            } else if converted["type"] == "number" {
                // Forms are text: a decimal in it is written as a string is.
                text(Some("decimal"), resolve(self.root, &node))
            } else {
                node
            };
            fields.found.push(NamedField { name: sent, node, at: place, required });
        }
        Ok(())
    }

    /// Returns the items of an array, if each of them is sent as text.
    fn simple_items(&self, node: &Value, converted: &Value) -> Option<Value> {
        let (stated, items) = (resolve(self.root, node).get("items")?, &converted["items"]);
        let component = items.get("$ref").and_then(|_| component_of(items));
        match (component, items["type"].as_str()) {
            (Some(name), _) => self.lists_values(name).then(|| stated.clone()),
            (None, Some("number")) => Some(json!({"type": "string", "format": "decimal"})),
            (None, Some("string" | "integer" | "boolean")) => Some(stated.clone()),
            _ => None,
        }
    }

    /// Returns the array of a form: a field for each item, unless the items are joined; then it is a string of the caller.
    fn form_list(&mut self, name: &str, node: &Value, items: Value, encoding: Option<&Value>, at: &str) -> Value {
        let stated = |key: &str| encoding.and_then(|encoding| encoding.get(key));
        let style = stated("style").and_then(Value::as_str).unwrap_or("form");
        let exploded = stated("explode").and_then(Value::as_bool).unwrap_or(style == "form");
        let format = node.get("collectionFormat").and_then(Value::as_str).unwrap_or_default();
        let separator = match self.edition {
            Edition::Swagger2 => (format != "multi").then(|| joined_by("", format)),
            _ => (!exploded).then(|| joined_by(style, "")),
        };
        let mut list = match separator {
            None => json!({"type": "array", "items": items}),
            Some(by) => {
                let lost = format!("callers pass the form's list {name:?} as one string, joined by {by}");
                self.losses.add(Kind::Body, at, lost);
                json!({"type": "string"})
            }
        };
        resolve(self.root, node).as_object().into_iter().for_each(|map| describe(&mut list, map));
        list
    }
}

/// What a field of a form has.
#[derive(Clone, Copy, PartialEq)]
enum Field {
    Simple,
    List,
    Object,
}

/// Returns what an encoding asks for, if the field is not sent like that.
fn asked_form(encoding: &Value, field: Field) -> Option<String> {
    let text = |key: &str| encoding.get(key).and_then(Value::as_str);
    // Where any of these is stated, the content type is ignored.
    if ["style", "explode", "allowReserved"].iter().any(|key| encoding.get(*key).is_some()) {
        let style = text("style").unwrap_or("form");
        // It is defined for objects only.
        return ((field == Field::Object) != (style == "deepObject") && field != Field::Simple)
            .then(|| format!("the style {style:?}"));
    }
    let media = text("contentType")?;
    let is_text = media.split(',').any(|media| media.trim().starts_with("text/"));
    (field == Field::Object || !is_text).then(|| format!("the content type {media:?}"))
}

/// Returns a choice without the alternative of an empty text, with which forms unset a field.
fn without_empty_text(node: &Value) -> Value {
    let Some(parts) = node.get("anyOf").and_then(Value::as_array) else { return node.clone() };
    let kept = parts.iter().filter(|part| part.get("enum") != Some(&json!([""]))).cloned().collect::<Vec<_>>();
    match kept.as_slice() {
        [only] => only.clone(),
        _ => node.clone(),
    }
}
