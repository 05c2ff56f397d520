//! Parameters side by side with their drafts: how lists are joined, and the fields of their schemas.

use openapi_document::{Operation, is_same_parameter, pointer::child};
use serde_json::Value;

use super::{schema::text, walk::Walk};

impl<'a> Walk<'a> {
    pub(super) fn parameters(&mut self, operation: &Operation<'a>, drafted: &'a Value) {
        let ours = drafted["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let all = operation.parameters_at(self.theirs);
        let names = operation.path.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0));
        for name in names {
            let is_it = |(_, one): &(String, &Value)| text(one, "in") == "path" && text(one, "name") == name;
            if !all.iter().any(is_it) {
                self.add(&operation.pointer, format!("{name:?} in the path is not described"));
            }
        }
        for (index, (at, parameter)) in all.iter().enumerate() {
            let at = at.clone();
            self.from.clear();
            let (name, location) = (text(parameter, "name"), text(parameter, "in"));
            let mut earlier = all.iter().take(index);
            let is_again = earlier
                .any(|(_, one)| is_same_parameter(one, parameter) || location == "body" && text(one, "in") == "body");
            if is_again {
                self.add(&at, format!("{name:?} is listed twice"));
                continue;
            }
            if location == "body" {
                self.request_body(parameter, at.clone(), &at, drafted);
            }
            if matches!(location, "body" | "formData") {
                continue;
            }
            match ours.iter().find(|own| text(own, "name") == name && text(own, "in") == location) {
                None => self.add(&at, format!("the parameter {name:?} is not in the draft")),
                Some(_) if parameter.get("content").is_some() && parameter.get("schema").is_none() => {
                    self.add(&at, format!("{name:?} is JSON in a parameter"))
                }
                Some(own) => {
                    for key in ["allowEmptyValue", "allowReserved"] {
                        if parameter.get(key) == Some(&Value::Bool(true)) {
                            self.add(&at, format!("{name:?} states {key}"));
                        }
                    }
                    if text(parameter, "style") == "deepObject" {
                        self.add(&at, format!("{name:?} is sent in another style"));
                    }
                    let is_list = own.pointer("/schema/type") == Some(&Value::String("array".to_owned()));
                    let (wanted, joined) = (joined_by(parameter, self.is_swagger_2()), joined_by(own, false));
                    if location == "query" && is_list && wanted != joined {
                        let how = |by: Option<&str>| {
                            by.map_or("once for each item".to_owned(), |by| format!("joined by {by:?}"))
                        };
                        self.add(&at, format!("{name:?} is sent {}, and {} in the draft", how(wanted), how(joined)));
                    }
                    match (own.get("schema"), parameter.get("schema")) {
                        (Some(own), Some(schema)) => self.schema(schema, child(&at, "schema"), own, 0),
                        // Swagger 2 has the schema's keywords beside the parameter's.
                        (Some(own), None) => self.schema(parameter, at, own, 0),
                        (None, _) => {}
                    }
                }
            }
        }
        self.from.clear();
    }
}

/// Returns what the items of a list in the query are joined by; nothing, if each is sent by itself.
fn joined_by(parameter: &Value, is_swagger_2: bool) -> Option<&'static str> {
    match (text(parameter, "style"), text(parameter, "collectionFormat")) {
        _ if parameter.get("explode") == Some(&Value::Bool(true)) => None,
        ("spaceDelimited", _) | (_, "ssv") => Some(" "),
        ("pipeDelimited", _) | (_, "pipes") => Some("|"),
        (_, "tsv") => Some("\t"),
        (_, "multi") => None,
        _ if is_swagger_2 || parameter.get("explode") == Some(&Value::Bool(false)) => Some(","),
        _ => None,
    }
}
