//! JSON pointers: how findings name a place in a document.

/// The pointer of `key` below `parent`.
pub(crate) fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A key as it is, of one that stands in a pointer.
pub(crate) fn key(escaped: &str) -> String {
    escaped.replace("~1", "/").replace("~0", "~")
}

/// The pointer of a list's entry below `parent`.
pub(crate) fn entry(parent: &str, index: usize) -> String {
    format!("{parent}/{index}")
}

/// The last key of a pointer, as it stands in it.
pub(crate) fn last_key(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_tildes_in_keys_are_escaped() {
        assert_eq!(child(&child("", "paths"), "/a/~b"), "/paths/~1a~1~0b");
        assert_eq!([key("~1a~1~0b"), key("~01")], ["/a/~b", "~1"]);
        assert_eq!(entry("/tags", 2), "/tags/2");
    }
}
