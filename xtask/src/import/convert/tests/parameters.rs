//! Parameters in path, query and headers.

use super::*;

#[test]
fn parameters_are_sent_as_core_can() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"] = json!({"/a/{id}": {"get": {"parameters": [
        {"name": "Accept", "in": "header", "schema": {"type": "string"}},
        {"name": "at", "in": "header", "schema": {"type": "string", "format": "date-time"}},
        {"name": "created", "in": "query", "style": "deepObject", "schema": {"type": "object", "properties": {"gte": {"type": "integer"}}}},
        {"name": "joined", "in": "query", "explode": false, "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "list", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "price", "in": "query", "schema": {"type": "number"}},
        {"name": "session", "in": "cookie", "schema": {"type": "string"}},
    ], "responses": {"204": {"description": "d"}}}}});
    let draft = drafted(root.clone()).expect("it converts");
    let parameters = draft.operations[0].value()["parameters"].as_array().cloned().unwrap_or_default();
    let shown =
        parameters.iter().map(|parameter| format!("{} {}", parameter["name"], parameter["schema"])).collect::<Vec<_>>();
    assert_eq!(
        shown,
        [
            r#""at" {"type":"string"}"#,
            r#""created[gte]" {"format":"int64","type":"integer"}"#,
            r#""joined" {"items":{"type":"string"},"type":"array"}"#,
            r#""list" {"items":{"type":"string"},"type":"array"}"#,
            r#""price" {"type":"string"}"#,
            r#""id" {"type":"string"}"#,
        ]
    );
    assert_eq!((&parameters[2]["explode"], &parameters[3]["explode"]), (&json!(false), &Value::Null));
    assert_eq!(draft.operations[0].id, "get_a_by_id");
    root["paths"]["/a/{id}"]["get"]["parameters"][6]["required"] = json!(true);
    assert_eq!(drafted(root).err().as_deref(), Some("GET /a/{id}: its required parameter \"session\" is a cookie"));
}

/// The query parameters of the draft, and the losses of parameters.
fn queried(parameters: Value) -> (Value, Vec<String>) {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["get"]["parameters"] = parameters;
    let draft = drafted(root).expect("it converts");
    let lost = draft.losses.iter().filter(|loss| loss.kind == Kind::Parameter).map(|loss| loss.text.clone());
    (draft.operations[0].value()["parameters"].clone(), lost.collect())
}

#[test]
fn lists_follow_explode_in_each_style() {
    let list = json!({"type": "array", "items": {"type": "string"}});
    for (style, explode, joined_by, lost) in [
        ("form", None, None, ""),
        ("form", Some(false), Some("comma"), ""),
        ("pipeDelimited", None, Some("text"), "one string, joined by `|`"),
        ("pipeDelimited", Some(false), Some("text"), "one string, joined by `|`"),
        ("pipeDelimited", Some(true), None, ""),
        ("spaceDelimited", Some(true), None, ""),
        ("deepObject", Some(true), None, "the list \"l\" is sent in the style form, a parameter for each item"),
    ] {
        let mut parameter = json!({"name": "l", "in": "query", "style": style, "schema": list});
        explode.into_iter().for_each(|explode| parameter["explode"] = json!(explode));
        let (drafted, losses) = queried(json!([parameter]));
        let (kind, explode) = (&drafted[0]["schema"]["type"], &drafted[0]["explode"]);
        let found = if kind == "string" { Some("text") } else { (explode == false).then_some("comma") };
        assert_eq!(found, joined_by, "{style} {explode:?}");
        assert!(lost.is_empty() && losses.is_empty() || losses.iter().any(|text| text.contains(lost)), "{losses:?}");
    }
}

#[test]
fn headers_of_the_connection_are_the_clients() {
    let header = |name: &str| json!({"name": name, "in": "header", "schema": {"type": "string"}});
    let names = ["Accept-Encoding", "Host", "Transfer-Encoding", "Connection", "X-Own"];
    let (drafted, losses) = queried(names.iter().map(|name| header(name)).collect());
    assert_eq!((drafted.as_array().map(Vec::len), &drafted[0]["name"]), (Some(1), &json!("X-Own")));
    assert_eq!(losses.len(), 4, "{losses:?}");
}

