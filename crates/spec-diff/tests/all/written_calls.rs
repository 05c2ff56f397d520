//! How parameters, forms and responses are written: defaults that are written out change nothing, and what does change has a level in both
//! directions.

use serde_json::{Value, json};
use spec_diff::Level::{self, Breaking, Info, Warning};

use crate::support::{compare, document, line, yaml};

const VERSIONS: [&str; 2] = ["3.0.3", "3.1.0"];

/// A document of one operation, written in YAML.
fn api(version: &str, operation: &str, components: &str) -> Value {
    let mut operation = yaml(operation);
    if operation.get("responses").is_none() {
        operation["responses"] = json!({"200": {"description": "ok"}});
    }
    let mut document = document(json!({"/a/{p}": {"post": operation}}), yaml(components));
    document["openapi"] = json!(version);
    document
}

fn found(base: &Value, revision: &Value) -> (Level, Vec<String>) {
    let report = compare(base, revision);
    (report.wire, report.changes.iter().filter(|change| change.level > Level::None).map(line).collect())
}

fn assert_same(base: &Value, revision: &Value) {
    for (base, revision) in [(base, revision), (revision, base)] {
        assert_eq!(found(base, revision).1, [""; 0], "{base} -> {revision}");
    }
}

/// The operation before and after, and the levels there and back. Each in both versions.
fn check(rows: &[(&str, &str, Level, Level)]) {
    for (base, revision, forth, back) in rows {
        for version in VERSIONS {
            let (old, new) = (api(version, base, "{}"), api(version, revision, "{}"));
            let (there, back_again) = (found(&old, &new), found(&new, &old));
            assert_eq!(
                (there.0, back_again.0),
                (*forth, *back),
                "{version}: {base} -> {revision}: {there:?}, {back_again:?}"
            );
        }
    }
}

const SCALAR: &str = "{type: string}";
const LIST: &str = "{type: array, items: {type: string}}";
const OBJECT: &str = "{type: object, properties: {a: {type: string}}}";

#[test]
fn default_style_and_explode_of_a_parameter_change_nothing() {
    for (place, style, explode) in
        [("query", "form", true), ("cookie", "form", true), ("path", "simple", false), ("header", "simple", false)]
    {
        for schema in [SCALAR, LIST, OBJECT, "{}"] {
            for version in VERSIONS {
                let parameter = |more: &str| {
                    let text =
                        format!("{{parameters: [{{name: p, in: {place}, required: true, schema: {schema}{more}}}]}}");
                    api(version, &text, "{}")
                };
                let plain = parameter("");
                for more in
                    [format!("style: {style}"), format!("explode: {explode}"), "allowReserved: false".to_owned()]
                {
                    assert_same(&plain, &parameter(&format!(", {more}")));
                }
                assert_same(&plain, &parameter(&format!(", style: {style}, explode: {explode}")));
            }
        }
    }
    let parameter = |place: &str, schema: &str, more: &str| {
        format!("{{parameters: [{{name: p, in: {place}, required: true, schema: {schema}, {more}}}]}}")
    };
    // `explode` where it changes nothing, and where it does.
    for (place, schema, style, level) in [
        ("query", OBJECT, "deepObject", Level::None),
        ("path", LIST, "simple", Level::None),
        ("header", LIST, "simple", Level::None),
        ("path", SCALAR, "simple", Level::None),
        ("query", SCALAR, "form", Level::None),
        ("query", LIST, "form", Breaking),
        ("query", OBJECT, "form", Breaking),
        ("path", OBJECT, "simple", Breaking),
        ("header", OBJECT, "simple", Breaking),
        ("path", LIST, "matrix", Breaking),
    ] {
        let [without, with] =
            [false, true].map(|explode| parameter(place, schema, &format!("style: {style}, explode: {explode}")));
        check(&[(&without, &with, level, level)]);
    }
}

/// A form with one member `f`, and what is stated of its encoding.
fn form(media: &str, schema: &str, encoding: &str) -> String {
    format!(
        "{{requestBody: {{content: {{{media}: {{schema: {{type: object, properties: {{f: {schema}}}}}, encoding: {{f: {encoding}}}}}}}}}}}"
    )
}

