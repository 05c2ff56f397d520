//! Schemas by the names that they have themselves: `$id`, `$anchor`, `$dynamicAnchor`.

use std::collections::HashMap;

use crate::{index::gives_names, node::Node};

/// Schemas by their anchors.
type Anchors<'a> = HashMap<&'a str, Vec<Node<'a>>>;

/// The named schemas of a document and its files. A name that several schemas have is kept with all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names<'a> {
    ids: HashMap<String, Vec<Node<'a>>>,
    /// By `$id` and anchor.
    in_schemas: HashMap<&'a str, Anchors<'a>>,
    /// By file and anchor.
    in_files: HashMap<&'a str, Anchors<'a>>,
    /// `$dynamicAnchor`, wherever it is: a `$dynamicRef` may resolve to any of its name.
    dynamic: Anchors<'a>,
}

impl<'a> Names<'a> {
    /// Collects the names of a file; the document's own is the empty one.
    pub(crate) fn read(&mut self, root: &Node<'a>, file: &'a str) {
        self.name(root, file, None, false);
    }

    fn name(&mut self, node: &Node<'a>, file: &'a str, within: Option<&'a str>, names: bool) {
        let mut within = within;
        if !names {
            if let Some(id) = node.text("$id") {
                self.ids.entry(id.to_owned()).or_default().push(node.clone());
                within = Some(id.trim_end_matches('#'));
            }
            for key in ["$anchor", "$dynamicAnchor"] {
                let Some(anchor) = node.text(key) else { continue };
                if let Some(id) = within {
                    self.in_schemas.entry(id).or_default().entry(anchor).or_default().push(node.clone());
                }
                self.in_files.entry(file).or_default().entry(anchor).or_default().push(node.clone());
                if key == "$dynamicAnchor" {
                    self.dynamic.entry(anchor).or_default().push(node.clone());
                }
            }
        }
        for (key, child) in node.entries() {
            self.name(&child, file, within, !names && gives_names(key));
        }
        node.items().for_each(|item| self.name(&item, file, within, false));
    }

    /// Returns the schemas that an `$id` names. A reference may leave out what the id begins with.
    pub(crate) fn of_id(&self, id: &str) -> &[Node<'a>] {
        if let Some(known) = self.ids.get(id) {
            return known;
        }
        let end = format!("/{}", id.trim_start_matches("./").trim_start_matches('/'));
        let mut ends = self.ids.iter().filter(|(name, _)| !id.is_empty() && name.ends_with(&end));
        ends.next().filter(|_| ends.next().is_none()).map_or(&[], |(_, nodes)| nodes)
    }

    /// Returns the schemas that an anchor names in the schema of this `$id`.
    pub(crate) fn in_schema(&self, id: &str, anchor: &str) -> &[Node<'a>] {
        of(self.in_schemas.get(id.trim_end_matches('#')), anchor)
    }

    /// Returns the schemas that an anchor names in a file.
    pub(crate) fn in_file(&self, file: &str, anchor: &str) -> &[Node<'a>] {
        of(self.in_files.get(file), anchor)
    }

    /// Returns the schemas that a `$dynamicRef` may resolve to.
    pub(crate) fn dynamic(&self, anchor: &str) -> &[Node<'a>] {
        of(Some(&self.dynamic), anchor)
    }
}

fn of<'s, 'a>(anchors: Option<&'s Anchors<'a>>, anchor: &str) -> &'s [Node<'a>] {
    anchors.and_then(|anchors| anchors.get(anchor)).map_or(&[], Vec::as_slice)
}