#[test]
fn header_of_an_operation_replaces_that_of_its_path_in_any_case() {
    let header = |name: &str, required: bool, kind: &str| json!({"name": name, "in": "header", "required": required, "schema": {"type": kind}});
    let mut root = sending(json!([header("x-id", true, "integer")]));
    root["paths"]["/a"]["parameters"] = json!([header("X-Id", false, "string")]);
    let draft = drafted(root).expect("it converts");
    let drafted = &draft.operations[0].value()["parameters"];
    let schema = json!({"type": "integer", "format": "int64"});
    assert_eq!(*drafted, json!([{"name": "x-id", "in": "header", "required": true, "schema": schema}]));
    assert!(draft.losses.iter().all(|loss| loss.kind != Kind::Parameter), "{:?}", losses(&draft));
}

/// The operation `getA` with these parameters.
fn sending(parameters: Value) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["get"]["parameters"] = parameters;
    root
}

#[test]
fn parameters_of_one_name_are_kept_and_reported() {
    let text = json!({"type": "string"});
    let (query, header) = (
        |name: &str| json!({"name": name, "in": "query", "schema": text}),
        |name: &str, required| json!({"name": name, "in": "header", "required": required, "schema": text}),
    );
    let mut root = sending(json!([
        query("id"),
        query("ID"),
        query("body"),
        query("send"),
        query("Time<"),
        query("userId"),
        header("Id", true),
        header("iD", false)
    ]));
    root["paths"]["/a/{id}"]["put"] = root["paths"]["/a"]["get"].take();
    root["paths"]["/a/{id}"]["put"]["requestBody"] = json!({"content": {"application/json": {"schema": text}}});
    let draft = drafted(root).unwrap_or_else(|error| panic!("{error}"));
    let parameters = draft.operations[0].value()["parameters"].as_array().cloned().unwrap_or_default();
    let named = parameters.iter().map(|parameter| format!("{} {}", parameter["name"], parameter["in"]));
    assert_eq!(
        named.collect::<Vec<_>>(),
        [
            "\"id\" \"query\"",
            "\"ID\" \"query\"",
            "\"body\" \"query\"",
            "\"send\" \"query\"",
            "\"Time<\" \"query\"",
            "\"userId\" \"query\"",
            "\"Id\" \"header\"",
            "\"id\" \"path\"",
        ]
    );
    let reported = losses(&draft);
    assert!(!reported.iter().any(|loss| loss.contains("userId")), "{reported:?}");
    for expected in [
        "\"id\" in \"query\" is set by `id_query`, not by `id`",
        "\"ID\" in \"query\" is set by `id_query_2`, not by `id`",
        "\"body\" in \"query\" is set by `body_query`, not by `body`",
        "\"send\" in \"query\" is set by `send_`, not by `send`",
        "\"Time<\" in \"query\" is set by `time_lt`, not by `time`",
        "\"Id\" in \"header\" is set by `id_header`, not by `id`",
        "\"iD\" is left out: it is listed twice",
    ] {
        assert!(reported.contains(&expected), "{expected}: {reported:?}");
    }
}

