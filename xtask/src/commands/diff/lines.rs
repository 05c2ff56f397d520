//! On which lines of a document findings are.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use super::inputs::Source;
use crate::document::positions::Positions;

/// The lines of some of a document's values.
pub(super) enum Lines {
    Yaml(Positions),
    Json(HashMap<String, u32>),
}

impl Lines {
    /// Of the values at these pointers and of what is around them. In JSON all else is passed over, which in a document of ten
    /// megabytes saves a second.
    pub(super) fn of(source: &Source, pointers: &[&str]) -> Self {
        if !source.name.ends_with(".json") {
            return Self::Yaml(Positions::of(&source.text));
        }
        let mut wanted = Wanted::default();
        for pointer in pointers {
            pointer.split('/').skip(1).fold(&mut wanted, |at, token| at.0.entry(token).or_default());
        }
        let mut search = Search {
            start: source.text.as_ptr().addr(),
            line_ends: source.text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect(),
            found: HashMap::new(),
        };
        if let Ok(root) = serde_json::from_str::<&RawValue>(&source.text) {
            search.read(root, &wanted, "");
        }
        Self::Json(search.found)
    }

    /// The line of a value, or of the nearest thing around it; from 1.
    pub(super) fn at(&self, pointer: &str) -> u32 {
        match self {
            Self::Yaml(positions) => u32::try_from(positions.at(pointer).line).unwrap_or(u32::MAX),
            Self::Json(lines) => {
                let mut pointer = pointer;
                loop {
                    match (lines.get(pointer), pointer.rsplit_once('/')) {
                        (Some(line), _) => return *line,
                        (None, Some((parent, _))) => pointer = parent,
                        (None, None) => return 1,
                    }
                }
            }
        }
    }
}

/// The tokens that lead from a value to those that are looked for.
#[derive(Default)]
struct Wanted<'p>(BTreeMap<&'p str, Wanted<'p>>);

struct Search {
    /// Where in memory the text is.
    start: usize,
    line_ends: Vec<usize>,
    found: HashMap<String, u32>,
}

impl Search {
    fn read(&mut self, value: &RawValue, wanted: &Wanted<'_>, pointer: &str) {
        let offset = value.get().as_ptr().addr().saturating_sub(self.start);
        let line = self.line_ends.partition_point(|end| *end < offset) + 1;
        self.found.insert(pointer.to_owned(), u32::try_from(line).unwrap_or(u32::MAX));
        if wanted.0.is_empty() {
            return;
        }
        let inside = |token: &str| format!("{pointer}/{token}");
        if let Ok(members) = serde_json::from_str::<HashMap<String, &RawValue>>(value.get()) {
            for (token, wanted) in &wanted.0 {
                if let Some(member) = members.get(&token.replace("~1", "/").replace("~0", "~")) {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_json_are_those_of_the_values_that_are_asked_for() {
        let text = "{\n \"a\": {\"b~/\": [1,\n  {\"c\": null}]},\n \"d\": 1\n}\n";
        let source = Source { name: "a.json".to_owned(), text: text.to_owned() };
        let lines = Lines::of(&source, &["/a/b~0~1/1/c", "/d", "/e/f"]);
        let found = ["", "/a", "/a/b~0~1/0", "/a/b~0~1/1/c", "/d", "/d/x", "/e/f"].map(|pointer| lines.at(pointer));
        assert_eq!(found, [1, 2, 2, 3, 4, 4, 1]);
        // As in YAML, but for what nobody asked for.
        let yaml = Lines::of(&Source { name: "a.yaml".to_owned(), text: text.to_owned() }, &[]);
        assert_eq!(["/a", "/a/b~0~1/1/c", "/d", "/e/f"].map(|pointer| yaml.at(pointer)), [2, 3, 4, 1]);
    }
}
