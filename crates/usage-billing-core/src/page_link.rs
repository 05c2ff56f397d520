//! Links to the next page.

use http::HeaderMap;
use http::header::LINK;
use reqwest::Url;

use crate::{Error, ErrorKind, Result, printable};

/// Returns the cursor in a link to the next page, which is the value of the query parameter `param`; `None` at the end of the list, where
/// the link is missing or empty. Generated code calls it.
///
/// The rest of the link is ignored. The next request has the address of the first one, so that a link cannot send the token to another host.
///
/// # Errors
/// [`ErrorKind::Decode`] for a link without the parameter.
pub fn cursor_in_link(link: Option<&str>, param: &str) -> Result<Option<String>> {
    let Some(link) = link.map(str::trim).filter(|link| !link.is_empty()) else { return Ok(None) };
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    // In a form, `+` is a blank. Cursors contain no blanks, but those in Base64 contain `+`, which the vendor does not always escape.
    let query = query.replace('+', "%2B");
    let cursor = form_urlencoded::parse(query.as_bytes()).find(|(name, value)| name == param && !value.is_empty());
    let cursor = cursor.map(|(_, value)| value.into_owned()).ok_or_else(|| {
        let message = format!("the link to the next page has no cursor `{param}`: the list would be incomplete");
        Error::new(ErrorKind::Decode, message)
    });
    cursor.map(Some)
}

/// Returns the target of the header `Link` whose relation is `next` (RFC 8288). Generated code calls it.
pub fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut rest: &str) -> Option<String> {
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // A comma ends the link, unless it is quoted or in the target of the next link.
        let mut quoted = false;
        let end = after.find(|letter| {
            quoted ^= letter == '"';
            letter == ',' && !quoted
        });
        let (parameters, others) = after.split_at(end.unwrap_or(after.len()));
        let is_next = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
            let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
            name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
        });
        if is_next {
            return Some(target.trim().to_owned());
        }
        rest = others;
    }
    None
}

/// Returns a link to the list itself whose query has nothing but these parameters, as far as they have a value. Generated code calls it.
pub fn query_link(parameters: &[(&str, String)]) -> String {
    let set = parameters.iter().filter(|(_, value)| !value.is_empty());
    form_urlencoded::Serializer::for_suffix("?".to_owned(), 1).extend_pairs(set).finish()
}

/// Has a request fetch the page that a link leads to: its query becomes that of the link.
///
/// # Errors
/// [`ErrorKind::Decode`] for a link to another address, to which the credentials must not be sent.
pub(crate) fn follow(url: &mut Url, link: &str) -> Result<()> {
    let target = url.join(link).ok().filter(|target| target.origin() == url.origin() && target.path() == url.path());
    let target = target.ok_or_else(|| {
        let message = format!(
            "the link to the next page, {}, is not at the address of the list: it is not followed, and the list would be incomplete",
            printable(link)
        );
        Error::new(ErrorKind::Decode, message)
    })?;
    url.set_query(target.query().filter(|query| !query.is_empty()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_cursor_of_a_link_is_used() {
        for (link, expected) in [
            ("/api/v2/usage/aggregates/query/jobs/j?pageSize=100&after=MTAw", Ok(Some("MTAw"))),
            ("/j?after=a%2Fb%2B%3D&pageSize=1", Ok(Some("a/b+="))),
            ("/j?after=a/b+=&pageSize=1", Ok(Some("a/b+="))),
            ("/j?after=+%2B+", Ok(Some("+++"))),
            ("https://elsewhere.example/j?after=MTAw", Ok(Some("MTAw"))),
            ("/j?after=MTAw#top", Ok(Some("MTAw"))),
            ("", Ok(None)),
            ("  ", Ok(None)),
            ("/j?after=", Err(())),
            ("/j?pageSize=1", Err(())),
            ("/j", Err(())),
        ] {
            let found = cursor_in_link(Some(link), "after").map_err(|_| ());
            assert_eq!(found.as_ref().map(Option::as_deref).map_err(|_| ()), expected, "{link}");
        }
        assert_eq!(cursor_in_link(None, "after").unwrap(), None);
    }

    #[test]
    fn next_relation_of_link_headers_is_found() {
        for (values, expected) in [
            (
                &["<https://x/a?page=2>; rel=\"next\", <https://x/a?page=9>; rel=\"last\""][..],
                Some("https://x/a?page=2"),
            ),
            (
                &["<a?page=1>; rel=prev , <a?page=3,4>;title=\"x, <b>; rel=next\" ; REL=\"last Next\""],
                Some("a?page=3,4"),
            ),
            (&["<a>; rel=first", "<b>; rel=next"], Some("b")),
            (&["<a>; rel=\"nextish\"", "<b", "b; rel=next", ""], None),
            (&[], None),
        ] {
            let mut headers = HeaderMap::new();
            values.iter().for_each(|value| _ = headers.append(LINK, value.parse().unwrap()));
            assert_eq!(next_link(&headers).as_deref(), expected, "{values:?}");
        }
    }

    #[test]
    fn link_of_parameters_replaces_the_query() {
        for (parameters, expected) in [
            (&[("after", "a+/= &".to_owned()), ("limit", "7".to_owned())][..], Some("after=a%2B%2F%3D+%26&limit=7")),
            (&[("after", "b".to_owned()), ("limit", String::new())], Some("after=b")),
            (&[("limit", String::new())], None),
        ] {
            let mut url: Url = "https://api.example/v1/users?from=1&limit=9".parse().unwrap();
            follow(&mut url, &query_link(parameters)).unwrap();
            assert_eq!(url.query(), expected);
        }
    }

    #[test]
    fn only_links_to_the_list_itself_are_followed() {
        for (link, expected) in [
            ("https://api.example/v1/users?page=2&filter=a%2Bb", Some("page=2&filter=a%2Bb")),
            ("/v1/users?page=2", Some("page=2")),
            ("?page=2", Some("page=2")),
            ("//api.example/v1/users?page=2#top", Some("page=2")),
            ("https://api.example:444/v1/users?page=2", None),
            ("http://api.example/v1/users?page=2", None),
            ("https://evil.example/v1/users?page=2", None),
            ("https://api.example@evil.example/v1/users?page=2", None),
            ("/v1/tokens?page=2", None),
            ("/v1/users/../tokens?page=2", None),
            ("https://[", None),
        ] {
            let mut url: Url = "https://api.example/v1/users?limit=7".parse().unwrap();
            let followed = follow(&mut url, link).is_ok();
            assert_eq!(followed.then(|| url.query().unwrap()), expected, "{link}");
            assert_eq!((url.host_str(), url.path()), (Some("api.example"), "/v1/users"));
        }
    }
}
