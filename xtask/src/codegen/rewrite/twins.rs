//! Fields that share a Rust name: those that got a number keep their name in JSON.

use openapi_document::component_schemas;
use serde_json::Value;
use syn::{File, Item, parse_quote};

use super::module;
use crate::codegen::identifiers::{component_name, field_name, schema_field_names};

/// Has serde read and write numbered fields by their names in JSON.
pub(crate) fn rename(file: &mut File, root: &Value) {
    for (component, schema) in component_schemas(root) {
        let numbered = schema_field_names(schema).into_iter().filter(|(name, field)| field_name(name) != *field);
        let numbered = numbered.collect::<Vec<_>>();
        if numbered.is_empty() {
            continue;
        }
        let own = component_name(component);
        for item in module(&mut file.items, "types").into_iter().flatten() {
            let Item::Struct(item) = item else { continue };
            for field in item.fields.iter_mut().filter(|_| item.ident == own) {
                let is_field = |name: &str| field.ident.as_ref().is_some_and(|ident| ident == name);
                if let Some((name, _)) = numbered.iter().find(|(_, field)| is_field(field)) {
                    field.attrs.push(parse_quote!(#[serde(rename = #name)]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{codegen::render, test_support::changed};

    #[test]
    fn twins_are_sent_and_read_by_their_own_names() {
        let text = json!({"type": "string", "description": "d"});
        let line = json!({
            "type": "object", "description": "d", "required": ["_id"],
            "properties": {"id": text, "_id": text, "ID": text, "self": text, "Self": text, "1st": text, "_1st": text},
        });
        let code = render(changed("/components/schemas/Line", line)).expect("it generates").client;
        let (_, fields) = code.split_once("pub struct Line {").expect("the type");
        let (fields, _) = fields.split_once('}').expect("its end");
        let fields: String = fields.split_whitespace().collect::<Vec<_>>().join(" ");
        for expected in [
            "id: optional ::std::string::String = \"id\"",
            "id_2: optional ::std::string::String = \"ID\"",
            "id_3: required ::std::string::String = \"_id\"",
            "self_: optional ::std::string::String = \"Self\"",
            "self_2: optional ::std::string::String = \"self\"",
            "x1st: optional ::std::string::String = \"1st\"",
            "x1st_2: optional ::std::string::String = \"_1st\"",
        ] {
            assert!(fields.contains(expected), "{expected}: {fields}");
        }
    }
}
