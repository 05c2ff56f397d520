//! Strings of documents as parts of HTML and of URLs.

use openapi_document::text::is_unseen;

/// Escapes a text for HTML, in an element or a quoted attribute. Line feeds stay, unseen characters become visible.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' => safe.push(letter),
            letter if is_unseen(letter) => safe.extend(letter.escape_default()),
            letter => safe.push(letter),
        }
    }
    safe
}

/// Encodes a relative path for a URL. None for an absolute path and one that leads upwards: no link can be made of it.
pub(super) fn url_path(path: &str) -> Option<String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    if path.is_empty() || path.starts_with('/') || path.contains(':') || path.split('/').any(|part| part == "..") {
        return None;
    }
    Some(percent_encoded(path))
}

/// Encodes all of a path but its slashes for a URL.
pub(super) fn percent_encoded(path: &str) -> String {
    use std::fmt::Write as _;
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' => url.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => url.push(char::from(byte)),
            byte => _ = write!(url, "%{byte:02X}"),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_for_urls_and_absolute_ones_are_not_linked() {
        assert_eq!(url_path("./a b/ü#1.yaml").as_deref(), Some("a%20b/%C3%BC%231.yaml"));
        for path in ["/a.yaml", "../a.yaml", "https://x/a.yaml", ""] {
            assert_eq!(url_path(path), None, "{path}");
        }
    }
}
