//! Parameters of the query string, and pages.

use axum::extract::FromRequestParts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use http::request::Parts;
use usage_billing_acronis::types::{Paging, PagingCursors};
use usage_billing_core::LenientDateTime;
use uuid::Uuid;

use super::error::Failure;
use crate::http_util::request::Params;

/// The vendor states no maximum.
const DEFAULT_LIMIT: usize = 5_000;

pub(super) fn flag(query: &Params, name: &str) -> Result<bool, Failure> {
    match query.get(name) {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(other) => Err(Failure::bad_request(format!("{name} is neither true nor false: {other}"))),
    }
}

pub(super) fn uuid(query: &Params, name: &str) -> Result<Option<Uuid>, Failure> {
    query.get(name).map(|text| parse_uuid(name, text)).transpose()
}

/// Parses ids joined by commas, each once.
pub(super) fn uuids(query: &Params, name: &str) -> Result<Option<Vec<Uuid>>, Failure> {
    let Some(text) = query.get(name) else { return Ok(None) };
    let mut ids = Vec::new();
    for part in text.split(',') {
        let id = parse_uuid(name, part.trim())?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(Some(ids))
}

fn parse_uuid(name: &str, text: &str) -> Result<Uuid, Failure> {
    Uuid::parse_str(text).map_err(|_| Failure::bad_request(format!("{name} is not a UUID: {text}")))
}

pub(super) fn instant(query: &Params, name: &str) -> Result<Option<DateTime<Utc>>, Failure> {
    let parse = |text: &str| text.parse::<LenientDateTime>().map(|instant| instant.0);
    let not = |text: &str| Failure::bad_request(format!("{name} is not a date-time of RFC 3339: {text}"));
    query.get(name).map(|text| parse(text).map_err(|_| not(text))).transpose()
}

/// Returns whether a value is one of those joined by commas; true if the parameter is missing.
pub(super) fn lists(query: &Params, name: &str, value: Option<&str>) -> bool {
    query.get(name).is_none_or(|requested| requested.split(',').any(|one| Some(one.trim()) == value))
}

/// Rejects values of open enums that the vendor does not list.
pub(super) fn reject_unlisted(value: Option<&str>) -> Result<(), Failure> {
    value.map_or(Ok(()), |value| Err(Failure::bad_request(format!("There is no such value: {value}"))))
}

/// A query for a list in pages.
///
/// The cursor contains the query of the first page and the number of items read ("carries filters and order"), so that the server keeps no
/// state.
pub(super) struct Paged {
    pub(super) query: Params,
    first: String,
    limit: usize,
    read: usize,
}

impl Paged {
    fn parse(raw: &str) -> Result<Self, Failure> {
        let query = Params::parse(raw.as_bytes());
        let own_limit = limit(&query)?;
        let Some(cursor) = query.get("after") else {
            return Ok(Self { limit: own_limit.unwrap_or(DEFAULT_LIMIT), query, first: raw.to_owned(), read: 0 });
        };
        let (read, first) = decoded(cursor).ok_or_else(|| Failure::bad_request("after: there is no such cursor."))?;
        let query = Params::parse(first.as_bytes());
        let limit = own_limit.or(limit(&query)?).unwrap_or(DEFAULT_LIMIT);
        Ok(Self { query, first, limit, read })
    }

    /// Returns the page of a list, and the cursor of the next one.
    pub(super) fn page<T>(&self, items: impl Iterator<Item = T>) -> (Vec<T>, Option<Paging>) {
        let mut rest = items.skip(self.read);
        let page: Vec<T> = rest.by_ref().take(self.limit).collect();
        let after = rest.next().map(|_| {
            let read = self.read.saturating_add(page.len());
            BASE64_URL_SAFE_NO_PAD.encode(format!("{read}?{}", self.first))
        });
        (page, after.map(|after| Paging { cursors: Some(PagingCursors { after: Some(after), before: None }) }))
    }
}

fn limit(query: &Params) -> Result<Option<usize>, Failure> {
    let parse = |text: &str| text.parse::<usize>().ok().filter(|limit| *limit > 0);
    let not = |text: &str| Failure::bad_request(format!("limit is not a number from 1 upwards: {text}"));
    query.get("limit").map(|text| parse(text).ok_or_else(|| not(text))).transpose()
}

fn decoded(cursor: &str) -> Option<(usize, String)> {
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (read, first) = text.split_once('?')?;
    Some((read.parse().ok()?, first.to_owned()))
}

impl<S: Sync> FromRequestParts<S> for Paged {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(page: &Option<Paging>) -> Option<String> {
        page.as_ref()?.cursors.as_ref()?.after.clone()
    }

    #[test]
    fn cursor_alone_pages_through_list() {
        let mut raw = "kind=a%26b&limit=3".to_owned();
        let mut all = Vec::new();
        loop {
            let Ok(paged) = Paged::parse(&raw) else { panic!("{raw}") };
            assert_eq!(paged.query.get("kind"), Some("a&b"));
            let (page, paging) = paged.page(0..7);
            all.push(page);
            match next(&paging) {
                Some(after) => raw = format!("after={after}"),
                None => break,
            }
        }
        assert_eq!(all, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    }

    #[test]
    fn full_last_page_has_no_cursor() {
        let Ok(paged) = Paged::parse("limit=7") else { panic!() };
        assert!(paged.page(0..7).1.is_none());
    }

    #[test]
    fn invalid_cursors_and_limits_are_rejected() {
        for raw in
            ["after=x", "after=%FF", "after=eD95", "limit=0", "limit=-1", "limit=x", "limit=99999999999999999999"]
        {
            assert!(Paged::parse(raw).is_err(), "{raw}");
        }
        // A cursor is only a query: a position beyond the end is an empty page.
        let far = BASE64_URL_SAFE_NO_PAD.encode(format!("{}?limit=1", usize::MAX));
        let Ok(paged) = Paged::parse(&format!("after={far}")) else { panic!() };
        assert_eq!(paged.page(0..7).0, [0; 0]);
    }

    #[test]
    fn repeated_ids_are_removed() {
        let query = Params::parse(format!("ids={0},{0}, {1}&bad=x", Uuid::nil(), Uuid::max()).as_bytes());
        assert_eq!(uuids(&query, "ids").ok().flatten(), Some(vec![Uuid::nil(), Uuid::max()]));
        assert!(uuids(&query, "bad").is_err());
        assert!(lists(&query, "absent", None) && !lists(&query, "bad", None) && lists(&query, "bad", Some("x")));
    }
}
