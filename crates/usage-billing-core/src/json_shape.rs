//! How much memory a JSON body takes once it is decoded, estimated before.

use std::fmt;

/// Bytes of the limit on the body for each object or array. An empty object takes 3 bytes of JSON and a few hundred as a struct.
const BYTES_PER_CONTAINER: usize = 256;
/// Bytes of the limit for each value.
const BYTES_PER_VALUE: usize = 16;
/// Accepted under any limit.
const ALWAYS_CONTAINERS: usize = 64 * 1024;
const ALWAYS_VALUES: usize = 1024 * 1024;

/// The body would take many times its size in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    Containers(usize),
    Values(usize),
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Containers(most) => write!(f, "the response body has more than {most} objects and arrays"),
            Self::Values(most) => write!(f, "the response body has more than {most} values"),
        }
    }
}

/// Checks the number of objects, arrays and values of a body against the limit on its size. Bytes that are not JSON pass: the decoder
/// finds them.
pub(crate) fn check(body: &[u8], limit: usize) -> Result<(), TooMany> {
    // An object or array has two bytes at least: in a small body there cannot be too many.
    if body.len() <= 2 * ALWAYS_CONTAINERS {
        return Ok(());
    }
    let (most_containers, most_values) = most(limit);
    count(body, most_containers, most_values)
}

/// The most objects and arrays, and the most values, under a limit on the size of a body.
fn most(limit: usize) -> (usize, usize) {
    ((limit / BYTES_PER_CONTAINER).max(ALWAYS_CONTAINERS), (limit / BYTES_PER_VALUE).max(ALWAYS_VALUES))
}

fn count(body: &[u8], most_containers: usize, most_values: usize) -> Result<(), TooMany> {
    let (mut containers, mut values) = (0, 0);
    let mut rest = body;
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        match first {
            b'"' => rest = after_string(others),
            b'{' | b'[' => containers += 1,
            // One for each value of an array or object but the first.
            b',' => values += 1,
            _ => {}
        }
        if containers > most_containers {
            return Err(TooMany::Containers(most_containers));
        }
        if values + containers > most_values {
            return Err(TooMany::Values(most_values));
        }
    }
    Ok(())
}

/// What comes after a string whose opening quote was read.
fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        match rest[at] {
            b'"' => return &rest[at + 1..],
            _ => rest = rest.get(at + 2..).unwrap_or_default(),
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn body_of_many_small_values_is_too_many() {
        let repeated = |item: &str, count: usize| format!("[{}]", vec![item; count].join(",")).into_bytes();
        let (containers, values) = (10, 50);
        for (item, times, expected) in [
            ("{}", containers - 1, Ok(())),
            ("{}", containers, Err(TooMany::Containers(containers))),
            ("[]", containers, Err(TooMany::Containers(containers))),
            (r#"{"a":"b,c{[","d":null}"#, containers - 1, Ok(())),
            ("0", values, Ok(())),
            ("0", values + 1, Err(TooMany::Values(values))),
            (r#""\"{\\""#, values + 1, Err(TooMany::Values(values))),
            (r#""{[,\",\\""#, values - 1, Ok(())),
        ] {
            assert_eq!(count(&repeated(item, times), containers, values), expected, "{times} times {item}");
        }
        assert_eq!(count(&b"[".repeat(11), containers, values), Err(TooMany::Containers(containers)));
    }

    #[test]
    fn bounds_grow_with_the_limit_and_small_bodies_always_pass() {
        assert_eq!(most(64 * 1024 * 1024), (262_144, 4_194_304));
        assert_eq!(most(0), (ALWAYS_CONTAINERS, ALWAYS_VALUES));
        assert_eq!(check(&b"[".repeat(2 * ALWAYS_CONTAINERS), 0), Ok(()));
        assert_eq!(check(&b"[".repeat(2 * ALWAYS_CONTAINERS + 1), 0), Err(TooMany::Containers(ALWAYS_CONTAINERS)));
    }

    #[test]
    fn bytes_that_are_not_json_pass() {
        for bytes in [&b"\""[..], b"\"\\", b"\\\"", b"\xff\xfe", b"<html>,,,"] {
            assert_eq!(count(&bytes.repeat(10), 10, 50), Ok(()), "{bytes:?}");
        }
    }

    #[test]
    fn string_ends_at_its_closing_quote() {
        for (text, rest) in [("\"b", "b"), (r#"\"a"b"#, "b"), (r#"\\"b"#, "b"), (r"\", ""), ("a", "")] {
            assert_eq!(after_string(text.as_bytes()), rest.as_bytes(), "{text}");
        }
    }
}
