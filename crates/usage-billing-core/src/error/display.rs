//! Errors on one line of bounded length.

use std::fmt;

use super::{Error, sources};
use crate::foreign_text::{MAX_MESSAGE_CHARS, MAX_VALUE_CHARS, one_line};

/// Characters of a hint; the rest of the line leaves room for it.
const MAX_HINT_CHARS: usize = 800;
/// Characters of the line in `Debug`.
const MAX_DEBUG_MESSAGE_CHARS: usize = 1300;
/// Characters of all sources in `Debug`.
const MAX_DEBUG_SOURCE_CHARS: usize = 500;

impl Error {
    /// Returns the line that `Display` prints, before it is limited.
    fn display_line(&self) -> String {
        let inner = &*self.0;
        let mut line = String::new();
        if let Some(operation) = &inner.operation {
            line += &format!("{}: ", one_line(operation, MAX_VALUE_CHARS));
        }
        if let Some(status) = inner.status {
            line += &format!("{status}: ");
        }
        let is_redundant =
            |code: &&str| *code == inner.message || inner.status.is_some_and(|status| status.as_str() == *code);
        if let Some(code) = inner.code.as_deref().filter(|code| !is_redundant(code)) {
            line += &format!("{}: ", one_line(code, MAX_VALUE_CHARS));
        }
        let mut details = Vec::new();
        if let Some(id) = &inner.request_id {
            details.push(format!("request id {}", one_line(id, MAX_VALUE_CHARS)));
        }
        if let Some(wait) = inner.retry_after {
            details.push(format!("retry after {} s", wait.as_millis().div_ceil(1000)));
        }
        if inner.attempts > 1 {
            details.push(format!("{} attempts", inner.attempts));
        }
        let mut suffix = String::new();
        if !details.is_empty() {
            suffix += &format!(" ({})", details.join(", "));
        }
        let hint = inner.hint.as_ref().map(|hint| one_line(hint, MAX_HINT_CHARS).to_string());
        let setting = inner.setting.map(|setting| format!("to allow more, set the client's `{setting}`"));
        let hints: Vec<_> = hint.into_iter().chain(setting).collect();
        if !hints.is_empty() {
            suffix += &format!(" -> {}", hints.join("; "));
        }
        // The message is truncated and not the hint, which states what to do.
        let room = MAX_MESSAGE_CHARS.saturating_sub(line.chars().count() + suffix.chars().count());
        line += &one_line(&inner.message, room.max(MAX_VALUE_CHARS));
        line + &suffix
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&self.display_line(), MAX_MESSAGE_CHARS))
    }
}

/// Prints one line, also in the alternate form. The body is left out: it may contain customer data, and errors are logged.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0;
        let message = self.display_line();
        let message = one_line(&message, MAX_DEBUG_MESSAGE_CHARS);
        write!(f, "Error {{ kind: {:?}, message: {message}, body_bytes: {}", inner.kind, inner.body.len())?;
        let sources: Vec<_> = sources(self).map(ToString::to_string).collect();
        if !sources.is_empty() {
            write!(f, ", source: {}", one_line(&sources.join(": "), MAX_DEBUG_SOURCE_CHARS))?;
        }
        f.write_str(" }")
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as StdError;
    use std::time::Duration;

    use bytes::Bytes;
    use http::StatusCode;
    use proptest::prelude::*;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn display_has_operation_status_code_message_and_request_id() {
        let error = Error::new(ErrorKind::Api, "the queue is full")
            .with_operation("createReport")
            .with_response(StatusCode::SERVICE_UNAVAILABLE, Some("r-7".into()), Bytes::from_static(b"secret customer"))
            .with_code(Some("busy".into()))
            .with_retry_after(Some(Duration::from_millis(1500)))
            .with_attempts(4);
        assert_eq!(
            error.to_string(),
            "createReport: 503 Service Unavailable: busy: the queue is full (request id r-7, retry after 2 s, 4 attempts)"
        );
        assert!(error.clone().with_hint("ask later").to_string().ends_with("4 attempts) -> ask later"));
        assert!(!format!("{error:?}").contains("secret customer"));
        assert_eq!(error.body(), b"secret customer");
    }

    #[test]
    fn long_message_leaves_room_for_the_hint() {
        let error = Error::new(ErrorKind::Api, "x".repeat(5_000_000)).with_hint("do this");
        let line = error.to_string();
        assert!(line.chars().count() == MAX_MESSAGE_CHARS && line.ends_with("xx… -> do this"), "{line}");
    }

    #[test]
    fn line_break_in_message_is_escaped() {
        let error = Error::new(ErrorKind::Failed, "the report is RUN\nerror: forged line").with_hint("\u{202e}");
        assert_eq!(error.to_string(), r"the report is RUN\nerror: forged line -> \u{202e}");
        assert_eq!(error.message(), "the report is RUN\nerror: forged line", "unchanged");
    }

    proptest! {
        #[test]
        fn display_of_any_error_is_one_bounded_line(strings in prop::collection::vec(".{0,60}|\\PC{300,400}|[\\p{Cc}\\p{Cf}]{0,400}", 7)) {
            let [message, code, id, hint, body, source, outer] = strings.try_into().unwrap();
            let source = Error::new(ErrorKind::Decode, outer).with_source(std::io::Error::other(source));
            let error = Error::new(ErrorKind::Api, message)
                .with_operation("createReport")
                .with_response(StatusCode::SERVICE_UNAVAILABLE, Some(id), body.into())
                .with_code(Some(code))
                .with_hint(hint)
                .with_source(source);
            let mut causes = vec![&error as &dyn StdError];
            causes.extend(sources(&error));
            for cause in causes {
                for text in [cause.to_string(), format!("{cause:?}"), format!("{cause:#?}")] {
                    prop_assert!(!text.contains(crate::foreign_text::is_escaped), "{}", text);
                    prop_assert!(text.chars().count() <= MAX_MESSAGE_CHARS);
                }
            }
        }
    }
}