#[test]
fn parameters_are_sent_in_their_style_or_left_out() {
    let path = |style: &str| {
        let mut root = sending(
            json!([{"name": "day", "in": "path", "required": true, "style": style, "schema": {"type": "string"}}]),
        );
        root["paths"]["/a/{day}"] = root["paths"]["/a"].take();
        root["paths"].as_object_mut().expect("paths").remove("/a");
        drafted(root)
    };
    assert!(path("simple").is_ok());
    for style in ["matrix", "label"] {
        let reason = path(style).err().unwrap_or_default();
        assert!(reason.contains(&format!("its required parameter \"day\" has the style \"{style}\"")), "{reason}");
    }
    let object = json!({"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}});
    let list = json!({"type": "array", "items": {"type": "string"}});
    for (parameter, expected) in [
        (json!({"in": "cookie", "schema": {"type": "string"}}), "\"p\" is left out: it is a cookie"),
        (json!({"in": "header", "schema": object}), "\"p\" is left out: it is an object outside of the query"),
        (json!({"in": "header", "schema": list}), "the array \"p\" as one string, joined by a comma"),
        (json!({"in": "query", "style": "spaceDelimited", "schema": list}), "joined by a space"),
        (json!({"in": "query", "style": "pipeDelimited", "schema": list}), "joined by `|`"),
        (json!({"in": "query", "allowReserved": true, "schema": {"type": "string"}}), "reserved characters are"),
        (json!({"in": "query", "allowEmptyValue": true, "schema": {"type": "string"}}), "without a value is not sent"),
        (json!({"in": "query", "schema": {"type": "number"}}), "the number \"p\" as a string"),
        (json!({"in": "query", "schema": object}), "\"p\" is sent by its fields"),
        (json!({"in": "query", "style": "deepObject", "schema": object}), "\"p\" is sent by its fields"),
    ] {
        let mut parameter = parameter;
        parameter["name"] = json!("p");
        let reported = losses(&drafted(sending(json!([parameter]))).expect("it converts")).join("; ");
        assert!(reported.contains(expected), "{parameter}: {reported}");
    }
    let draft = drafted(sending(json!([
        {"name": "point", "in": "query", "explode": false, "schema": object},
        {"name": "each", "in": "query", "schema": object},
        {"name": "bad name", "in": "header", "schema": {"type": "string"}},
        {"name": "X.Odd~", "in": "header", "schema": {"type": "string"}},
    ])))
    .expect("it converts");
    let operation = draft.operations[0].value();
    let names = operation["parameters"].as_array().into_iter().flatten();
    let names = names.filter_map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["point", "x", "y", "X.Odd~"]);
    let reported = losses(&draft).join("; ");
    assert!(
        reported.contains(
            "the object \"point\" as one string: names and values by turns, joined by a comma, which is percent-encoded"
        ) && reported.contains("\"bad name\" is left out"),
        "{reported}"
    );
}

#[test]
fn operators_of_nested_deep_objects_are_parameters() {
    let bounds = json!({"type": "object", "properties": {"gte": {"type": "string"}, "lt": {"type": "string"}}});
    let draft = drafted(sending(json!([{"name": "filter", "in": "query", "style": "deepObject", "schema": {
        "type": "object", "properties": {"at": {"anyOf": [{"type": "string"}, bounds]}, "only": bounds},
    }}])))
    .expect("it converts");
    let operation = draft.operations[0].value();
    let names = operation["parameters"].as_array().into_iter().flatten();
    let mut names = names.filter_map(|parameter| parameter["name"].as_str()).collect::<Vec<_>>();
    names.sort_unstable();
    assert_eq!(names, ["filter[at]", "filter[at][gte]", "filter[at][lt]", "filter[only][gte]", "filter[only][lt]"]);
}

#[test]
fn parameter_without_one_type_is_a_string_with_the_true_reason() {
    let query = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    let gone = json!({"$ref": "#/x-files/gone.yaml/X"});
    let draft = drafted(sending(json!([
        query("a", gone.clone()),
        query("b", json!({"oneOf": [{"type": "integer"}, {"type": "string"}]})),
        query("c", json!({"type": "array", "items": gone})),
        query("d", json!({"type": "array", "items": {"type": "object", "properties": {"x": {}}}})),
        {"name": "e", "in": "path", "required": true, "schema": {}},
        null,
    ])))
    .expect("it converts");
    let found = draft.losses.iter().filter(|loss| loss.at.contains("/parameters/"));
    let found = found.map(|loss| format!("{}: {}", loss.at.replace("/paths/~1a/get/parameters/", ""), loss.text));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            "0/schema: callers pass \"a\" as a string: unresolved reference \"gone.yaml#/X\"",
            "1/schema: callers pass \"b\" as a string: alternatives of different kinds (integer, string)",
            "2/schema: callers pass the items of \"c\" as strings: unresolved reference \"gone.yaml#/X\"",
            "3: \"d\" is left out: it has a type without a single form as a string",
            "4: \"e\" is left out: it is not in the path",
            "5: a parameter is left out: it is not an object",
        ]
    );
    let at = draft.losses.iter().map(|loss| loss.kind).filter(|kind| *kind == Kind::Untyped).count();
    assert_eq!(at, 0, "{:?}", losses(&draft));
}

#[test]
fn objects_that_hold_themselves_twice_are_sent_to_a_limit() {
    let reference = json!({"$ref": "#/components/schemas/A"});
    let mut properties = serde_json::Map::from_iter([("v".to_owned(), json!({"type": "string"}))]);
    properties.extend((0..60).map(|index| (format!("p{index}"), reference.clone())));
    let mut root = responding(json!({"type": "string"}), json!({"A": {"type": "object", "properties": properties}}));
    root["paths"]["/a"]["get"]["parameters"] =
        json!([{"name": "f", "in": "query", "style": "deepObject", "schema": reference}]);
    let content = json!({"application/x-www-form-urlencoded": {"schema": reference}});
    root["paths"]["/a"]["post"] = json!({
        "operationId": "post", "requestBody": {"required": true, "content": content},
        "responses": {"204": {"description": "d"}},
    });
    let draft = drafted(root).expect("it converts");
    let lost = losses(&draft);
    assert!(lost.contains(&"POST /a: its form has more than 5000 fields"), "{lost:?}");
    let left_out = |text: &&&str| text.ends_with("and deeper fields of \"f\" are left out: more than 500 fields");
    assert_eq!(lost.iter().filter(left_out).count(), 1, "{lost:?}");
}
