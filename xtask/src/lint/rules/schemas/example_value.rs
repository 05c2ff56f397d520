//! `example-value`: an example does not match its schema.

use std::borrow::Cow;

use openapi_document::{pointer::child, resolve_at};
use serde_json::Value;

use crate::{
    codegen::successes::is_json,
    example_mismatches::mismatches,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "example-value",
    level: Level::Warning,
    scope: Scope::Generator,
    finds: "An example does not match its schema.",
    why: "One of them is wrong, and examples show what the vendor sends.",
    instead: "Correct the example, or the schema if the vendor sends what the example shows.",
    example: Example {
        pointer: "/components/schemas/Line/properties/sku/example",
        value: "5",
        found_at: "/components/schemas/Line/properties/sku/example",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for node in &context.schemas {
        if let (Some(example), Some(schema)) = (node.schema.get("example"), context.root.pointer(&node.pointer)) {
            report(context, schema, example, &child(&node.pointer, "example"), findings);
        }
    }
    let root = context.root;
    for operation in &context.operations {
        let responses = operation.value.get("responses").and_then(Value::as_object).into_iter().flatten();
        let responses =
            responses.map(|(status, value)| (child(&child(&operation.pointer, "responses"), status), value));
        let body = operation.value.get("requestBody").map(|body| (child(&operation.pointer, "requestBody"), body));
        for (at, value) in responses.chain(body) {
            let (at, value) = resolve_at(root, at, value);
            for (name, media) in value.get("content").and_then(Value::as_object).into_iter().flatten() {
                if let (true, Some(schema), Some(example)) = (is_json(name), media.get("schema"), media.get("example"))
                {
                    report(context, schema, example, &child(&child(&child(&at, "content"), name), "example"), findings);
                }
            }
        }
    }
}

fn report(context: &Context<'_>, schema: &Value, example: &Value, at: &str, findings: &mut Findings) {
    let component = |name: &str| context.root.pointer(&child("/components/schemas", name)).map(Cow::Borrowed);
    for (place, why) in mismatches(schema, example, &component) {
        // A field that is missing has no location of its own.
        let at = if example.pointer(&place).is_some() { format!("{at}{place}") } else { at.to_owned() };
        let place = if place.is_empty() { String::new() } else { format!(" at {place}") };
        findings.add(&at, format!("the example{place} is {why}"), "correct the example or the schema");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{lint::lint, test_support::changed};

    const EXAMPLE: &str = "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/example";

    #[test]
    fn example_is_compared_with_its_schema_at_its_location() {
        let example = json!({"id": "a", "status": "OPEN", "lines": [{"count": 7}]});
        let findings = lint(&changed(EXAMPLE, example)).iter().map(ToString::to_string).collect::<Vec<_>>();
        let text = "the example at /lines/0/count is of the type integer, and the schema's is string";
        let line =
            format!("warning[example-value] at {EXAMPLE}/lines/0/count: {text}; correct the example or the schema");
        assert_eq!(findings, [line]);
    }
}
