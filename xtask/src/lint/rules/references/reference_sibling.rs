//! `reference-sibling`: a field that changes the value is beside a `$ref`.

use crate::lint::{Context, Example, Findings, Level, Rule, Scope};

pub(crate) static RULE: Rule = Rule {
    id: "reference-sibling",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A field that changes the value is beside a `$ref`.",
    why: "OpenAPI 3.0 ignores it.",
    instead: "Write `allOf: [{$ref: …}]` in place of the `$ref`.",
    example: Example {
        pointer: "/components/schemas/Order/properties/status",
        value: r##"{"$ref": "#/components/schemas/Status", "nullable": true}"##,
        found_at: "/components/schemas/Order/properties/status",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    super::siblings(context, findings, true);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::lint::tests::broken;

    #[test]
    fn fields_beside_a_reference_are_found_by_what_they_change() {
        for (key, value, rule) in [
            ("description", json!("A line."), "reference-text"),
            ("nullable", json!(true), "reference-sibling"),
            ("required", json!(["sku"]), "reference-sibling"),
        ] {
            let mut schema = json!({"$ref": "#/components/schemas/Line"});
            schema[key] = value;
            assert_eq!(broken("/components/schemas/Order/properties/lines/items", schema), [rule], "{key}");
        }
    }
}
