//! Positions of some of a document's values.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use crate::{
    document::is_json,
    pointer::unescape,
    positions::{Position, Positions},
};

/// The positions of some of a document's values.
#[derive(Debug)]
pub enum Locations {
    /// Of all values.
    Yaml(Positions),
    /// By pointer.
    Json(HashMap<String, Position>),
}

impl Locations {
    /// Finds the positions of the values at these pointers and of the values around them. In JSON all others are skipped, which saves a
    /// second in a document of ten megabytes.
    #[must_use]
    pub fn of<'p>(name: &str, text: &str, pointers: impl IntoIterator<Item = &'p str>) -> Self {
        if !is_json(name, text) {
            return Self::Yaml(Positions::of(text));
        }
        let mut wanted = PointerTree::default();
        for pointer in pointers {
            pointer.split('/').skip(1).fold(&mut wanted, |at, token| at.0.entry(token).or_default());
        }
        let mut search = Search { text, offsets: Vec::new() };
        if let Ok(root) = serde_json::from_str::<&RawValue>(text) {
            search.read(root, &wanted, "");
        }
        Self::Json(search.positions())
    }

    /// Returns the position of a value, or of the nearest value around it. In YAML that of its key, in JSON that of the value.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Position {
        match self {
            Self::Yaml(positions) => positions.at(pointer),
            Self::Json(found) => {
                let mut pointer = pointer;
                loop {
                    match (found.get(pointer), pointer.rsplit_once('/')) {
                        (Some(position), _) => return *position,
                        (None, Some((parent, _))) => pointer = parent,
                        (None, None) => return Position { line: 1, column: 1 },
                    }
                }
            }
        }
    }
}

/// The tokens from a value to those whose positions are wanted.
#[derive(Default)]
struct PointerTree<'p>(BTreeMap<&'p str, PointerTree<'p>>);

struct Search<'t> {
    text: &'t str,
    /// In bytes, with the pointers.
    offsets: Vec<(usize, String)>,
}

impl Search<'_> {
    fn read(&mut self, value: &RawValue, wanted: &PointerTree<'_>, pointer: &str) {
        // The value is a part of the text.
        let offset = value.get().as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        self.offsets.push((offset, pointer.to_owned()));
        if wanted.0.is_empty() {
            return;
        }
        let inside = |token: &str| format!("{pointer}/{token}");
        if let Ok(members) = serde_json::from_str::<HashMap<String, &RawValue>>(value.get()) {
            for (token, wanted) in &wanted.0 {
                if let Some(member) = members.get(&unescape(token)) {
                    self.read(member, wanted, &inside(token));
                }
            }
        } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(value.get()) {
            for (token, wanted) in &wanted.0 {
                if let Some(item) = token.parse::<usize>().ok().and_then(|index| items.get(index)) {
                    self.read(item, wanted, &inside(token));
                }
            }
        }
    }

    /// Counts lines and characters once for all: a document may be one line of many megabytes.
    fn positions(mut self) -> HashMap<String, Position> {
        self.offsets.sort_unstable();
        let (mut at, mut here) = (0, Position { line: 1, column: 1 });
        let position = |(offset, pointer): (usize, String)| {
            let between = self.text.get(at..offset).unwrap_or_default();
            let last_line = match between.rsplit_once('\n') {
                Some((lines, last)) => {
                    here.line += lines.bytes().filter(|byte| *byte == b'\n').count() + 1;
                    here.column = 1;
                    last
                }
                None => between,
            };
            here.column += last_line.chars().count();
            at = offset;
            (pointer, here)
        };
        self.offsets.into_iter().map(position).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_in_json_are_those_of_the_wanted_values() {
        let text = "{\n \"ä\": {\"b~/\": [1,\n  {\"c\": null}]},\n \"d\": 1\n}\n";
        let pointers = ["/ä/b~0~1/1/c", "/d", "/e/f"];
        let locations = Locations::of("a.json", text, pointers);
        let found = ["", "/ä", "/ä/b~0~1/0", "/ä/b~0~1/1/c", "/d", "/d/x", "/e/f"];
        let found = found.map(|pointer| locations.at(pointer).to_string());
        assert_eq!(found, ["1:1", "2:7", "2:15", "3:9", "4:7", "4:7", "1:1"]);
        // As in YAML, where a value is where its key is, except for values that were not asked for.
        let yaml = Locations::of("a.yaml", text, []);
        assert_eq!(["/ä", "/ä/b~0~1/1/c", "/d", "/e/f"].map(|pointer| yaml.at(pointer).line), [2, 3, 4, 1]);
    }

    #[test]
    fn minified_json_has_columns() {
        let locations = Locations::of("a.json", "{\"a\":{\"b\":[1,2]}}", ["/a/b/1"]);
        assert_eq!(locations.at("/a/b/1").to_string(), "1:14");
    }
}
