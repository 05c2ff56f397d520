//! Servers, security, paths and the version of OpenAPI: rewrites that change no call, and changes with their inverse.

use proptest::{
    prelude::*,
    sample::{select, subsequence},
};
use serde_json::{Map, Value, json};
use spec_diff::{Level, Report};

use crate::{
    invariants::api,
    support::{compare, line},
};

/// A document of three operations at two paths, with other members of its own.
fn document(rest: Value) -> Value {
    let responses = json!({"200": {"description": "ok"}});
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Test", "version": "1"},
        "paths": {
            "/a/{id}": {
                "get": {"operationId": "a", "responses": responses},
                "put": {"operationId": "b", "responses": responses},
            },
            "/c": {"get": {"operationId": "c", "responses": responses}},
        },
    });
    if let (Value::Object(document), Value::Object(rest)) = (&mut document, rest) {
        document.extend(rest);
    }
    document
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    let items = document["paths"].as_object_mut().into_iter().flatten();
    let members = items.flat_map(|(_, item)| item.as_object_mut().into_iter().flatten());
    members.filter(|(key, _)| ["get", "put"].contains(&key.as_str())).map(|(_, operation)| operation)
}

fn items(document: &mut Value) -> impl Iterator<Item = &mut Value> {
    document["paths"].as_object_mut().into_iter().flatten().map(|(_, item)| item)
}

/// Moves a member of the document to each of these.
fn moved(document: &Value, key: &str, to_items: bool) -> Value {
    let mut document = document.clone();
    let value = document.as_object_mut().and_then(|members| members.remove(key));
    if let Some(value) = value {
        match to_items {
            true => items(&mut document).for_each(|item| item[key] = value.clone()),
            false => operations(&mut document).for_each(|operation| operation[key] = value.clone()),
        }
    }
    document
}

fn found(report: &Report) -> Vec<String> {
    report.changes.iter().filter(|change| change.level > Level::None).map(line).collect()
}

/// Nothing is found between the ways, in both directions.
fn assert_same(document: &Value, ways: &[(&str, Value)]) {
    for (name, way) in ways {
        assert_eq!(found(&compare(document, way)), [""; 0], "{name}: {document:#} -> {way:#}");
        assert_eq!(found(&compare(way, document)), [""; 0], "{name}, back: {way:#} -> {document:#}");
    }
}

/// What is found one way is found the other way.
fn assert_consistent(base: &Value, revision: &Value) -> (Level, Level) {
    let (forth, back) = (compare(base, revision), compare(revision, base));
    assert_eq!(found(&forth).is_empty(), found(&back).is_empty(), "{base:#} -> {revision:#}");
    (forth.wire, back.wire)
}

fn server() -> impl Strategy<Value = Value> {
    select(vec![
        json!({"url": "https://a.example/v1"}),
        json!({"url": "https://b.example"}),
        json!({"url": "http://a.example/v1/x"}),
        json!({"url": "/v1"}),
        json!({"url": "https://{r}.example", "variables": {"r": {"default": "eu", "enum": ["eu", "us"]}}}),
    ])
}

fn servers() -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(server(), 1..4).prop_map(|mut servers| {
        servers.dedup();
        servers
    })
}

/// Other ways to write a server's URL.
fn respelled(server: &Value) -> Value {
    let mut server = server.clone();
    let url = server["url"].as_str().unwrap_or_default().to_owned();
    server["url"] = json!(match url.split_once("://") {
        Some((scheme, rest)) if scheme == "https" && !rest.contains('{') => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("HTTPS://{}:443{path}/", host.to_uppercase())
        }
        _ => format!("{url}/"),
    });
    server
}

/// The host as a variable that has no other value.
fn with_variable(server: &Value) -> Value {
    match server["url"].as_str().and_then(|url| url.strip_prefix("https://a.example")) {
        Some(rest) => {
            json!({"url": format!("https://{{host}}{rest}"), "variables": {"host": {"default": "a.example", "enum": ["a.example"]}}})
        }
        None => server.clone(),
    }
}

const SCHEMES: [(&str, &str); 4] = [("key", "apiKey"), ("basic", "http"), ("token", "http"), ("oauth", "oauth2")];

fn schemes() -> Value {
    json!({"securitySchemes": {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "basic": {"type": "http", "scheme": "basic"},
        "token": {"type": "http", "scheme": "bearer"},
        "oauth": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://a.example/t", "scopes": {"r": "", "w": ""}}}},
    }})
}

fn requirement() -> impl Strategy<Value = Value> {
    let scopes = subsequence(vec!["r", "w"], 0..3);
    (subsequence(SCHEMES.map(|(name, _)| name).to_vec(), 0..3), scopes).prop_map(|(names, scopes)| {
        let requirement = |name: &str| match name {
            "oauth" => (name.to_owned(), json!(scopes)),
            name => (name.to_owned(), json!([])),
        };
        names.into_iter().map(requirement).collect::<Map<_, _>>().into()
    })
}

