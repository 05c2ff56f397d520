//! Forms.

use super::*;

/// A POST under `/a` that sends a form, and a GET beside it that does.
fn sending_a_form(required: bool, schema: &Value) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    let body =
        json!({"required": required, "content": {"application/x-www-form-urlencoded": {"schema": schema.clone()}}});
    let mut post = root["paths"]["/a"]["get"].clone();
    post["operationId"] = json!("sendA");
    post["requestBody"] = body;
    root["paths"]["/a"]["post"] = post;
    root["paths"]["/a"]["get"]["requestBody"] =
        json!({"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "properties": {}}}}});
    root
}

#[test]
fn form_without_supported_fields_is_not_sent() {
    let map = json!({"type": "object", "additionalProperties": {"type": "string"}});
    for (properties, expected) in [
        (json!({}), vec!["of 400"; 2]),
        (
            json!({"tags": map}),
            vec!["the form's field \"tags\" is left out: a map, or of several types", "of 400", "of 400"],
        ),
    ] {
        let draft =
            drafted(sending_a_form(false, &json!({"type": "object", "properties": properties}))).expect("it converts");
        let post = draft.operations.iter().find(|operation| operation.method == "post").expect("it is there");
        assert_eq!(post.value().get("requestBody"), None);
        assert_eq!(losses(&draft), expected);
    }
    let needed = json!({"type": "object", "required": ["ids"], "properties": {"ids": map}});
    let draft = drafted(sending_a_form(true, &needed)).expect("the other converts");
    assert!(losses(&draft)[0].contains("required field \"ids\""), "{:?}", losses(&draft));
}

#[test]
fn a_forms_field_that_is_a_word_or_a_number_is_a_text() {
    let at = json!({"description": "When.", "anyOf": [{"type": "integer"}, {"type": "string", "enum": ["now"]}]});
    let draft = drafted(sending_a_form(true, &json!({"type": "object", "required": ["at"], "properties": {"at": at}})))
        .expect("it converts");
    let form = &draft.schemas.iter().find(|(name, _)| name == "SendAForm").expect("it is there").1.value();
    assert_eq!(form["properties"]["at"], json!({"type": "string", "description": "When."}));
    let reason = "callers pass the form's field \"at\" as a string: alternatives of different kinds (integer, string)";
    assert_eq!(losses(&draft)[0], reason);
}

#[test]
fn field_of_a_form_is_sent_as_the_encoding_asks_or_left_out() {
    let address = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let text = json!({"type": "string"});
    let list = json!({"type": "array", "items": text});
    for (field, encoding, asked) in [
        (&address, json!({"style": "deepObject", "explode": true}), None),
        (&address, json!({"style": "deepObject", "contentType": "application/json"}), None),
        (&address, json!({"contentType": "application/json"}), Some("the content type \"application/json\"")),
        (&address, json!({"style": "form", "explode": true}), Some("the style \"form\"")),
        (&address, json!({"explode": false}), Some("the style \"form\"")),
        (&list, json!({"style": "form", "explode": true}), None),
        (&list, json!({"explode": true, "contentType": "application/json"}), None),
        (&list, json!({"style": "deepObject", "explode": true}), Some("the style \"deepObject\"")),
        (&list, json!({"contentType": "application/json"}), Some("the content type \"application/json\"")),
        (&text, json!({"style": "form", "contentType": "application/json"}), None),
        (&text, json!({"contentType": "text/plain; charset=utf-8"}), None),
        (&text, json!({"contentType": "application/json"}), Some("the content type \"application/json\"")),
    ] {
        for required in [false, true] {
            let needed = if required { json!(["f"]) } else { json!([]) };
            let form = json!({"type": "object", "required": needed, "properties": {"f": field, "other": text}});
            let mut root = sending_a_form(true, &form);
            root["paths"]["/a"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["encoding"] =
                json!({"f": encoding});
            let draft = drafted(root).expect("it converts");
            let form = draft.schemas.iter().find(|(name, _)| name == "SendAForm").map(|(_, form)| form.value());
            let found = losses_of_bodies(&draft);
            let Some(asked) = asked else {
                assert_eq!(form.map(|form| form["properties"].as_object().map(Map::len)), Some(Some(2)), "{encoding}");
                assert_eq!(found, Vec::<String>::new(), "{encoding}");
                continue;
            };
            let why = format!("the specification asks for {asked}");
            if required {
                let text = format!("its form has the required field \"f\", which cannot be sent: {why}");
                assert_eq!(found, [format!(": POST /a: {text}")], "{encoding}");
            } else {
                let place = "/requestBody/content/application~1x-www-form-urlencoded/schema/properties/f";
                assert_eq!(found, [format!("{place}: the form's field \"f\" is left out: {why}")], "{encoding}");
                assert_eq!(form.map(|form| form["properties"].clone()), Some(json!({"other": text})), "{encoding}");
            }
        }
    }
}

#[test]
fn lists_of_a_form_have_simple_items() {
    let listed = |items: Value| json!({"type": "array", "items": items});
    for (items, expected) in [
        (json!({"type": "string", "enum": ["x", "y"]}), Some(json!({"$ref": "#/components/schemas/FormFItem"}))),
        (json!({"type": "number"}), Some(json!({"type": "string", "format": "decimal"}))),
        (json!({"type": "string", "format": "date"}), Some(json!({"type": "string", "format": "date"}))),
        (json!({"type": "object", "properties": {"a": {"type": "string"}}}), None),
        (listed(json!({"type": "string"})), None),
    ] {
        let properties = json!({"f": listed(items.clone()), "other": {"type": "string"}});
        let draft =
            drafted(sending_a_form(true, &json!({"type": "object", "properties": properties}))).expect("it converts");
        let form = draft.schemas.iter().find(|(name, _)| name == "SendAForm").expect("it is there").1.value();
        assert_eq!(form["properties"].get("f").map(|list| list["items"].clone()), expected, "{items}");
        let unresolved = losses(&draft).iter().any(|text| text.contains("unresolved"));
        let left_out = losses(&draft).iter().any(|text| text.contains("left out: a list of lists, of objects or"));
        assert_eq!((unresolved, left_out), (false, expected.is_none()), "{items}: {:?}", losses(&draft));
    }
}

#[test]
fn losses_of_a_form_are_at_its_fields() {
    let deep = |names: &[&str], leaf: Value| {
        let within = |inner: Value, name: &&str| json!({"type": "object", "properties": {*name: inner}});
        names.iter().rev().fold(leaf, within)
    };
    let text = json!({"type": "string"});
    let mut root = sending_a_form(
        true,
        &json!({"type": "object", "properties": {
            "address": {"$ref": "#/components/schemas/Address"},
            "once": {"type": "string", "enum": ["now"]},
            "tags": {"type": "object", "additionalProperties": text},
        }}),
    );
    root["components"]["schemas"]["Address"] = deep(&["l1", "l2", "l3", "l4", "l5"], text.clone());
    let draft = drafted(root).expect("it converts");
    let form = "/requestBody/content/application~1x-www-form-urlencoded/schema/properties";
    let l4 = ["l1", "l2", "l3", "l4"].map(|name| format!("/properties/{name}")).concat();
    let of_form = draft.losses.iter().filter(|loss| loss.kind <= Kind::Enum && !loss.text.starts_with("of 4"));
    let of_form = of_form.map(|loss| format!("{}: {}", loss.at.trim_start_matches("/paths/~1a/post"), loss.text));
    assert_eq!(
        of_form.collect::<Vec<_>>(),
        [
            format!(
                "{form}/address: the form's object \"address\" is sent as fields such as \"address[a]\": the specification states no other form"
            ),
            format!(
                "/components/schemas/Address{l4}: the form's field \"address[l1][l2][l3][l4]\" is left out: an object within 4 others"
            ),
            format!("{form}/tags: the form's field \"tags\" is left out: a map, or of several types"),
            format!("{form}/once/enum: one value alone: converted to a plain string"),
        ]
    );
}

/// A POST of Swagger 2 with fields of a form.
fn posting_form_data(consumes: &[&str], fields: &Value) -> Value {
    json!({
        "swagger": "2.0", "info": {"title": "X", "version": "1"}, "host": "api.x.example",
        "paths": {
            "/a": {"post": {
                "operationId": "sendA", "consumes": consumes, "parameters": fields,
                "responses": {"204": {"description": "d"}},
            }},
            "/b": {"get": {"operationId": "getB", "responses": {"204": {"description": "d"}}}},
        },
    })
}

#[test]
fn form_of_swagger_2_is_sent_as_a_type_that_is_consumed() {
    let (form, parts) = ("application/x-www-form-urlencoded", "multipart/form-data");
    let field = |name: &str, kind: &str| json!({"name": name, "in": "formData", "required": true, "type": kind});
    let (text, file) = (json!([field("t", "string")]), json!([field("t", "string"), field("f", "file")]));
    let in_parts =
        format!(": POST /a: its body is {parts}, which is not supported: send that call with `Client::request`");
    for (consumes, fields, sent, expected) in [
        (vec![], &text, true, String::new()),
        (vec!["application/x-www-form-urlencoded; charset=utf-8"], &text, true, String::new()),
        (vec![parts, form], &text, true, format!("/parameters: sent as {form}; the vendor takes {parts} as well")),
        (vec![parts], &text, false, in_parts.clone()),
        (vec![parts, form], &file, false, in_parts.clone()),
        (vec![], &file, false, in_parts),
        (
            vec!["application/json"],
            &text,
            true,
            format!("/consumes: the body is a form: sent as {form}, which the operation does not list"),
        ),
    ] {
        let mut root = posting_form_data(&consumes, fields);
        if consumes.is_empty() {
            root["paths"]["/a"]["post"].as_object_mut().expect("an operation").remove("consumes");
        }
        let draft = drafted(root).expect("it converts");
        let post = draft.operations.iter().find(|operation| operation.method == "post").map(|post| post.value());
        let media = post.map(|post| post["requestBody"]["content"].as_object().map(|all| all.contains_key(form)));
        assert_eq!(media, sent.then_some(Some(true)), "{consumes:?}");
        assert_eq!(losses_of_bodies(&draft).join("\n"), expected, "{consumes:?}");
    }
}

#[test]
fn losses_of_a_form_of_swagger_2_are_at_its_parameters() {
    let fields = json!([
        {"name": "p", "in": "query", "type": "string"},
        {"name": "t", "in": "formData", "type": "string"},
        {"name": "tags", "in": "formData", "type": "array", "items": {"type": "string"}},
    ]);
    let draft = drafted(posting_form_data(&["application/x-www-form-urlencoded"], &fields)).expect("it converts");
    assert_eq!(
        losses_of_bodies(&draft),
        [
            "/parameters/2: callers pass the form's list \"tags\" as one string, joined by a comma",
            "/parameters: the body is optional, and is always sent",
        ]
    );
}

#[test]
fn form_of_any_fields_is_not_sent_with_a_reason() {
    let form = json!({"type": "object", "additionalProperties": {"type": "string"}});
    for (required, expected) in [
        (
            false,
            "/requestBody: no body is sent: the form has any fields, of which none is described, and it is optional",
        ),
        (true, ": POST /a: its form has any fields, of which none is described"),
    ] {
        let draft = drafted(sending_a_form(required, &form)).expect("it converts");
        assert_eq!(losses_of_bodies(&draft), [expected]);
    }
}

#[test]
fn form_without_a_schema_is_not_sent_with_a_reason() {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "sendA", "requestBody": {"content": {"application/x-www-form-urlencoded": {}}},
        "responses": {"204": {"description": "d"}},
    });
    let draft = drafted(root).expect("it converts");
    assert!(
        losses_of_bodies(&draft).iter().any(|text| text.contains("of which none is described")),
        "{:?}",
        losses(&draft)
    );
}
