//! Applies faults to responses.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use http::{HeaderValue, Uri, header};
use openapi_document::pointer::unescape;
use serde_json::value::RawValue;

use super::fault::FaultKind;
use super::json_rewrite::{ValueLocation, rewrite};
use crate::http_util::request::Params;
use crate::http_util::response::http_date;
use crate::vendors::Vendor;
use crate::vendors::document::Document;

/// Bytes of a body that faults change; larger ones stay as they are.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Returns the response after the fault, and the effect of the fault; `None` if the fault does not apply to the response.
pub(super) async fn apply(
    kind: &FaultKind,
    mut response: Response,
    vendor: Option<Vendor>,
    uri: &Uri,
    now: DateTime<Utc>,
) -> (Response, Option<String>) {
    if let FaultKind::ClockSkew { seconds } = kind {
        // A response with a token may already have the `Date` by which the token expires.
        let sent = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let sent = sent.and_then(|date| httpdate::parse_http_date(date).ok()).map(DateTime::<Utc>::from);
        let now = sent.unwrap_or(now);
        let date = now.checked_add_signed(TimeDelta::seconds((*seconds).into())).unwrap_or(now);
        response.headers_mut().insert(header::DATE, http_date(date));
    }
    let is_small = response.body().size_hint().exact().is_some_and(|size| size <= MAX_BODY_BYTES as u64);
    if !is_small {
        return (response, None);
    }
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json")
        && !response.headers().contains_key(header::CONTENT_ENCODING);
    let body = std::mem::take(response.body_mut());
    let bytes = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let length = bytes.len();
    match kind {
        FaultKind::CutBody { bytes: kept } if length > 0 => {
            let kept = kept.unwrap_or(length / 2).min(length - 1);
            let effect = format!("truncated the body after {kept} of {length} bytes");
            (with_length(with_body(response, truncated(bytes.slice(..kept))), length), Some(effect))
        }
        FaultKind::SlowBody { bytes: piece, millis } if length > 0 => {
            let effect = format!("sent the body in pieces of {piece} bytes, each after {millis} ms");
            let body = slow(bytes, (*piece).max(1), Duration::from_millis(*millis));
            (with_length(with_body(response, body), length), Some(effect))
        }
        FaultKind::MalformedJson {} if is_json && length > 0 => {
            let mut text = bytes.slice(..length - 1).to_vec();
            text.push(b',');
            (with_body(response, Body::from(text)), Some("put a comma in place of the last byte".to_owned()))
        }
        kind if is_json => {
            let changed = std::str::from_utf8(&bytes).ok().and_then(|json| change(kind, json, vendor, uri));
            match changed {
                Some((json, effect)) => (with_body(response, Body::from(json)), Some(effect)),
                None => (with_body(response, Body::from(bytes)), date_only(kind)),
            }
        }
        kind => (with_body(response, Body::from(bytes)), date_only(kind)),
    }
}

fn date_only(kind: &FaultKind) -> Option<String> {
    match kind {
        FaultKind::ClockSkew { seconds } => Some(format!("the Date is off by {seconds} s")),
        _ => None,
    }
}

/// Replaces the body of a response.
fn with_body(response: Response, body: Body) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

fn with_length(mut response: Response, length: usize) -> Response {
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// Sends the bytes and then an error, which closes the connection.
fn truncated(bytes: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(bytes), |left| async {
        let left = left?;
        if left.is_empty() {
            // The server flushes when the body has nothing more to send.
            tokio::task::yield_now().await;
            return Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None));
        }
        Some((Ok(left), Some(Bytes::new())))
    }))
}

fn slow(bytes: Bytes, piece: usize, delay: Duration) -> Body {
    Body::from_stream(stream::unfold(bytes, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(delay).await;
        let next = left.split_to(piece.min(left.len()));
        Some((Ok::<_, io::Error>(next), left))
    }))
}

