//! The operations of a document, and which of the one are which of the other.

use std::collections::HashMap;

use openapi_document::{DocumentTree, Node};

use crate::report::OperationRef;

/// The methods of OpenAPI, 3.2's `query` included.
const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// An operation and its path item.
#[derive(Debug, Clone)]
pub(crate) struct Operation<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) item: Node<'a>,
    pub(crate) node: Node<'a>,
    /// The base itself states that callers should not rely on the operation.
    pub(crate) unstable: bool,
    /// The vendor calls, and the client responds.
    pub(crate) incoming: bool,
    /// The number of the operation that asks for the call.
    pub(crate) within: Option<usize>,
}

impl<'a> Operation<'a> {
    /// Returns all operations, by path, then method.
    pub(crate) fn all(document: &DocumentTree<'a>) -> Vec<Self> {
        let mut all = Vec::new();
        for (path, entry) in document.at(&["paths"]).iter().flat_map(Node::without_extensions) {
            let item = document.resolve(entry);
            for (method, node) in calls(&item) {
                let item = item.clone();
                all.push(Self { method, path, item, node, unstable: false, incoming: false, within: None });
            }
        }
        all
    }

    /// Returns a call that the vendor makes.
    pub(crate) fn incoming(
        (method, path): (&'a str, &'a str),
        item: &Node<'a>,
        node: Node<'a>,
        within: Option<usize>,
    ) -> Self {
        Self { method, path, item: item.clone(), node, unstable: false, incoming: true, within }
    }

    pub(crate) fn id(&self) -> Option<&'a str> {
        self.node.text("operationId")
    }

    pub(crate) fn reference(&self) -> OperationRef {
        OperationRef { method: self.method.to_uppercase(), path: self.path.to_owned() }
    }

    /// Returns the names in the path's braces, in order.
    pub(crate) fn path_names(&self) -> Vec<&'a str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
    }

    /// Returns the operation as it is known to those who call the base.
    pub(crate) fn known_as(&self, base: &Self) -> Self {
        let unstable = matches!(base.node.text("x-stability-level"), Some("draft" | "alpha"));
        Self { unstable, ..self.clone() }
    }
}

/// Returns the operations of a path item, by method; also those of methods that OpenAPI has no word for.
pub(crate) fn calls<'a>(item: &Node<'a>) -> impl Iterator<Item = (&'a str, Node<'a>)> + use<'a> {
    let other = item.get("additionalOperations");
    let other = other.into_iter().flat_map(|list| list.without_extensions().collect::<Vec<_>>());
    item.entries().filter(|(key, _)| METHODS.contains(key)).chain(other)
}

/// Members of a path item that are compared and are not operations, or that do not affect calls.
pub(crate) const ITEM: &[&str] = &["$ref", "additionalOperations", "parameters", "servers"];

/// Returns whether a member of a path item is one of its operations.
pub(crate) fn is_method(key: &str) -> bool {
    METHODS.contains(&key)
}

/// Returns a path without the names of its parameters: `/books/{}`.
pub(crate) fn template(path: &str) -> String {
    let mut erased = String::with_capacity(path.len());
    let mut inside = false;
    for letter in path.chars() {
        match letter {
            '{' => inside = true,
            '}' => inside = false,
            _ if inside => continue,
            _ => {}
        }
        erased.push(letter);
    }
    erased
}

/// Operations of both documents, paired.
#[derive(Debug, Default)]
pub(crate) struct Pairing<'a> {
    /// At the same path and method, names of path parameters aside.
    pub(crate) kept: Vec<(Operation<'a>, Operation<'a>)>,
    /// Of the same operationId, at another path or method.
    pub(crate) moved: Vec<(Operation<'a>, Operation<'a>)>,
    pub(crate) removed: Vec<Operation<'a>>,
    pub(crate) added: Vec<Operation<'a>>,
}

impl<'a> Pairing<'a> {
    /// Pairs the operations of both sides. `prefixes`: the paths of each side's servers, if they differ.
    pub(crate) fn of(olds: Vec<Operation<'a>>, news: Vec<Operation<'a>>, prefixes: Option<[&str; 2]>) -> Self {
        let mut pairing = Self::default();
        let mut news: Vec<_> = news.into_iter().map(Some).collect();
        let olds = match prefixes {
            None => olds,
            Some([before, after]) => {
                let full = |prefix: &str, operation: &Operation<'a>| {
                    Some((template(&format!("{prefix}{}", operation.path)), operation.method))
                };
                let sides = (|old: &Operation<'a>| full(before, old), |new: &Operation<'a>| full(after, new));
                pair_by(olds, &mut news, &mut pairing.kept, sides.0, sides.1)
            }
        };
        let left =
            pair(olds, &mut news, &mut pairing.kept, |operation| Some((operation.path.to_owned(), operation.method)));
        let left =
            pair(left, &mut news, &mut pairing.kept, |operation| Some((template(operation.path), operation.method)));
        pairing.removed = pair(left, &mut news, &mut pairing.moved, Operation::id);
        pairing.added = news.into_iter().flatten().collect();
        pairing
    }
}

/// Moves operations with equal keys to `pairs`; gives back those of the base that are left.
fn pair<'a, K: Eq + std::hash::Hash>(
    olds: Vec<Operation<'a>>,
    news: &mut [Option<Operation<'a>>],
    pairs: &mut Vec<(Operation<'a>, Operation<'a>)>,
    key: impl Fn(&Operation<'a>) -> Option<K>,
) -> Vec<Operation<'a>> {
    pair_by(olds, news, pairs, &key, &key)
}

/// Returns the same with a key of its own for each side.
fn pair_by<'a, K: Eq + std::hash::Hash>(
    olds: Vec<Operation<'a>>,
    news: &mut [Option<Operation<'a>>],
    pairs: &mut Vec<(Operation<'a>, Operation<'a>)>,
    old_key: impl Fn(&Operation<'a>) -> Option<K>,
    new_key: impl Fn(&Operation<'a>) -> Option<K>,
) -> Vec<Operation<'a>> {
    let mut indices = HashMap::new();
    for (index, new) in news.iter().enumerate() {
        if let Some(key) = new.as_ref().and_then(&new_key) {
            indices.entry(key).or_insert(index);
        }
    }
    let mut left = Vec::new();
    for old in olds {
        let index = old_key(&old).and_then(|key| indices.remove(&key));
        match index.and_then(|index| news.get_mut(index)?.take()) {
            Some(new) => pairs.push((old, new)),
            None => left.push(old),
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_forget_names_only() {
        assert_eq!(template("/books/{bookId}/pages/{page}.json"), "/books/{}/pages/{}.json");
        assert_eq!(template("/plain"), "/plain");
        assert_eq!(template("/odd}{"), "/odd}{");
    }
}
