//! The causes that an [`Error`](crate::Error) keeps.
//!
//! Errors of other crates quote their input, unescaped and of any length: serde_json names an unknown variant, reqwest prints rustls'
//! structures. Only their messages are kept, so that printing all sources is safe.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::Error;
use crate::foreign_text::{maskable_prefix, one_line};
use crate::known_secrets::Masks;

/// Characters of one cause.
const MAX_CHARS: usize = 500;
/// Causes of one error.
const MAX_DEPTH: usize = 8;

pub(crate) type Source = Arc<dyn StdError + Send + Sync>;

/// Returns an [`Error`] and an error of the operating system unchanged, which quote nothing, and the messages of others.
pub(crate) fn sanitized(error: impl StdError + Send + Sync + 'static) -> Source {
    let error: Box<dyn StdError + Send + Sync> = Box::new(error);
    let ours = match error.downcast::<Error>() {
        Ok(ours) => return Arc::new(*ours),
        Err(other) => other,
    };
    match ours.downcast::<io::Error>() {
        Ok(io) if io.get_ref().is_none() => Arc::new(*io),
        Ok(io) => Arc::new(SourceMessage::new(&*io, 1)),
        Err(other) => Arc::new(SourceMessage::new(&*other, 1)),
    }
}

/// Returns a source with secrets masked.
pub(crate) fn masked(source: Source, masks: &Masks) -> Source {
    if let Some(message) = source.downcast_ref::<SourceMessage>() {
        return Arc::new(message.masked(masks));
    }
    match source.downcast_ref::<Error>() {
        Some(error) => Arc::new(error.clone().masked(masks)),
        None => source,
    }
}

struct SourceMessage {
    text: String,
    source: Option<Box<SourceMessage>>,
}

impl SourceMessage {
    fn new(error: &(dyn StdError + 'static), depth: usize) -> Self {
        let source = error.source().filter(|_| depth < MAX_DEPTH);
        // Secrets are masked later.
        Self {
            text: maskable_prefix(&error.to_string()).into_owned(),
            source: source.map(|source| Box::new(Self::new(source, depth + 1))),
        }
    }

    fn masked(&self, masks: &Masks) -> Self {
        let source = self.source.as_ref().map(|source| Box::new(source.masked(masks)));
        Self { text: masks.apply(&self.text), source }
    }
}

impl fmt::Display for SourceMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.text, MAX_CHARS))
    }
}

impl fmt::Debug for SourceMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for SourceMessage {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_one_bounded_line_at_every_depth() {
        let text = format!("\"{}\\n\\u001b\"", "x".repeat(5000));
        let quoted = serde_json::from_str::<std::net::IpAddr>(&text).map_err(io::Error::other).unwrap_err();
        let forged = io::Error::other(Error::new(crate::ErrorKind::Api, "a\nb"));
        for error in [quoted, forged, io::Error::other("a\nerror: forged")] {
            let kept = sanitized(error);
            let mut cause: Option<&(dyn StdError + 'static)> = Some(&*kept);
            while let Some(error) = cause {
                let text = format!("{error} {error:?} {error:#?}");
                assert!(text.chars().count() < 3 * MAX_CHARS + 5 && !text.contains(char::is_control), "{text}");
                cause = error.source();
            }
        }
    }

    #[test]
    fn own_and_system_errors_are_kept() {
        assert!(sanitized(Error::new(crate::ErrorKind::Api, "x")).downcast_ref::<Error>().is_some());
        assert!(sanitized(io::Error::from(io::ErrorKind::NotFound)).downcast_ref::<io::Error>().is_some());
    }
}