#[test]
fn default_media_type_of_a_part_changes_nothing_and_another_does() {
    let multipart = "multipart/form-data";
    let kinds = [
        (SCALAR, "text/plain"),
        ("{type: integer}", "text/plain"),
        (LIST, "text/plain"),
        ("{allOf: [{type: string}, {maxLength: 5}]}", "text/plain"),
        (OBJECT, "application/json"),
        ("{type: array, items: {type: object}}", "application/json"),
        ("{type: string, format: binary}", "application/octet-stream"),
        ("{type: array, items: {type: string, format: binary}}", "application/octet-stream"),
    ];
    for (schema, usual) in kinds {
        for version in VERSIONS {
            let of = |encoding: &str| api(version, &form(multipart, schema, encoding), "{}");
            let plain = of("{}");
            assert_same(&plain, &of(&format!("{{contentType: {usual}}}")));
            assert_same(&plain, &of(&format!("{{contentType: {}}}", usual.to_uppercase())));
            for other in ["text/plain", "application/json", "application/octet-stream", "image/png"] {
                let (forth, back) = (
                    found(&plain, &of(&format!("{{contentType: {other}}}"))),
                    found(&of(&format!("{{contentType: {other}}}")), &plain),
                );
                let expected = if other == usual { Level::None } else { Warning };
                assert_eq!((forth.0, back.0), (expected, expected), "{version} {schema} {other}: {forth:?} {back:?}");
            }
        }
    }
    let urlencoded = "application/x-www-form-urlencoded";
    let binary = "{type: string, format: binary}";
    check(&[
        (
            &form(multipart, binary, "{contentType: image/png}"),
            &form(multipart, binary, "{contentType: 'image/jpeg, image/png'}"),
            Info,
            Warning,
        ),
        (
            &form(multipart, binary, "{contentType: 'image/jpeg, image/png'}"),
            &form(multipart, binary, "{contentType: 'image/png,image/jpeg'}"),
            Level::None,
            Level::None,
        ),
        (&form(urlencoded, SCALAR, "{}"), &form(urlencoded, SCALAR, "{allowReserved: true}"), Info, Warning),
        (
            &form(urlencoded, SCALAR, "{}"),
            &form(urlencoded, SCALAR, "{style: form, explode: true}"),
            Level::None,
            Level::None,
        ),
        (&form(urlencoded, LIST, "{}"), &form(urlencoded, LIST, "{explode: false}"), Warning, Warning),
        (&form(urlencoded, SCALAR, "{}"), &form(urlencoded, SCALAR, "{explode: false}"), Level::None, Level::None),
    ]);
}

#[test]
fn part_that_is_sent_in_another_way_is_found_where_nothing_is_stated() {
    let form = |media: &str, schema: &str| {
        format!("{{requestBody: {{content: {{{media}: {{schema: {{type: object, properties: {{f: {schema}}}}}}}}}}}}}")
    };
    let (multipart, urlencoded) = ("multipart/form-data", "application/x-www-form-urlencoded");
    let (file, text) = ("{type: string, format: binary}", "{type: string}");
    for (media, base, revision, both_ways) in [
        (multipart, file, text, true),
        (multipart, file, "{type: string, format: uri}", true),
        (multipart, "{type: array, items: {type: string, format: binary}}", file, true),
        (multipart, LIST, text, true),
        (multipart, OBJECT, text, true),
        (urlencoded, LIST, text, true),
        (urlencoded, OBJECT, text, true),
        (multipart, "{type: integer}", text, false),
        (multipart, text, "{type: string, title: T}", false),
    ] {
        for version in VERSIONS {
            let of = |schema: &str| api(version, &form(media, schema), "{}");
            let (forth, back) = (found(&of(base), &of(revision)), found(&of(revision), &of(base)));
            let what = format!("{version} {media}: {base} -> {revision}: {forth:?}, back {back:?}");
            assert_eq!(forth.0 >= Warning, both_ways, "{what}");
            assert!(!both_ways || back.0 >= Warning, "{what}");
        }
    }
}

/// A response of one status whose body requires a member.
fn response(status: &str, member: &str) -> String {
    format!(
        "{status}: {{description: d, content: {{application/json: {{schema: {{type: object, required: [{member}], properties: {{{member}: {{type: string}}}}}}}}}}}}"
    )
}

