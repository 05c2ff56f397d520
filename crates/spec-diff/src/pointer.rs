//! JSON pointers that cost one step each until somebody reads them.

use std::{fmt, rc::Rc};

/// A place in a document, as a chain of steps from its root.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pointer<'a>(Option<Rc<Link<'a>>>);

#[derive(Debug)]
struct Link<'a> {
    parent: Pointer<'a>,
    step: Step<'a>,
}

/// One step of a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'a> {
    /// Into a member of an object.
    Key(&'a str),
    /// Into an item of a list.
    Index(usize),
}

impl<'a> Pointer<'a> {
    pub(crate) fn key(&self, key: &'a str) -> Self {
        Self(Some(Rc::new(Link { parent: self.clone(), step: Step::Key(key) })))
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        Self(Some(Rc::new(Link { parent: self.clone(), step: Step::Index(index) })))
    }

    /// The steps from the root.
    pub(crate) fn steps(&self) -> Vec<Step<'a>> {
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
                Step::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1"))?,
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
    fn keys_are_escaped_as_rfc_6901_says() {
        let root = Pointer::default();
        assert_eq!(root.to_string(), "");
        assert_eq!(root.key("paths").key("/a~b").index(3).to_string(), "/paths/~1a~0b/3");
    }
}
