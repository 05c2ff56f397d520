//! JSON pointers (RFC 6901), which name a location in a document.

use std::{borrow::Cow, fmt, rc::Rc};

/// Returns the pointer of a field below `parent`.
#[must_use]
pub fn child(parent: &str, key: &str) -> String {
    format!("{parent}/{}", escape(key))
}

/// Returns the pointer of an array's item below `parent`.
#[must_use]
pub fn item(parent: &str, index: usize) -> String {
    format!("{parent}/{index}")
}

/// Escapes a key as one token of a pointer.
#[must_use]
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Returns the key that a token of a pointer stands for.
#[must_use]
pub fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

/// Returns the keys of a pointer, unescaped.
pub fn keys(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(unescape)
}

/// Returns the key that a token of a reference stands for: percent-encoded as in URLs, then escaped as in pointers.
#[must_use]
pub fn decode(token: &str) -> Cow<'_, str> {
    if !token.contains(['%', '~']) {
        return Cow::Borrowed(token);
    }
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| byte == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    Cow::Owned(unescape(&String::from_utf8_lossy(&bytes)))
}

/// Returns the last token of a pointer, escaped.
#[must_use]
pub fn last_token(pointer: &str) -> &str {
    pointer.rsplit('/').next().unwrap_or_default()
}

/// A pointer as a chain of steps from the root: extending it costs one step, and its text is written when it is needed.
#[derive(Debug, Clone, Default)]
pub struct Pointer<'a>(Option<Rc<Link<'a>>>);

#[derive(Debug)]
struct Link<'a> {
    parent: Pointer<'a>,
    step: Step<'a>,
}

/// One step of a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into another file, by its path from the document's folder: the first step.
    File(&'a str),
    /// To a field of an object.
    Key(&'a str),
    /// To an item of an array.
    Index(usize),
}

impl<'a> Pointer<'a> {
    /// Returns the pointer of a field.
    #[must_use]
    pub fn key(&self, key: &'a str) -> Self {
        Self(Some(Rc::new(Link { parent: self.clone(), step: Step::Key(key) })))
    }

    /// Returns the pointer of an array's item.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        Self(Some(Rc::new(Link { parent: self.clone(), step: Step::Index(index) })))
    }

    /// Returns the pointer of another file's root.
    #[must_use]
    pub fn of_file(path: &'a str) -> Self {
        Self(Some(Rc::new(Link { parent: Self::default(), step: Step::File(path) })))
    }

    /// Returns the other file that the pointer leads into; none for the document itself.
    #[must_use]
    pub fn file(&self) -> Option<&'a str> {
        let mut link = self.0.as_ref()?;
        while let Some(parent) = &link.parent.0 {
            link = parent;
        }
        if let Step::File(path) = link.step { Some(path) } else { None }
    }

    /// Returns the steps from the root.
    #[must_use]
    pub fn steps(&self) -> Vec<Step<'a>> {
        let mut steps = Vec::new();
        let mut link = &self.0;
        while let Some(at) = link {
            steps.push(at.step);
            link = &at.parent.0;
        }
        steps.reverse();
        steps
    }
}

impl fmt::Display for Pointer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps() {
            match step {
                Step::File(path) => write!(f, "{path}#")?,
                Step::Key(key) => write!(f, "/{}", escape(key))?,
                Step::Index(index) => write!(f, "/{index}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped() {
        assert_eq!(child(&child("", "paths"), "/a/~b"), "/paths/~1a~1~0b");
        assert_eq!(keys("/~1a~1~0b/~01").collect::<Vec<_>>(), ["/a/~b", "~1"]);
        assert_eq!(item("/tags", 2), "/tags/2");
        let root = Pointer::default();
        assert_eq!(root.to_string(), "");
        assert_eq!(root.key("paths").key("/a~b").index(3).to_string(), "/paths/~1a~0b/3");
        let other = Pointer::of_file("models/car.yaml").key("items");
        assert_eq!((other.file(), other.to_string().as_str()), (Some("models/car.yaml"), "models/car.yaml#/items"));
    }

    #[test]
    fn token_of_reference_is_percent_decoded() {
        assert_eq!(decode("~1a%20b~1%7Bc%7D"), "/a b/{c}");
        assert_eq!(decode("100%"), "100%");
    }
}
