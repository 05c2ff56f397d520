//! Media types of request bodies: progenitor knows one of each kind, and a call sends the name that its document has.

use super::successes::is_json;

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// The kind of a request body, which decides what callers pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BodyKind {
    Json,
    Form,
    /// A string of the caller.
    Text,
    /// Bytes or a stream of the caller.
    Bytes,
}

impl BodyKind {
    /// Returns the kind of a media type; nothing for one that no call can send: of several parts, a range of types, or not a header.
    pub(crate) fn of(media: &str) -> Option<Self> {
        let name = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let is_type = name.split_once('/').is_some_and(|(of, sub)| !of.is_empty() && !sub.is_empty());
        let is_header = media.chars().all(|letter| letter.is_ascii_graphic() || letter == ' ');
        if !is_type || !is_header || name.contains([' ', '*']) || name.starts_with("multipart/") {
            return None;
        }
        Some(match name.as_str() {
            _ if is_json(&name) => Self::Json,
            FORM => Self::Form,
            text if text.starts_with("text/") => Self::Text,
            _ => Self::Bytes,
        })
    }

    /// Returns the media type of this kind that progenitor knows.
    pub(crate) fn of_progenitor(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => FORM,
            Self::Text => "text/plain",
            Self::Bytes => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_from_the_media_type() {
        for (media, expected) in [
            ("application/vnd.a+json; version=2", Some(BodyKind::Json)),
            ("Text/JSON", Some(BodyKind::Json)),
            ("application/x-www-form-urlencoded;charset=utf-8", Some(BodyKind::Form)),
            ("text/csv; header=present", Some(BodyKind::Text)),
            ("application/xml", Some(BodyKind::Bytes)),
            ("application/gzip", Some(BodyKind::Bytes)),
            ("application/x-ndjson", Some(BodyKind::Bytes)),
            ("multipart/form-data", None),
            ("image/*", None),
            ("*/*", None),
            ("csv", None),
            ("text/pl ain", None),
            ("text/plain; a=ü", None),
            ("", None),
        ] {
            assert_eq!(BodyKind::of(media), expected, "{media}");
        }
    }
}
