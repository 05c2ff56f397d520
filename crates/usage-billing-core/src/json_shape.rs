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
    let most_containers = (limit / BYTES_PER_CONTAINER).max(ALWAYS_CONTAINERS);
    let most_values = (limit / BYTES_PER_VALUE).max(ALWAYS_VALUES);
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

    const LIMIT: usize = 20 * 1024 * 1024;

    #[test]
    fn body_of_many_small_values_is_too_many() {
        let repeated = |item: &str, count: usize| format!("[{}]", vec![item; count].join(",")).into_bytes();
        let containers = LIMIT / BYTES_PER_CONTAINER;
        let values = LIMIT / BYTES_PER_VALUE;
        for (item, count, expected) in [
            ("{}", containers - 1, Ok(())),
            ("{}", containers, Err(TooMany::Containers(containers))),
            ("[]", containers, Err(TooMany::Containers(containers))),
            (r#"{"a":"b,c{[","d":null}"#, containers - 1, Ok(())),
            ("0", values, Ok(())),
            ("0", values + 1, Err(TooMany::Values(values))),
            (r#""\"{\\""#, values + 1, Err(TooMany::Values(values))),
            (r#""{[,\",\\""#, values - 1, Ok(())),
        ] {
            assert_eq!(check(&repeated(item, count), LIMIT), expected, "{count} times {item}");
        }
        assert_eq!(check(&repeated("{}", ALWAYS_CONTAINERS - 1), 10), Ok(()));
        assert_eq!(check(&repeated("{}", ALWAYS_CONTAINERS), 10), Err(TooMany::Containers(ALWAYS_CONTAINERS)));
        assert_eq!(check(&b"[".repeat(LIMIT / 2), LIMIT), Err(TooMany::Containers(containers)));
    }

    #[test]
    fn bytes_that_are_not_json_pass() {
        for bytes in [&b"\""[..], b"\"\\", b"\\\"", b"\xff\xfe", b"<html>,,,"] {
            assert_eq!(check(&bytes.repeat(100_000), LIMIT), Ok(()), "{bytes:?}");
        }
    }

    #[test]
    fn string_ends_at_its_closing_quote() {
        for (text, rest) in [("\"b", "b"), (r#"\"a"b"#, "b"), (r#"\\"b"#, "b"), (r"\", ""), ("a", "")] {
            assert_eq!(after_string(text.as_bytes()), rest.as_bytes(), "{text}");
        }
    }
}