/// Returns the JSON after the fault, and the effect.
fn change(kind: &FaultKind, json: &str, vendor: Option<Vendor>, uri: &Uri) -> Option<(String, String)> {
    let mut pointers = Vec::new();
    let mut note = |at: &ValueLocation<'_>, text: String| {
        pointers.push(if at.pointer.is_empty() { "the root".to_owned() } else { at.pointer.to_owned() });
        Some(text)
    };
    let (effect, changed) = match kind {
        FaultKind::UnknownEnum { pointer, value } => {
            let value = serde_json::to_string(value).ok()?;
            let mut is_done = false;
            let changed = rewrite(json, &mut |at, text| {
                let is_match = match pointer {
                    Some(pointer) => at.pointer == pointer,
                    None => {
                        text.starts_with('"')
                            && at
                                .name
                                .zip(vendor)
                                .is_some_and(|(name, vendor)| Document::of(vendor).is_enum_field(name))
                    }
                };
                if is_done || !is_match {
                    return None;
                }
                is_done = true;
                note(at, value.clone())
            });
            (format!("put {value} at"), changed)
        }
        FaultKind::ReplaceValue { pointer, value } => {
            let value = value.to_string();
            let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
            let name = unescape(name);
            let changed = rewrite(json, &mut |at, text| {
                if at.pointer == pointer {
                    return note(at, value.clone());
                }
                if at.pointer != parent || pointer.is_empty() {
                    return None;
                }
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
                let is_there = fields.contains_key(&name);
                let field = format!("{}:{value}", serde_json::to_string(&name).ok()?);
                let comma = if fields.is_empty() { "" } else { "," };
                let rest = text.strip_prefix('{').filter(|_| !is_there)?;
                note(at, format!("{{{field}{comma}{rest}"))
            });
            (format!("put {value} at"), changed)
        }
        FaultKind::ExtraFields {} => {
            let changed = rewrite(json, &mut |at, text| {
                // Other objects may be maps, whose values have a type.
                let fields = text.strip_prefix('{').filter(|_| at.pointer.is_empty() || at.is_item)?;
                let comma = if fields == "}" { "" } else { "," };
                note(at, format!(r#"{{"sandboxExtra":{{"list":[1]}}{comma}{fields}"#))
            });
            ("added a field to".to_owned(), changed)
        }
        FaultKind::NullLists { pointer } => {
            let changed = rewrite(json, &mut |at, text| {
                let is_match = pointer.as_ref().is_none_or(|pointer| at.pointer == pointer);
                (is_match && text.starts_with('[')).then(|| "null".to_owned()).and_then(|null| note(at, null))
            });
            ("put null at".to_owned(), changed)
        }
        FaultKind::DuplicatedPage {} => {
            let query = Params::parse(uri.query().unwrap_or_default().as_bytes());
            let offset = query.get("offset").and_then(|offset| offset.parse::<u64>().ok()).filter(|offset| *offset > 0);
            let after = query.get("after").and_then(|after| serde_json::to_string(after).ok());
            let own = serde_json::to_string(uri.path_and_query()?.as_str()).ok();
            let changed = rewrite(json, &mut |at, text| {
                let own = match at.pointer {
                    "/nextOffset" => offset.map(|offset| offset.to_string()),
                    "/nextUri" => own.clone(),
                    "/cursors/after" | "/paging/cursors/after" => after.clone(),
                    _ => None,
                };
                own.filter(|_| text != "null").and_then(|own| note(at, own))
            });
            ("put this page's own cursor at".to_owned(), changed)
        }
        FaultKind::ClockSkew { seconds } => {
            let changed = rewrite(json, &mut |at, text| {
                if !["/expires_in", "/expires_on"].contains(&at.pointer) {
                    return None;
                }
                let ends = text.parse::<i64>().ok()?.saturating_add((*seconds).into()).max(0);
                note(at, ends.to_string())
            });
            (format!("the Date is off by {seconds} s, and so is"), changed)
        }
        _ => return None,
    };
    let changed = changed?;
    let first = pointers.first()?;
    let more = if pointers.len() > 1 { format!(" and {} more", pointers.len() - 1) } else { String::new() };
    Some((changed, format!("{effect} {first}{more}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(fault: &str, vendor: Vendor, uri: &str, json: &str) -> Option<(String, String)> {
        let fault: super::super::Fault = fault.parse().unwrap();
        change(fault.kind(), json, Some(vendor), &uri.parse().unwrap())
    }

    #[test]
    fn faults_change_json_and_name_the_location() {
        use Vendor::{Acronis, Genesys, Suger};
        for (fault, vendor, uri, before, after, effect) in [
            (
                "unknown_enum",
                Genesys,
                "/x",
                r#"{"name":"status","status":"Complete","unitOfMeasure":"seat"}"#,
                r#"{"name":"status","status":"SANDBOX_UNKNOWN","unitOfMeasure":"seat"}"#,
                r#"put "SANDBOX_UNKNOWN" at /status"#,
            ),
            (
                "unknown_enum; value=Q; pointer=/a/1",
                Suger,
                "/x",
                r#"{"a":["b","c"]}"#,
                r#"{"a":["b","Q"]}"#,
                r#"put "Q" at /a/1"#,
            ),
            (
                "replace_value; pointer=/a/0/b~1c; value={\"d\":7}",
                Suger,
                "/x",
                r#"{"a":[{"b/c":[1]}]}"#,
                r#"{"a":[{"b/c":{"d":7}}]}"#,
                r#"put {"d":7} at /a/0/b~1c"#,
            ),
            (
                "replace_value; pointer=/nextOffset; value=-1",
                Suger,
                "/x",
                r#"{"items":[]}"#,
                r#"{"nextOffset":-1,"items":[]}"#,
                "put -1 at the root",
            ),
            (
                "extra_fields",
                Suger,
                "/x",
                r#"{"records":{"seats":"0.1"},"items":[{"a":0.10}]}"#,
                r#"{"sandboxExtra":{"list":[1]},"items":[{"sandboxExtra":{"list":[1]},"a":0.10}],"records":{"seats":"0.1"}}"#,
                "added a field to /items/0 and 1 more",
            ),
            ("null_lists", Suger, "/x", "[]", "null", "put null at the root"),
            ("null_lists; pointer=/b", Suger, "/x", r#"{"a":[],"b":[[]]}"#, r#"{"a":[],"b":null}"#, "put null at /b"),
            (
                "duplicated_page",
                Suger,
                "/x?offset=20&limit=10",
                r#"{"nextOffset":30}"#,
                r#"{"nextOffset":20}"#,
                "put this page's own cursor at /nextOffset",
            ),
            (
                "duplicated_page",
                Acronis,
                "/x?after=a%3D",
                r#"{"paging":{"cursors":{"after":"b"}}}"#,
                r#"{"paging":{"cursors":{"after":"a="}}}"#,
                "put this page's own cursor at /paging/cursors/after",
            ),
            (
                "duplicated_page",
                Genesys,
                "/x?after=1",
                r#"{"nextUri":"/x?after=2"}"#,
                r#"{"nextUri":"/x?after=1"}"#,
                "put this page's own cursor at /nextUri",
            ),
            (
                "clock_skew; seconds=-60",
                Acronis,
                "/x",
                r#"{"expires_on":1000}"#,
                r#"{"expires_on":940}"#,
                "the Date is off by -60 s, and so is /expires_on",
            ),
        ] {
            assert_eq!(changed(fault, vendor, uri, before), Some((after.to_owned(), effect.to_owned())), "{fault}");
        }
    }

    #[test]
    fn faults_do_not_apply_to_other_json() {
        for (fault, uri, json) in [
            ("unknown_enum", "/x", r#"{"status":7}"#),
            ("unknown_enum; pointer=/b", "/x", r#"{"a":"b"}"#),
            ("extra_fields", "/x", "7"),
            ("null_lists", "/x", "{}"),
            ("replace_value; pointer=/a/b; value=1", "/x", r#"{"c":7}"#),
            ("replace_value; pointer=/a/0; value=1", "/x", r#"{"a":[]}"#),
            ("duplicated_page", "/x", r#"{"nextOffset":30}"#),
            ("duplicated_page", "/x?offset=30", r#"{"items":[]}"#),
            ("clock_skew; seconds=1", "/x", r#"{"a":7}"#),
            ("extra_fields", "/x", "not json"),
        ] {
            assert_eq!(changed(fault, Vendor::Suger, uri, json), None, "{fault} {json}");
        }
    }
}