fn secured() -> impl Strategy<Value = Value> {
    proptest::collection::vec(requirement(), 0..4)
        .prop_map(|security| document(json!({"security": security, "components": schemes()})))
}

/// The schemes under other names, with names that ignore case in another.
fn renamed(document: &Value) -> Value {
    let mut text = document.to_string().replace("X-Key", "x-key").replace("\"bearer\"", "\"Bearer\"");
    for (name, _) in SCHEMES {
        text = text.replace(&format!("\"{name}\":"), &format!("\"my-{name}\":"));
    }
    // The scheme of HTTP is not a name.
    serde_json::from_str(&text).unwrap_or_default()
}

fn reordered(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(list) = document["security"].as_array_mut() {
        list.reverse();
        list.extend(list.first().cloned());
    }
    document
}

/// The path parameter, declared where and as the arguments state.
fn with_parameter(name: &str, at_item: bool, schema: &Value) -> Value {
    let mut document = document(json!({}));
    let parameter = json!([{"name": name, "in": "path", "required": true, "schema": schema}]);
    if let Some(paths) = document["paths"].as_object_mut()
        && let Some(mut item) = paths.remove("/a/{id}")
    {
        if at_item {
            item["parameters"] = parameter.clone();
        } else {
            item["get"]["parameters"] = parameter.clone();
            item["put"]["parameters"] = parameter;
        }
        paths.insert(format!("/a/{{{name}}}"), item);
    }
    document
}

/// A document of 3.0, as 3.1 writes it.
fn in_version_3_1(value: &Value) -> Value {
    let mut value = value.clone();
    value["openapi"] = json!("3.1.0");
    convert(&mut value);
    value
}

fn convert(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(convert);
            if members.remove("nullable") == Some(json!(true))
                && let Some(kind) = members.get("type").cloned()
            {
                members.insert("type".into(), json!([kind, "null"]));
                if let Some(Value::Array(values)) = members.get_mut("enum") {
                    values.push(Value::Null);
                }
            }
            for (limit, exclusive) in [("maximum", "exclusiveMaximum"), ("minimum", "exclusiveMinimum")] {
                match members.get(exclusive).and_then(Value::as_bool) {
                    Some(true) => {
                        let number = members.remove(limit).unwrap_or_default();
                        members.insert(exclusive.into(), number);
                    }
                    Some(false) => drop(members.remove(exclusive)),
                    None => {}
                }
            }
            let content = match members.get("format").and_then(Value::as_str) {
                Some("byte") => Some(("contentEncoding", "base64")),
                Some("binary") => Some(("contentMediaType", "application/octet-stream")),
                _ => None,
            };
            if let Some((keyword, text)) = content {
                members.remove("format");
                members.insert(keyword.into(), json!(text));
            }
            if let Some(example) = members.remove("example") {
                members.insert("examples".into(), json!([example]));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(convert),
        _ => {}
    }
}

