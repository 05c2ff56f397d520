//! Null in requests: a field that is required and may be null is sent as null, and one of an update may also be left as it is.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::component_schemas;
use serde_json::Value;
use syn::{Field, File, Item, ItemStruct, Type, parse_quote, visit_mut::VisitMut};

use super::{argument, builders, each_option, foreign_name, module};
use crate::codegen::{
    identifiers::{component_name, schema_field_names},
    updates::is_updated,
};

/// The fields of a type, by Rust name, that may be null; whether each is required.
type Nullable = BTreeMap<String, bool>;

/// Rewrites the fields of the types that requests send.
pub(crate) fn rewrite(file: &mut File, root: &Value) {
    let nullable = nullable(root);
    if nullable.is_empty() {
        return;
    }
    let updated = component_schemas(root).filter(|(_, schema)| is_updated(schema));
    let updated = updated.map(|(name, _)| component_name(name)).collect::<BTreeSet<_>>();
    let sent = builders::sent(file);
    let Some(types) = module(&mut file.items, "types") else { return };
    let mut changed = BTreeMap::new();
    for item in types.iter_mut() {
        if let Item::Struct(item) = item
            && let Some(fields) = nullable.get(&item.ident.to_string())
            && sent.contains(&item.ident.to_string())
        {
            let names = fields_of(item, fields, updated.contains(&item.ident.to_string()));
            changed.insert(item.ident.to_string(), names);
        }
    }
    let Some(builders) = module(types, "builder") else { return };
    for item in builders {
        match item {
            Item::Struct(item) => {
                let Some(names) = changed.get(&item.ident.to_string()) else { continue };
                for field in &mut item.fields {
                    if field.ident.as_ref().is_some_and(|name| names.contains(&name.to_string())) {
                        Updates.visit_type_mut(&mut field.ty);
                    }
                }
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let Some(names) = super::last_name(&block.self_ty).and_then(|name| changed.get(&name)) else {
                    continue;
                };
                for item in &mut block.items {
                    if let syn::ImplItem::Fn(setter) = item
                        && names.contains(&setter.sig.ident.to_string())
                    {
                        Updates.visit_signature_mut(&mut setter.sig);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns the nullable fields of each component.
fn nullable(root: &Value) -> BTreeMap<String, Nullable> {
    let all = component_schemas(root).map(|(name, schema)| {
        let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
        let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        let fields = properties.filter(|(_, property)| property.get("nullable") == Some(&Value::Bool(true)));
        let names = schema_field_names(schema);
        let fields =
            fields.map(|(name, _)| (names[name.as_str()].clone(), required.iter().any(|one| one == name))).collect();
        (component_name(name), fields)
    });
    all.filter(|(_, fields): &(String, Nullable)| !fields.is_empty()).collect()
}

/// Rewrites the fields of one type, and returns the names of those that became updates.
fn fields_of(item: &mut ItemStruct, nullable: &Nullable, is_update: bool) -> BTreeSet<String> {
    let mut updates = BTreeSet::new();
    for field in &mut item.fields {
        let Some(name) = field.ident.as_ref().map(ToString::to_string) else { continue };
        let Some(is_required) = nullable.get(&name) else { continue };
        if foreign_name(&field.ty).is_none_or(|of| of != "Option") {
            continue;
        }
        if *is_required {
            without_skip(field, None);
        } else if is_update {
            Updates.visit_type_mut(&mut field.ty);
            without_skip(field, Some("::progenitor_client::Update::is_unchanged"));
            updates.insert(name);
        }
    }
    updates
}

/// Has serde write a field always, or unless a function states otherwise. An absent one is read as null.
fn without_skip(field: &mut Field, skip: Option<&str>) {
    let mut rename = None;
    each_option(&field.attrs, |path, value| {
        if path.is_ident("rename") {
            rename = value.cloned();
        }
    });
    field.attrs.retain(|attribute| !attribute.path().is_ident("serde"));
    if let Some(name) = rename {
        field.attrs.push(parse_quote!(#[serde(rename = #name)]));
    }
    if let Some(skip) = skip {
        field.attrs.push(parse_quote!(#[serde(skip_serializing_if = #skip)]));
    }
    field.attrs.push(parse_quote!(#[serde(default)]));
}

/// `Option<T>` becomes core's `Update<T>`.
struct Updates;

impl VisitMut for Updates {
    fn visit_type_mut(&mut self, of: &mut Type) {
        if foreign_name(of).is_some_and(|name| name == "Option")
            && let Some(inner) = argument(of, 0).cloned()
        {
            *of = parse_quote!(::progenitor_client::Update<#inner>);
            return;
        }
        syn::visit_mut::visit_type_mut(self, of);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::codegen::updates;

    #[test]
    fn nullable_fields_of_requests_are_sent_as_null() {
        let schema = |required: &[&str]| {
            json!({"type": "object", "required": required, "properties": {
                "endsAt": {"type": "string", "nullable": true}, "name": {"type": "string"},
            }})
        };
        let body = json!({"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}});
        let mut root = json!({
            "paths": {"/a": {
                "post": {"operationId": "replace"}, "get": {"operationId": "read"},
                "patch": {"operationId": "change", "requestBody": body},
            }},
            "components": {"schemas": {"Plan": schema(&["endsAt", "name"]), "Change": schema(&[]), "Read": schema(&[])}},
        });
        let fields = r#"{
            #[serde(rename = "endsAt", skip_serializing_if = "::std::option::Option::is_none")]
            ends_at: ::std::option::Option<String>,
            #[serde(skip_serializing_if = "::std::option::Option::is_none")]
            name: ::std::option::Option<String>
        }"#;
        let code = format!(
            "mod types {{ struct Plan {fields} struct Change {fields} struct Read {fields}
                mod builder {{
                    struct Change {{ ends_at: Result<::std::option::Option<String>, String> }}
                    impl Change {{ fn ends_at<T>(self, value: T) where T: TryInto<::std::option::Option<String>> {{}} }}
                }}
            }}
            mod builder {{
                struct Replace {{ body: Result<types::builder::Plan, String> }}
                struct Change {{ body: Result<types::builder::Change, String> }}
            }}"
        );
        let mut file = syn::parse_file(&code).expect("it is Rust");
        updates::mark(&mut root);
        rewrite(&mut file, &root);
        let code = prettyplease::unparse(&file);
        let (plan, rest) = code.split_once("struct Change").expect("the second type");
        let (change, rest) = rest.split_once("struct Read").expect("the third type");
        assert_eq!(plan.matches("skip_serializing_if").count(), 1, "{plan}");
        assert!(change.contains("ends_at: ::progenitor_client::Update<String>"), "{change}");
        assert!(change.contains("name: ::std::option::Option<String>"), "{change}");
        assert!(!rest.split("mod builder").next().unwrap_or_default().contains("Update"), "{rest}");
        assert_eq!(rest.matches("::progenitor_client::Update<String>").count(), 2, "{rest}");
    }
}
