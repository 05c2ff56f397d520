//! `reference`: a reference is unresolved, points to a value of another kind, or to itself.

use std::collections::{BTreeMap, BTreeSet};

use openapi_document::{SCHEMAS, component_schemas, pointer::child};
use serde_json::Value;

use crate::lint::{Context, Example, Findings, Level, Rule, Scope, context::Reference};

pub(crate) static RULE: Rule = Rule {
    id: "reference",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A reference is unresolved, points to a value of another kind, or to itself.",
    why: "The generator panics on it, or follows it without end.",
    instead: "Refer to a component of the section that belongs there.",
    example: Example {
        pointer: "/paths/~1orders/get/responses/429",
        value: r##"{"$ref": "#/components/schemas/Order"}"##,
        found_at: "/paths/~1orders/get/responses/429",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for Reference { pointer, target, section, .. } in &context.references {
        // As the generator resolves it, which does not decode `%20`.
        if target.strip_prefix('#').and_then(|path| context.root.pointer(path)).is_none() {
            findings.add(pointer, format!("unresolved reference {target:?}"), "refer to a component of this document");
        } else if let Some(section) = section {
            let name = target.strip_prefix(&format!("#/components/{section}/"));
            if name.is_none_or(|name| name.is_empty() || name.contains('/')) {
                let message = format!("{target:?} is not one of the components' {section}");
                findings.add(pointer, message, format!("refer to `#/components/{section}/…`"));
            }
        }
    }
    cycles(context.root, findings);
}

/// Finds components that are, in the end, themselves.
fn cycles(root: &Value, findings: &mut Findings) {
    let next = |schema: &Value| {
        let part = schema.get("allOf").and_then(|parts| parts.get(0));
        let target = schema.get("$ref").or_else(|| part?.get("$ref"))?.as_str()?;
        target.strip_prefix(SCHEMAS).map(str::to_owned)
    };
    // Each component is visited once, however long the chains are.
    let mut done = BTreeSet::new();
    for (name, _) in component_schemas(root) {
        let (mut path, mut on_path) = (Vec::<String>::new(), BTreeMap::<String, usize>::new());
        let mut at = Some(name.to_owned());
        while let Some(target) = at.take_if(|target| !done.contains(target)) {
            if let Some(start) = on_path.get(&target) {
                for name in &path[*start..] {
                    findings.add(&child("/components/schemas", name), "it refers to itself", "describe its value");
                }
                break;
            }
            at = root.pointer(&child("/components/schemas", &target)).and_then(next);
            on_path.insert(target.clone(), path.len());
            path.push(target);
        }
        done.extend(path);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn long_chain_of_references_is_checked_without_recursion() {
        const LAST: usize = 20_000;
        let mut schemas = serde_json::Map::new();
        for index in 0..LAST {
            let target = json!({"$ref": format!("#/components/schemas/S{}", index + 1)});
            schemas.insert(format!("S{index}"), json!({"type": "object", "properties": {"next": target}}));
            schemas.insert(format!("A{index}"), json!({"$ref": format!("#/components/schemas/A{}", index + 1)}));
        }
        let mut document = crate::test_support::changed("/components/schemas", Value::Object(schemas));
        document.root["paths"]["/orders"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] =
            json!({"$ref": "#/components/schemas/S0"});
        assert!(!crate::lint::lint(&document).is_empty());
    }
}
