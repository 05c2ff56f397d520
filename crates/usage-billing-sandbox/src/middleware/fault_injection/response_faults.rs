//! What a fault does to an answer.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use axum::body::{Body, HttpBody, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream;
use http::{HeaderValue, Uri, header};
use serde_json::value::RawValue;

use super::fault::FaultKind;
use super::json_rewrite::{Place, rewrite};
use super::{enum_fields, replace};
use crate::http_util::response::{Values, http_date};
use crate::vendors::Vendor;

/// Bytes of a body that faults are done to; larger ones are left alone.
const LARGEST_BODY: usize = 64 << 20;

/// The answer after the fault, and what was done; nothing, if there was nothing to do it to.
pub(super) async fn harm(
    kind: &FaultKind,
    mut response: Response,
    vendor: Option<Vendor>,
    uri: &Uri,
    now: DateTime<Utc>,
) -> (Response, Option<String>) {
    if let FaultKind::ClockSkew { seconds } = kind {
        // A token that ends by a clock of its own is sent with the date of that clock.
        let sent = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let sent = sent.and_then(|date| httpdate::parse_http_date(date).ok()).map(DateTime::<Utc>::from);
        let now = sent.unwrap_or(now);
        let date = now.checked_add_signed(TimeDelta::seconds((*seconds).into())).unwrap_or(now);
        response.headers_mut().insert(header::DATE, http_date(date));
    }
    let is_small = response.body().size_hint().exact().is_some_and(|size| size <= LARGEST_BODY as u64);
    if !is_small {
        return (response, None);
    }
    let is_json = response.headers().get(header::CONTENT_TYPE).is_some_and(|value| value == "application/json")
        && !response.headers().contains_key(header::CONTENT_ENCODING);
    let body = std::mem::take(response.body_mut());
    let bytes = to_bytes(body, LARGEST_BODY).await.unwrap_or_default();
    let length = bytes.len();
    match kind {
        FaultKind::CutBody { bytes: kept } if length > 0 => {
            let kept = kept.unwrap_or(length / 2).min(length - 1);
            let did = format!("cut the body after {kept} of {length} bytes");
            (with_length(replace(response, cut(bytes.slice(..kept))), length), Some(did))
        }
        FaultKind::SlowBody { bytes: piece, millis } if length > 0 => {
            let did = format!("sent the body in pieces of {piece} bytes, each after {millis} ms");
            let body = slow(bytes, (*piece).max(1), Duration::from_millis(*millis));
            (with_length(replace(response, body), length), Some(did))
        }
        FaultKind::MalformedJson {} if is_json && length > 0 => {
            let mut text = bytes.slice(..length - 1).to_vec();
            text.push(b',');
            (replace(response, Body::from(text)), Some("put a comma in place of the last byte".to_owned()))
        }
        kind if is_json => {
            let changed = std::str::from_utf8(&bytes).ok().and_then(|json| change(kind, json, vendor, uri));
            match changed {
                Some((json, did)) => (replace(response, Body::from(json)), Some(did)),
                None => (replace(response, Body::from(bytes)), date_only(kind)),
            }
        }
        kind => (replace(response, Body::from(bytes)), date_only(kind)),
    }
}

fn date_only(kind: &FaultKind) -> Option<String> {
    match kind {
        FaultKind::ClockSkew { seconds } => Some(format!("the Date is off by {seconds} s")),
        _ => None,
    }
}

fn with_length(mut response: Response, length: usize) -> Response {
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    response
}

/// The bytes, and then an error, upon which the connection is closed.
fn cut(bytes: Bytes) -> Body {
    Body::from_stream(stream::unfold(Some(bytes), |left| async {
        let left = left?;
        if left.is_empty() {
            // What was sent leaves only when the server finds nothing more to send.
            tokio::task::yield_now().await;
            return Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), None));
        }
        Some((Ok(left), Some(Bytes::new())))
    }))
}

fn slow(bytes: Bytes, piece: usize, pause: Duration) -> Body {
    Body::from_stream(stream::unfold(bytes, move |mut left| async move {
        if left.is_empty() {
            return None;
        }
        tokio::time::sleep(pause).await;
        let next = left.split_to(piece.min(left.len()));
        Some((Ok::<_, io::Error>(next), left))
    }))
}

