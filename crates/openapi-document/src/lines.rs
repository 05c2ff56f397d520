//! Lines of some of a document's values.

use std::collections::{BTreeMap, HashMap};

use serde_json::value::RawValue;

use crate::{pointer::unescape, positions::Positions};

/// The lines of some of a document's values.
#[derive(Debug)]
pub enum Lines {
    /// Of all values.
    Yaml(Positions),
    /// By pointer.
    Json(HashMap<String, u32>),
}

impl Lines {
    /// Finds the lines of the values at these pointers and of the values around them. In JSON all others are skipped, which saves a
    /// second in a document of ten megabytes. The text is JSON if the name ends in `.json`.
    #[must_use]
    pub fn of(name: &str, text: &str, pointers: &[&str]) -> Self {
        if !name.ends_with(".json") {
            return Self::Yaml(Positions::of(text));
        }
        let mut wanted = Wanted::default();
        for pointer in pointers {
            pointer.split('/').skip(1).fold(&mut wanted, |at, token| at.0.entry(token).or_default());
        }
        let mut search = Search {
            start: text.as_ptr().addr(),
            line_ends: text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect(),
            found: HashMap::new(),
        };
        if let Ok(root) = serde_json::from_str::<&RawValue>(text) {
            search.read(root, &wanted, "");
        }
        Self::Json(search.found)
    }

    /// Returns the line of a value, or of the nearest value around it, from 1.
    #[must_use]
    pub fn at(&self, pointer: &str) -> u32 {
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

/// The tokens from a value to those whose lines are wanted.
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_json_are_those_of_the_values_that_are_asked_for() {
        let text = "{\n \"a\": {\"b~/\": [1,\n  {\"c\": null}]},\n \"d\": 1\n}\n";
        let lines = Lines::of("a.json", text, &["/a/b~0~1/1/c", "/d", "/e/f"]);
        let found = ["", "/a", "/a/b~0~1/0", "/a/b~0~1/1/c", "/d", "/d/x", "/e/f"].map(|pointer| lines.at(pointer));
        assert_eq!(found, [1, 2, 2, 3, 4, 4, 1]);
        // As in YAML, but for what nobody asked for.
        let yaml = Lines::of("a.yaml", text, &[]);
        assert_eq!(["/a", "/a/b~0~1/1/c", "/d", "/e/f"].map(|pointer| yaml.at(pointer)), [2, 3, 4, 1]);
    }
}
