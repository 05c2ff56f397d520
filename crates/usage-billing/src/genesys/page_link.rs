//! Links to the next page.

use usage_billing_core::{Error, ErrorKind, Result};

/// Returns the cursor in a link to the next page; `None` at the end of the list, where the link is missing or empty.
///
/// The rest of the link is ignored. The next request has the address of the first one, so that a link cannot send the token to another host.
pub(super) fn next_cursor(next_uri: Option<&str>) -> Result<Option<String>> {
    let Some(link) = next_uri.map(str::trim).filter(|link| !link.is_empty()) else { return Ok(None) };
    let query = link.split_once('?').map_or("", |(_, query)| query);
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    // In a form, `+` is a blank. Cursors contain no blanks, but those in Base64 contain `+`, which the vendor does not always escape.
    let query = query.replace('+', "%2B");
    let after = form_urlencoded::parse(query.as_bytes()).find(|(name, value)| name == "after" && !value.is_empty());
    let cursor = after.map(|(_, value)| value.into_owned()).ok_or_else(|| {
        let message = "the link to the next page has no cursor `after`: the list would be incomplete";
        Error::new(ErrorKind::Decode, message)
    });
    cursor.map(Some)
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
            let found = next_cursor(Some(link)).map_err(|_| ());
            assert_eq!(found.as_ref().map(Option::as_deref).map_err(|_| ()), expected, "{link}");
        }
        assert_eq!(next_cursor(None).unwrap(), None);
    }
}
