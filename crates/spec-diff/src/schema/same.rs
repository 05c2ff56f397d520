//! Whether two schemas say the same in the same words, documentation aside.

use std::collections::HashSet;

use serde_json::Value;

use super::DOCS;
use crate::document::{Document, Node};

/// How many values are looked at before the answer is "no": the question is asked to pair things up, not to judge.
const BUDGET: usize = 2_000;

/// Whether both nodes are equal, also through references. Circles that look alike are equal.
pub(crate) fn same<'a>(base: (&Document<'a>, &Node<'a>), revision: (&Document<'a>, &Node<'a>)) -> bool {
    Same { base: *base.0, revision: *revision.0, seen: HashSet::new(), left: BUDGET }.nodes(base.1, revision.1)
}

struct Same<'a> {
    base: Document<'a>,
    revision: Document<'a>,
    seen: HashSet<(usize, usize)>,
    left: usize,
}

impl<'a> Same<'a> {
    fn nodes(&mut self, old: &Node<'a>, new: &Node<'a>) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return false };
        self.left = left;
        let (old, new) = (self.base.resolve(old.clone()), self.revision.resolve(new.clone()));
        match (old.value, new.value) {
            (Value::Object(olds), Value::Object(news)) => {
                if !self.seen.insert((old.address(), new.address())) {
                    return true;
                }
                let counts = |key: &str| !DOCS.contains(&key) && !key.starts_with("x-");
                olds.keys().filter(|key| counts(key)).count() == news.keys().filter(|key| counts(key)).count()
                    && old.entries().filter(|(key, _)| counts(key)).all(|(key, child)| {
                        new.value.get(key).is_some_and(|value| {
                            let other = Node { value, at: new.at.clone() };
                            self.nodes(&child, &other)
                        })
                    })
            }
            (Value::Array(olds), Value::Array(news)) => {
                olds.len() == news.len() && old.items().zip(new.items()).all(|(old, new)| self.nodes(&old, &new))
            }
            (old, new) => old == new,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Side;

    #[test]
    fn references_inlined_or_in_a_circle_are_the_same() {
        let base = json!({"openapi": "3.0.0", "a": {"p": {"$ref": "#/a"}, "q": {"type": "string", "title": "Q"}}});
        let revision =
            json!({"openapi": "3.0.0", "b": {"p": {"$ref": "#/b"}, "q": {"$ref": "#/q"}}, "q": {"type": "string"}});
        let documents = (Document::new(&base, Side::Base).unwrap(), Document::new(&revision, Side::Revision).unwrap());
        let nodes = (documents.0.at(&["a"]).unwrap(), documents.1.at(&["b"]).unwrap());
        assert!(same((&documents.0, &nodes.0), (&documents.1, &nodes.1)));
        assert!(!same((&documents.0, &nodes.0), (&documents.1, &documents.1.at(&["q"]).unwrap())));
    }
}
