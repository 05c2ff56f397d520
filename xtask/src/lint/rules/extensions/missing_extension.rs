//! `missing-extension`: an operation looks paged or long-running, and has no extension that states it.

use serde_json::Value;

use crate::{
    codegen::identifiers::value_name,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "missing-extension",
    level: Level::Warning,
    scope: Scope::Curation,
    finds: "An operation looks paged or long-running, and has no extension that states it.",
    why: "Callers would request pages or poll by hand.",
    instead: "Write `x-pagination` or `x-long-running` as `openapi/README.md` describes.",
    example: Example { pointer: "/paths/~1orders/get/x-pagination", value: "null", found_at: "/paths/~1orders/get" },
    check,
};

/// Parameters that select a page.
const PAGE_PARAMETERS: [&str; 12] = [
    "offset",
    "page",
    "page_number",
    "page_num",
    "page_token",
    "next_token",
    "next_page_token",
    "continuation_token",
    "cursor",
    "skip",
    "starting_after",
    "after",
];

fn check(context: &Context<'_>, findings: &mut Findings) {
    for operation in &context.operations {
        let mut add = |message: String, extension: &str| {
            let help = format!("write `{extension}`: the README of openapi/ describes it");
            findings.add(&operation.pointer, message, help);
        };
        let parameters = operation.parameters(context.root).into_iter();
        let text = |parameter: &'_ Value, key: &str| parameter.get(key).and_then(Value::as_str).map(str::to_owned);
        let query = parameters.filter(|parameter| text(parameter, "in").as_deref() == Some("query"));
        let mut names = query.filter_map(|parameter| text(parameter, "name"));
        if !operation.value.contains_key("x-pagination")
            && let Some(name) = names.find(|name| PAGE_PARAMETERS.contains(&value_name(name).as_str()))
        {
            add(format!("the parameter {name:?} selects a page"), "x-pagination");
        }
        let is_accepted = operation.responses(context.root).iter().any(|(status, _)| *status == "202");
        if !operation.value.contains_key("x-long-running") && is_accepted {
            add("status 202 means that the work continues".to_owned(), "x-long-running");
        }
    }
}
