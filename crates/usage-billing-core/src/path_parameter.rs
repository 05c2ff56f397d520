//! Values of parameters in paths.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that are not escaped in a path: the unreserved ones of RFC 3986.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns a path parameter with all characters escaped that would end or split its segment.
///
/// The transport, which has the template, rejects segments that URL parsing would remove (`..`).
pub fn encode_path(value: &str) -> impl fmt::Display {
    utf8_percent_encode(value, UNRESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_parameter_stays_one_segment() {
        assert_eq!(encode_path("a/b?c#d e%ü").to_string(), "a%2Fb%3Fc%23d%20e%25%C3%BC");
        assert_eq!(encode_path("A-z_0.9~").to_string(), "A-z_0.9~");
    }
}
