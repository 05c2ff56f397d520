//! Bodies of requests.

use super::*;

#[test]
fn body_of_another_type_is_text_or_bytes_of_the_caller() {
    let bytes = json!({"type": "string", "format": "binary"});
    let text = json!({"type": "string"});
    let object = json!({"type": "object", "properties": {"a": text}});
    for (media, schema, sent, lost) in [
        ("application/xml", &object, &bytes, true),
        ("text/xml; charset=utf-8", &object, &text, true),
        ("application/soap+xml; charset=utf-8", &text, &bytes, false),
        ("text/csv; header=present", &text, &text, false),
        ("application/gzip", &bytes, &bytes, false),
        ("application/x-ndjson", &object, &bytes, true),
        ("text/*", &text, &text, false),
        ("*/*", &text, &text, false),
        ("*/*", &bytes, &bytes, false),
        ("application/*", &bytes, &bytes, false),
    ] {
        let draft = drafted(posting(&json!({media: {"schema": schema}}))).expect("it converts");
        let post = draft.operations.iter().find(|operation| operation.method == "post").expect("it is there").value();
        let any = if *sent == bytes { "application/octet-stream" } else { "text/plain" };
        let sent_as = if media.contains('*') { any } else { media };
        assert_eq!(post["requestBody"]["content"], json!({sent_as: {"schema": sent}}), "{media}");
        let renamed = losses(&draft).contains(&format!("a body of {media} is sent as {any}").as_str());
        assert_eq!(renamed, media.contains('*'), "{media}");
        let text = format!(": callers pass the body as they encode it in {media}: its schema is not read");
        let found = losses_of_bodies(&draft).iter().any(|loss| loss.ends_with(&text));
        assert_eq!(found, lost, "{media}: {:?}", losses(&draft));
    }
    let draft = drafted(posting(&json!({"image/*": {"schema": bytes}}))).expect("the other operation converts");
    let reason = "POST /a: its body is image/*, which is not supported: send that call with `Client::request`";
    assert_eq!((draft.operations.len(), losses(&draft)[0]), (1, reason));
}

/// The specification of [`responding`], with a POST whose body has some content.
fn posting(content: &Value) -> Value {
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "upload", "requestBody": {"required": true, "content": content},
        "responses": {"204": {"description": "d"}},
    });
    root
}

#[test]
fn list_of_changes_is_sent_only_if_nothing_else_is_taken() {
    let (patch, own) = ("application/json-patch+json", "application/vnd.api+json");
    let object = json!({"schema": {"type": "object", "properties": {"a": {"type": "string"}}}});
    let draft = drafted(posting(&json!({patch: object, own: object}))).expect("it converts");
    assert!(
        losses_of_bodies(&draft).iter().any(|text| text.contains(&format!("sent as {own}"))),
        "{:?}",
        losses(&draft)
    );
}

#[test]
fn body_of_a_media_type_of_its_own_comes_before_that_of_any() {
    let schema = |name: &str| json!({"schema": {"type": "object", "properties": {name: {"type": "string"}}}});
    let mut root = responding(json!({"type": "string"}), json!({}));
    root["paths"]["/a"]["post"] = json!({
        "operationId": "sendA", "responses": {"204": {"description": "d"}},
        "requestBody": {"required": true, "content": {"*/*": schema("any"), "application/json": schema("own")}},
    });
    let document = drafted(root).expect("it converts").document();
    assert!(document["components"]["schemas"]["SendABody"]["properties"].get("own").is_some(), "{document}");
}
