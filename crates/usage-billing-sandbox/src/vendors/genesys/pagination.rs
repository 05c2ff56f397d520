//! Pages: cursors in links, and numbers.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::Failure;
use crate::http_util::request::Params;

/// A page by `pageSize` and one of `before` and `after`.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageRequest {
    size: usize,
    from: PageStart,
}

#[derive(Clone, Copy, Debug)]
enum PageStart {
    After(usize),
    Before(usize),
}

/// The rows of a page, and the cursors of its neighbours.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
}

impl PageRequest {
    pub(super) fn read(query: &Params, default: usize, most: usize) -> Result<Self, Failure> {
        let size = number(query, "pageSize", default, most)?;
        let index = |name: &str| match query.get(name) {
            None => Ok(None),
            Some(cursor) => index(cursor)
                .map(Some)
                .ok_or_else(|| Failure::invalid_value(format!("{name} is not a cursor: {cursor}"))),
        };
        let from = match (index("before")?, index("after")?) {
            (Some(_), Some(_)) => return Err(Failure::bad_request("before and after exclude each other.")),
            (Some(end), None) => PageStart::Before(end),
            (None, after) => PageStart::After(after.unwrap_or_default()),
        };
        Ok(Self { size, from })
    }

    pub(super) fn of<T>(self, rows: Vec<T>) -> Page<T> {
        let (start, end) = match self.from {
            PageStart::After(start) => (start.min(rows.len()), start.saturating_add(self.size).min(rows.len())),
            PageStart::Before(end) => (end.min(rows.len()).saturating_sub(self.size), end.min(rows.len())),
        };
        let next = (end < rows.len()).then(|| cursor(end));
        let previous = (start > 0).then(|| cursor(start));
        Page { rows: rows.into_iter().take(end).skip(start).collect(), next, previous }
    }
}

/// Parses a number from 1 to `max`.
pub(super) fn number(query: &Params, name: &str, default: usize, most: usize) -> Result<usize, Failure> {
    let Some(text) = query.get(name) else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| Failure::invalid_value(format!("{name} is not a number from 1 to {most}: {text}")))
}

/// Encodes the index of a row, so that clients treat it as opaque.
fn cursor(index: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(index.to_string())
}

fn index(cursor: &str) -> Option<usize> {
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?.parse().ok()
}

/// Escapes an id for a path.
pub(super) fn escaped(id: &str) -> String {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(id, ESCAPED).to_string()
}

/// Returns the response with a page of a list of the preview API.
macro_rules! listing {
    ($type:ident, $page:expr, $uri:expr) => {{
        let page = $page;
        crate::http_util::response::ok(&usage_billing_genesys::types::$type {
            entities: Some(page.rows),
            next_uri: page.next.map(|cursor| pagination::link(&$uri, "after", &cursor)),
            previous_uri: page.previous.map(|cursor| pagination::link(&$uri, "before", &cursor)),
            self_uri: Some(pagination::this(&$uri)),
        })
    }};
}
pub(super) use listing;

/// Returns the path of this page.
pub(super) fn this(uri: &Uri) -> String {
    uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

/// Returns the link to the same list with another cursor.
pub(super) fn link(uri: &Uri, name: &str, cursor: &str) -> String {
    let given = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let kept = given.filter(|(name, _)| name != "before" && name != "after");
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair(name, cursor).finish();
    format!("{}?{query}", uri.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page_request(query: &str) -> Result<PageRequest, Failure> {
        PageRequest::read(&Params::parse(query.as_bytes()), 3, 4)
    }

    #[test]
    fn pages_link_to_both_neighbours() {
        let page = |query: &str| {
            let page = page_request(query).ok().unwrap().of((0..8).collect::<Vec<_>>());
            (page.rows, page.next, page.previous)
        };
        let at = |index| Some(cursor(index));
        assert_eq!(page(""), (vec![0, 1, 2], at(3), None));
        assert_eq!(page("after=Mw"), (vec![3, 4, 5], at(6), at(3)));
        assert_eq!(page("after=Ng&pageSize=4"), (vec![6, 7], None, at(6)));
        assert_eq!(page("before=Ng"), (vec![3, 4, 5], at(6), at(3)));
        assert_eq!(page("before=MQ"), (vec![0], at(1), None));
        assert_eq!(page(&format!("after={}", cursor(usize::MAX))), (vec![], None, at(8)));
        assert_eq!(page(&format!("before={}", cursor(usize::MAX))), (vec![5, 6, 7], None, at(5)));
    }

    #[test]
    fn invalid_pages_are_rejected() {
        for query in
            ["pageSize=0", "pageSize=5", "pageSize=-1", "pageSize=x", "after=*", "after=eA", "after=MQ&before=MQ"]
        {
            assert!(page_request(query).is_err(), "{query}");
        }
    }

    #[test]
    fn link_keeps_the_filters() {
        let uri: Uri = "/list?status=Active&after=MQ&externalNumber=a%26b".parse().unwrap();
        assert_eq!(link(&uri, "after", "Mg"), "/list?status=Active&externalNumber=a%26b&after=Mg");
    }
}
