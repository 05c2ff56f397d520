//! `body`: a request body does not have one media type that the generator writes, with the schema that it takes.

use serde_json::{Value, json};

use super::bodies;
use crate::{
    codegen::media_types::BodyKind,
    lint::{Context, Example, Findings, Level, Rule, Scope},
};

pub(crate) static RULE: Rule = Rule {
    id: "body",
    level: Level::Error,
    scope: Scope::Generator,
    finds: "A request body does not have one media type that the generator writes, with the schema that it takes.",
    why: "The call could not be generated.",
    instead: "Keep one supported media type and give it a schema.",
    example: Example {
        pointer: "/paths/~1orders/post/requestBody/content/text~1plain",
        value: "{}",
        found_at: "/paths/~1orders/post/requestBody",
    },
    check,
};

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (at, body) in bodies(context) {
        if let Some((message, help)) = problem(body) {
            findings.add(&at, message, help);
        }
    }
}

fn problem(body: &Value) -> Option<(String, &'static str)> {
    let content = body.get("content").and_then(Value::as_object);
    let media = content.into_iter().flatten().collect::<Vec<_>>();
    let [(name, media)] = media.as_slice() else {
        return Some((format!("{} media types", media.len()), "keep the one that the client sends"));
    };
    let Some(kind) = BodyKind::of(name) else {
        let help = "send that call with `Client::request`, or state one type that is not multipart";
        return Some((format!("{name} is not supported"), help));
    };
    let needed = match kind {
        BodyKind::Bytes => Some(json!({"type": "string", "format": "binary"})),
        BodyKind::Text => Some(json!({"type": "string"})),
        BodyKind::Json | BodyKind::Form => None,
    };
    match (media.get("schema"), needed) {
        (None, _) => Some(("no schema".to_owned(), "give it one")),
        (Some(schema), Some(needed)) if *schema != needed => {
            Some((format!("{name} with another schema than {needed}"), "write exactly that"))
        }
        _ => None,
    }
}