/// The JSON after the fault, and what was done.
fn change(kind: &FaultKind, json: &str, vendor: Option<Vendor>, uri: &Uri) -> Option<(String, String)> {
    let mut places = Vec::new();
    let mut note = |place: &Place<'_>, text: String| {
        places.push(if place.pointer.is_empty() { "the whole".to_owned() } else { place.pointer.to_owned() });
        Some(text)
    };
    let (what, changed) = match kind {
        FaultKind::UnknownEnum { pointer, value } => {
            let value = serde_json::to_string(value).ok()?;
            let mut is_done = false;
            let changed = rewrite(json, &mut |place, text| {
                let is_meant = match pointer {
                    Some(pointer) => place.pointer == pointer,
                    None => text.starts_with('"') && place.name.is_some_and(|name| enum_fields::is_enum(vendor, name)),
                };
                if is_done || !is_meant {
                    return None;
                }
                is_done = true;
                note(place, value.clone())
            });
            (format!("put {value} at"), changed)
        }
        FaultKind::ReplaceValue { pointer, value } => {
            let value = value.to_string();
            let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
            let name = name.replace("~1", "/").replace("~0", "~");
            let changed = rewrite(json, &mut |place, text| {
                if place.pointer == pointer {
                    return note(place, value.clone());
                }
                if place.pointer != parent || pointer.is_empty() {
                    return None;
                }
                let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text).ok()?;
                let is_there = fields.contains_key(&name);
                let field = format!("{}:{value}", serde_json::to_string(&name).ok()?);
                let comma = if fields.is_empty() { "" } else { "," };
                let rest = text.strip_prefix('{').filter(|_| !is_there)?;
                note(place, format!("{{{field}{comma}{rest}"))
            });
            (format!("put {value} at"), changed)
        }
        FaultKind::ExtraFields {} => {
            let changed = rewrite(json, &mut |place, text| {
                // Only where an object is a record. Elsewhere it may be a map, whose values have a type.
                let fields = text.strip_prefix('{').filter(|_| place.pointer.is_empty() || place.is_item)?;
                let comma = if fields == "}" { "" } else { "," };
                note(place, format!(r#"{{"sandboxExtra":{{"list":[1]}}{comma}{fields}"#))
            });
            ("added a field to".to_owned(), changed)
        }
        FaultKind::NullLists { pointer } => {
            let changed = rewrite(json, &mut |place, text| {
                let is_meant = pointer.as_ref().is_none_or(|pointer| place.pointer == pointer);
                (is_meant && text.starts_with('[')).then(|| "null".to_owned()).and_then(|null| note(place, null))
            });
            ("put null at".to_owned(), changed)
        }
        FaultKind::DuplicatedPage {} => {
            let query = Values::parse(uri.query().unwrap_or_default().as_bytes());
            let offset = query.get("offset").and_then(|offset| offset.parse::<u64>().ok()).filter(|offset| *offset > 0);
            let after = query.get("after").and_then(|after| serde_json::to_string(after).ok());
            let own = serde_json::to_string(uri.path_and_query()?.as_str()).ok();
            let changed = rewrite(json, &mut |place, text| {
                let own = match place.pointer {
                    "/nextOffset" => offset.map(|offset| offset.to_string()),
                    "/nextUri" => own.clone(),
                    "/cursors/after" | "/paging/cursors/after" => after.clone(),
                    _ => None,
                };
                own.filter(|_| text != "null").and_then(|own| note(place, own))
            });
            ("put this page's own cursor at".to_owned(), changed)
        }
        FaultKind::ClockSkew { seconds } => {
            let changed = rewrite(json, &mut |place, text| {
                if !["/expires_in", "/expires_on"].contains(&place.pointer) {
                    return None;
                }
                let ends = text.parse::<i64>().ok()?.saturating_add((*seconds).into()).max(0);
                note(place, ends.to_string())
            });
            (format!("the Date is off by {seconds} s, and so is"), changed)
        }
        _ => return None,
    };
    let changed = changed?;
    let first = places.first()?;
    let more = if places.len() > 1 { format!(" and {} more", places.len() - 1) } else { String::new() };
    Some((changed, format!("{what} {first}{more}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(fault: &str, vendor: Vendor, uri: &str, json: &str) -> Option<(String, String)> {
        let fault: super::super::Fault = fault.parse().unwrap();
        change(fault.kind(), json, Some(vendor), &uri.parse().unwrap())
    }

    #[test]
    fn each_change_is_done_where_it_belongs_and_told() {
        use Vendor::{Acronis, Genesys, Suger};
        for (fault, vendor, uri, before, after, did) in [
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
                "put -1 at the whole",
            ),
            (
                "extra_fields",
                Suger,
                "/x",
                r#"{"records":{"seats":"0.1"},"items":[{"a":0.10}]}"#,
                r#"{"sandboxExtra":{"list":[1]},"items":[{"sandboxExtra":{"list":[1]},"a":0.10}],"records":{"seats":"0.1"}}"#,
                "added a field to /items/0 and 1 more",
            ),
            ("null_lists", Suger, "/x", "[]", "null", "put null at the whole"),
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
            assert_eq!(changed(fault, vendor, uri, before), Some((after.to_owned(), did.to_owned())), "{fault}");
        }
    }

    #[test]
    fn where_there_is_nothing_to_change_nothing_is() {
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