/// What 3.0 and 3.1 write differently, as properties of the components.
fn of_version_3_0() -> impl Strategy<Value = Value> {
    let schemas = vec![
        json!({"type": "string", "nullable": true, "example": "x"}),
        json!({"type": "string", "enum": ["a", "b"], "nullable": true}),
        json!({"type": "integer", "minimum": 1, "exclusiveMinimum": true}),
        json!({"type": "number", "maximum": 5, "exclusiveMaximum": false}),
        json!({"type": "string", "format": "byte"}),
        json!({"type": "string", "format": "binary"}),
        json!({"type": "array", "items": {"type": "integer", "nullable": true}}),
        json!({"type": "object", "additionalProperties": {"type": "string", "nullable": true}}),
        json!({"oneOf": [{"type": "string", "nullable": true}, {"type": "integer"}, {"type": "boolean"}]}),
    ];
    (api(), subsequence(schemas, 1..4)).prop_map(|(mut document, schemas)| {
        for (index, schema) in schemas.into_iter().enumerate() {
            let components = &mut document["components"]["schemas"];
            components["A"] = json!({"allOf": [components["A"].take(), {"type": "object", "properties": {format!("v{index}"): schema}}]});
        }
        document
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn servers_are_equal_at_every_level_and_in_every_notation(servers in servers()) {
        let document = document(json!({"servers": servers}));
        let respelled = self::document(json!({"servers": servers.iter().map(respelled).collect::<Vec<_>>()}));
        let variable = self::document(json!({"servers": servers.iter().map(with_variable).collect::<Vec<_>>()}));
        let [at_items, at_operations] = [true, false].map(|to_items| moved(&document, "servers", to_items));
        assert_same(&document, &[
            ("other spelling", respelled.clone()),
            ("a variable of one value", variable),
            ("at the paths", at_items.clone()),
            ("at the operations", at_operations.clone()),
        ]);
        assert_same(&at_items, &[("at the operations", at_operations), ("spelled and moved", moved(&respelled, "servers", false))]);
    }

    #[test]
    fn server_change_breaks_only_without_the_old_default(base in servers(), revision in servers()) {
        let (old, new) = (document(json!({"servers": base})), document(json!({"servers": revision})));
        let (forth, back) = assert_consistent(&old, &new);
        let is_kept = |olds: &[Value], news: &[Value]| olds.first().is_none_or(|first| news.contains(first));
        // The same path on another host, or another path on the same host.
        prop_assert_eq!(forth < Level::Breaking, is_kept(&base, &revision), "{:#} -> {:#}", old, new);
        prop_assert_eq!(back < Level::Breaking, is_kept(&revision, &base), "{:#} -> {:#}", new, old);
    }

    #[test]
    fn security_is_equal_at_every_level_and_in_every_notation(document in secured()) {
        assert_same(&document, &[
            ("other names", renamed(&document)),
            ("another order, one twice", reordered(&document)),
            ("at the operations", moved(&document, "security", false)),
        ]);
    }

    #[test]
    fn change_of_security_breaks_one_way_or_is_harmless_both_ways(base in secured(), revision in secured()) {
        let (forth, back) = assert_consistent(&base, &revision);
        // One more requirement that is enough breaks no caller.
        let mut more = base.clone();
        if let (Some(list), Some(others)) = (more["security"].as_array_mut(), revision["security"].as_array()) {
            list.extend(others.iter().cloned());
        }
        // Without a list, calls are anonymous.
        let is_stated = |document: &Value| document["security"].as_array().is_some_and(|list| !list.is_empty());
        if is_stated(&base) {
            prop_assert!(compare(&base, &more).wire <= Level::Info, "{base:#} -> {more:#}");
        }
        prop_assert!((forth == Level::None) == (back == Level::None));
    }

    #[test]
    fn path_parameters_are_equal_under_other_names_and_at_any_level(
        schema in select(vec![json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "string", "enum": ["a"]})]),
    ) {
        let document = with_parameter("id", true, &schema);
        assert_same(&document, &[
            ("at the operations", with_parameter("id", false, &schema)),
            ("another name", with_parameter("key", true, &schema)),
            ("another name at the operations", with_parameter("key", false, &schema)),
        ]);
        // Declared later, or no longer.
        let bare = self::document(json!({}));
        let (forth, back) = assert_consistent(&bare, &document);
        let takes_less = schema.get("enum").is_some();
        prop_assert_eq!(forth, if takes_less { Level::Breaking } else { Level::Info });
        prop_assert!(back <= Level::Warning, "{back}");
    }

    #[test]
    fn document_of_3_0_is_the_same_in_3_1(document in of_version_3_0()) {
        assert_same(&document, &[("3.1", in_version_3_1(&document))]);
    }

    #[test]
    fn change_is_of_the_same_level_in_3_0_and_3_1(base in of_version_3_0(), revision in of_version_3_0()) {
        let (old, new) = (in_version_3_1(&base), in_version_3_1(&revision));
        let levels = |base: &Value, revision: &Value| compare(base, revision).wire;
        let expected = levels(&base, &revision);
        prop_assert_eq!(levels(&old, &new), expected, "3.1 -> 3.1: {:#} -> {:#}", base, revision);
        prop_assert_eq!(levels(&base, &new), expected, "3.0 -> 3.1: {:#} -> {:#}", base, revision);
    }
}

#[test]
fn default_style_and_explode_of_a_parameter_change_nothing() {
    let text = json!({"type": "string"});
    let schemas = [
        json!({}),
        text.clone(),
        json!({"type": "array", "items": text}),
        json!({"type": "object", "properties": {"a": text}}),
    ];
    for (location, style, explode) in
        [("query", "form", true), ("cookie", "form", true), ("path", "simple", false), ("header", "simple", false)]
    {
        for (schema, version) in schemas.iter().flat_map(|schema| [(schema, "3.0.3"), (schema, "3.1.0")]) {
            let parameter = |style: Option<&str>, explode: Option<bool>, reserved: Option<bool>| {
                let mut parameter = json!({"name": "p", "in": location, "required": true, "schema": schema});
                let members =
                    [("style", json!(style)), ("explode", json!(explode)), ("allowReserved", json!(reserved))];
                members
                    .into_iter()
                    .filter(|(_, value)| !value.is_null())
                    .for_each(|(key, value)| parameter[key] = value);
                let operation = json!({"parameters": [parameter], "responses": {}});
                document(json!({"openapi": version, "paths": {"/a/{p}": {"get": operation}}}))
            };
            let ways = [
                ("style", parameter(Some(style), None, None)),
                ("explode", parameter(None, Some(explode), None)),
                ("reserved characters", parameter(None, None, Some(false))),
                ("style and explode", parameter(Some(style), Some(explode), None)),
            ];
            assert_same(&parameter(None, None, None), &ways);
        }
    }
}
