//! The targets of the references of a document.

use serde_json::Value;

use super::DocumentTree;
use crate::{
    files::Files,
    index::names_file,
    node::Node,
    pointer::{Pointer, Step, decode},
    reach::SCHEMAS,
};

/// The largest number of references in a chain. A longer chain is taken for a cycle.
const MAX_HOPS: usize = 32;

impl<'a> DocumentTree<'a> {
    /// Returns the node that the node's `$ref` points to, which may be a reference too. None if the node is not a reference, or if it
    /// does not resolve to one schema in this document.
    #[must_use]
    pub fn target(&self, node: &Node<'a>) -> Option<Node<'a>> {
        let Some(reference) = node.text("$ref") else {
            return if self.index.has_dynamic { only(self.targets(node)) } else { None };
        };
        let is_plain = !self.index.has_ids && (self.files.is_none() || node.at.file().is_none());
        match reference.strip_prefix(SCHEMAS).filter(|name| is_plain && Self::is_plain(name)) {
            Some(name) => self.schema(name),
            None => only(self.find(reference, &node.at)),
        }
    }

    /// Returns the node's reference as it is written: `$ref` or `$dynamicRef`.
    #[must_use]
    pub fn reference(&self, node: &Node<'a>) -> Option<&'a str> {
        node.text("$ref").or_else(|| if self.index.has_dynamic { node.text("$dynamicRef") } else { None })
    }

    /// Returns all schemas that the node's reference may mean: several, if they have the same name.
    #[must_use]
    pub fn targets(&self, node: &Node<'a>) -> Vec<Node<'a>> {
        if let Some(reference) = node.text("$ref") {
            return self.find(reference, &node.at);
        }
        let Some(reference) = node.text("$dynamicRef") else { return Vec::new() };
        // The outermost schema of the name counts, which depends on the way to this one.
        let of_name = reference.rsplit_once('#').map_or(&[][..], |(_, anchor)| self.names.dynamic(anchor));
        if of_name.is_empty() { self.find(reference, &node.at) } else { of_name.to_vec() }
    }

    /// Returns the node that a reference resolves to, through further references; the node itself if it is not a reference.
    #[must_use]
    pub fn resolve(&self, node: Node<'a>) -> Node<'a> {
        let mut node = node;
        for _ in 0..MAX_HOPS {
            match self.target(&node) {
                Some(target) => node = target,
                None => break,
            }
        }
        node
    }

    /// Returns the schema that a value of a discriminator's mapping refers to: by the name of a component, or by a reference.
    #[must_use]
    pub fn mapped(&self, target: &str, from: &Pointer<'a>) -> Option<Node<'a>> {
        match names_file(target) {
            true => only(self.find(target, from)),
            false => self.schema(target.rsplit('/').next().unwrap_or(target)),
        }
    }

    /// Returns the nodes that a reference in a file resolves to: none if it is unresolved, several if schemas share the name that it
    /// states. `from` is the location of the reference.
    pub(super) fn find(&self, reference: &str, from: &Pointer<'a>) -> Vec<Node<'a>> {
        let file = from.file().filter(|_| self.has_files());
        let (path, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        if path.is_empty() {
            let resource = if self.index.has_ids { self.resource(from) } else { None };
            let id = resource.as_ref().and_then(|node| node.text("$id"));
            return match is_pointer(fragment) {
                // The root of references is the schema with the `$id` around them; many documents mean their own root.
                true => {
                    let inside = resource.and_then(|root| walk(root, fragment));
                    inside.or_else(|| walk(self.root_of(file)?, fragment)).into_iter().collect()
                }
                false => {
                    let inside = id.map_or(&[][..], |id| self.names.in_schema(id, fragment));
                    let known =
                        if inside.is_empty() { self.names.in_file(file.unwrap_or_default(), fragment) } else { inside };
                    known.to_vec()
                }
            };
        }
        let in_file = || self.in_file(file, reference);
        let found = if file.is_some() { in_file() } else { self.of_id(path, fragment) };
        match found.is_empty() {
            false => found,
            true if file.is_some() => self.of_id(path, fragment),
            true => in_file(),
        }
    }

    /// Returns the nodes that a reference by an `$id`, or by the document's `$self`, resolves to.
    fn of_id(&self, id: &str, fragment: &str) -> Vec<Node<'a>> {
        if self.root.get("$self").and_then(Value::as_str) == Some(id) {
            return match is_pointer(fragment) {
                true => walk(self.root(), fragment).into_iter().collect(),
                false => self.names.in_file("", fragment).to_vec(),
            };
        }
        match is_pointer(fragment) {
            true => self.names.of_id(id).iter().filter_map(|node| walk(node.clone(), fragment)).collect(),
            false => {
                let ids = self.names.of_id(id).iter().filter_map(|node| node.text("$id"));
                ids.flat_map(|id| self.names.in_schema(id, fragment)).cloned().collect()
            }
        }
    }

    /// Returns the innermost schema with an `$id` around a location.
    fn resource(&self, at: &Pointer<'a>) -> Option<Node<'a>> {
        let steps = at.steps();
        let (file, steps) = match steps.as_slice() {
            [Step::File(file), steps @ ..] => (Some(*file), steps),
            steps => (None, steps),
        };
        let (mut node, mut found) = (self.root_of(file)?, None);
        for step in steps {
            node = match step {
                Step::Key(key) => node.get(key)?,
                Step::Index(index) => node.items().nth(*index)?,
                Step::File(_) => return None,
            };
            if node.text("$id").is_some() {
                found = Some(node.clone());
            }
        }
        found
    }

    /// Returns the nodes that a reference in a file resolves to in another file.
    fn in_file(&self, file: Option<&str>, reference: &str) -> Vec<Node<'a>> {
        let found = || {
            let files = self.files?;
            let own = files.own.as_str();
            let path = Files::path(file.filter(|file| !file.is_empty()).unwrap_or(own), reference)?;
            let path = Some(path.as_str()).filter(|path| *path != own);
            let fragment = reference.split_once('#').map_or("", |(_, fragment)| fragment);
            Some(match is_pointer(fragment) {
                true => walk(self.root_of(path)?, fragment).into_iter().collect(),
                false => self.names.in_file(path.unwrap_or_default(), fragment).to_vec(),
            })
        };
        found().unwrap_or_default()
    }
}

/// Returns whether a fragment is a JSON pointer, and not a name.
fn is_pointer(fragment: &str) -> bool {
    fragment.is_empty() || fragment.starts_with('/')
}

fn only<'a>(mut found: Vec<Node<'a>>) -> Option<Node<'a>> {
    found.pop().filter(|_| found.is_empty())
}

/// Returns the node that a JSON pointer resolves to.
fn walk<'a>(start: Node<'a>, path: &str) -> Option<Node<'a>> {
    path.split('/').skip(1).try_fold(start, |target, token| {
        let token = decode(token);
        match target.value {
            Value::Array(_) => target.items().nth(token.parse().ok()?),
            _ => target.get(&token),
        }
    })
}