#[test]
fn status_that_joins_or_leaves_what_covered_it_is_compared_with_it() {
    let statuses = |list: &[(&str, &str)]| {
        let list: Vec<_> = list.iter().map(|(status, member)| response(status, member)).collect();
        format!("{{responses: {{200: {{description: ok}}, {}}}}}", list.join(", "))
    };
    for (broad, narrow) in [("default", "404"), ("default", "4XX"), ("4XX", "404"), ("default", "503")] {
        check(&[
            (&statuses(&[(broad, "m")]), &statuses(&[(broad, "m"), (narrow, "m")]), Info, Info),
            (&statuses(&[(broad, "m")]), &statuses(&[(broad, "m"), (narrow, "z")]), Breaking, Breaking),
            (&statuses(&[(broad, "m"), (narrow, "z")]), &statuses(&[(broad, "z")]), Breaking, Breaking),
        ]);
    }
    // Where nothing else is said of successes, `default` is one.
    let only = format!("{{responses: {{{}}}}}", response("default", "m"));
    let both = format!("{{responses: {{{}, {}}}}}", response("default", "m"), response("404", "z"));
    check(&[(&only, &both, Info, Info)]);
}

#[test]
fn required_members_of_a_message_depend_on_its_sender() {
    let body = |schema: &str| {
        format!("{{requestBody: {{required: true, content: {{application/json: {{schema: {schema}}}}}}}}}")
    };
    let received = |schema: &str| {
        format!("{{responses: {{200: {{description: ok, content: {{application/json: {{schema: {schema}}}}}}}}}}}")
    };
    let id = |required: &str, more: &str| {
        format!("{{type: object, required: [{required}], properties: {{id: {{type: string{more}}}}}}}")
    };
    let open = "{type: object, properties: {a: {type: string}}}";
    let forbidding = "{type: object, properties: {a: {type: string}, b: {not: {}}}}";
    let closed = "{type: object, properties: {a: {type: string}}, additionalProperties: false}";
    let closed_too = "{type: object, properties: {a: {type: string}, b: {not: {}}}, additionalProperties: false}";
    check(&[
        // Callers who did not send it are rejected now.
        (&body(&id("id", ", readOnly: true")), &body(&id("id", "")), Warning, Warning),
        (&body(&id("", ", readOnly: true")), &body(&id("id", "")), Warning, Warning),
        (&body(&id("", ", readOnly: true")), &body(&id("", "")), Info, Warning),
        (&received(&id("id", ", readOnly: true")), &received(&id("id", "")), Info, Info),
        // A member that may not be there.
        (&body(open), &body(forbidding), Warning, Info),
        (&received(open), &received(forbidding), Info, Warning),
        (&body(closed), &body(closed_too), Level::None, Level::None),
        // A default of what no caller could leave out.
        (
            "{parameters: [{name: q, in: query, required: true, schema: {type: string}}]}",
            "{parameters: [{name: q, in: query, schema: {type: string, default: a}}]}",
            Info,
            Breaking,
        ),
        (&body(&id("id", "")), &body(&id("", ", default: a")), Info, Breaking),
        // Parameters without a value.
        (
            "{parameters: [{name: q, in: query, schema: {type: string}}]}",
            "{parameters: [{name: q, in: query, schema: {type: string}, allowEmptyValue: true}]}",
            Info,
            Warning,
        ),
        (
            "{responses: {200: {description: ok, headers: {Content-Type: {schema: {type: string}}}}}}",
            "{responses: {200: {description: ok}}}",
            Level::None,
            Level::None,
        ),
        (
            "{servers: [{url: 'https://{r}.example', variables: {r: {default: a, enum: [a, b]}}}]}",
            "{servers: [{url: 'https://{r}.example', variables: {r: {default: a, enum: [a, b, c]}}}]}",
            Info,
            Warning,
        ),
    ]);
}

#[test]
fn scheme_that_no_operation_uses_is_worth_a_warning_at_most() {
    let schemes = |scheme: &str| {
        format!(
            "{{securitySchemes: {{used: {{type: http, scheme: {scheme}}}, unused: {{type: http, scheme: {scheme}}}}}}}"
        )
    };
    let levels = |name: &str| {
        let operation = format!("{{security: [{{{name}: []}}]}}");
        let [old, new] = ["basic", "bearer"].map(|scheme| api("3.1.0", &operation, &schemes(scheme)));
        let report = compare(&old, &new);
        report.changes.iter().map(|change| (change.owner.to_string(), change.level)).collect::<Vec<_>>()
    };
    for (name, other) in [("used", "unused"), ("unused", "used")] {
        let found = levels(name);
        let of = |name: &str| {
            found
                .iter()
                .find(|(owner, _)| owner.ends_with(&format!(" {name}")) || owner == name)
                .map(|(_, level)| *level)
        };
        assert_eq!((of(name), of(other)), (Some(Breaking), Some(Warning)), "{found:?}");
    }
}
