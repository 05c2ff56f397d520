//! Reads codes and messages from the bodies of error responses.
//!
//! The vendors use JSON objects of several shapes, JSON strings and plain text; proxies respond with HTML.

use serde_json::Value;

/// The vendor's code and a message of one line, not truncated yet: part of a secret could not be masked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Description {
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
}

pub(crate) fn describe(body: &[u8]) -> Description {
    match serde_json::from_slice::<Value>(body) {
        Ok(Value::String(text)) => Description { code: None, message: single_line(&text) },
        Ok(Value::Object(fields)) => {
            // Some vendors wrap the object in another one called `error`.
            let fields = match fields.get("error") {
                Some(Value::Object(inner)) => inner,
                _ => &fields,
            };
            let text = |names: &[&str]| names.iter().find_map(|name| scalar(fields.get(*name)?));
            let code = text(&["code", "error", "type"]);
            let message = text(&["message", "error_description", "description", "detail", "title"])
                .or_else(|| fields.get("details").and_then(details));
            // Some have only `error`.
            Description { message: message.as_deref().or(code.as_deref()).and_then(single_line), code }
        }
        Ok(_) => Description { code: None, message: None },
        Err(_) => Description { code: None, message: describe_text(body) },
    }
}

/// Joins the messages in `{"info": "…"}`.
fn details(value: &Value) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let messages: Vec<_> = fields.values().filter_map(scalar).collect();
            (!messages.is_empty()).then(|| messages.join("; "))
        }
        other => scalar(other),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn describe_text(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let start = text.trim_start();
    if start.starts_with('<') {
        let title = start
            .split_once("<title>")
            .and_then(|(_, rest)| rest.split_once("</title>"))
            .and_then(|(title, _)| single_line(title));
        return Some(match title {
            Some(title) => format!("an HTML page, not an API response (from a proxy?): {title}"),
            None => "an HTML page, not an API response (from a proxy?)".to_owned(),
        });
    }
    single_line(start)
}

fn single_line(text: &str) -> Option<String> {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(body: &str) -> (Option<String>, Option<String>) {
        let description = describe(body.as_bytes());
        (description.code, description.message)
    }

    #[test]
    fn code_and_message_are_read_from_every_body_shape() {
        let cases = [
            (
                r#"{"message":"No permission","code":"missing.any.permissions","status":403}"#,
                Some("missing.any.permissions"),
                Some("No permission"),
            ),
            (
                r#"{"error":{"code":404,"context":{},"message":"Not found","domain":"PlatformAccountServer"}}"#,
                Some("404"),
                Some("Not found"),
            ),
            (r#"{"error":{"code":"x","details":{"info":"bad period"}}}"#, Some("x"), Some("bad period")),
            (
                r#"{"error":"invalid_client","description":"client not found"}"#,
                Some("invalid_client"),
                Some("client not found"),
            ),
            (
                r#""all the quantity of usage records are zero""#,
                None,
                Some("all the quantity of usage records are zero"),
            ),
            ("upstream\n timed  out", None, Some("upstream timed out")),
            (
                "<html><head><title>503 Service\nUnavailable</title>",
                None,
                Some("an HTML page, not an API response (from a proxy?): 503 Service Unavailable"),
            ),
            ("", None, None),
            ("[]", None, None),
            ("{}", None, None),
        ];
        for (body, code, message) in cases {
            assert_eq!(described(body), (code.map(str::to_owned), message.map(str::to_owned)), "{body}");
        }
    }
}
