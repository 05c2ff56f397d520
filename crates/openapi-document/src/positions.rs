//! Lines and columns of a document's values in its text.

use std::{
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hasher as _},
};

use serde_saphyr::granit_parser::{Event, Marker, Parser};

use crate::pointer;

/// A location in a text; both numbers count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// The positions of a document's values, by the hash of their JSON pointers: the pointers themselves would take many times the
/// memory of the document.
#[derive(Debug)]
pub struct Positions(HashMap<Pointer, Position>);

/// The hash of a JSON pointer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Pointer(u64);

impl Pointer {
    fn child(self, key: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write_u64(self.0);
        hasher.write(key.as_bytes());
        Self(hasher.finish())
    }

    fn entry(self, index: usize) -> Self {
        self.child(&index.to_string())
    }
}

impl Positions {
    /// Finds the positions in YAML or in JSON, which is YAML here. Values after a syntax error have no position of their own.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut found = HashMap::new();
        // The collections that are open, from the root on.
        let mut open = Vec::<Open>::new();
        for (event, span) in Parser::new_from_str(text).map_while(Result::ok) {
            let inside = match &event {
                Event::MappingStart(..) => Some(Holds::Key),
                Event::SequenceStart(..) => Some(Holds::Entry(0)),
                Event::Scalar(..) | Event::Alias(_) => None,
                Event::MappingEnd | Event::SequenceEnd => {
                    open.pop();
                    continue;
                }
                Event::DocumentEnd => break,
                _ => continue,
            };
            let here = Position::from(span.start);
            let pointer = match open.last_mut() {
                None => Pointer::default(),
                Some(Open { pointer, holds }) => match holds {
                    // A key that is a collection or an alias has no pointer: what is below it has the position of its parent.
                    Holds::Key => {
                        let key = if let Event::Scalar(key, ..) = &event { pointer.child(key) } else { *pointer };
                        *holds = Holds::Value(key, here);
                        open.extend(inside.map(|holds| Open { pointer: key, holds }));
                        continue;
                    }
                    Holds::Value(of_key, at) => {
                        let pointer = *of_key;
                        found.entry(pointer).or_insert(*at);
                        *holds = Holds::Key;
                        pointer
                    }
                    Holds::Entry(index) => {
                        *index += 1;
                        pointer.entry(*index - 1)
                    }
                },
            };
            found.entry(pointer).or_insert(here);
            open.extend(inside.map(|holds| Open { pointer, holds }));
        }
        Self(found)
    }

    /// Returns the position of a value: of its key or, in an array, of the value. A value without a position has that of the nearest
    /// value around it.
    #[must_use]
    pub fn at(&self, pointer: &str) -> Position {
        let (mut nearest, mut at) = (Position { line: 1, column: 1 }, Pointer::default());
        for part in pointer.split('/').skip(1) {
            at = at.child(&pointer::unescape(part));
            nearest = self.0.get(&at).copied().unwrap_or(nearest);
        }
        nearest
    }
}

/// A collection that has begun.
struct Open {
    pointer: Pointer,
    holds: Holds,
}

/// The part of a collection that is next.
enum Holds {
    Key,
    /// The value of the key with this pointer and position.
    Value(Pointer, Position),
    /// The entry with this index.
    Entry(usize),
}

impl From<Marker> for Position {
    fn from(marker: Marker) -> Self {
        Self { line: marker.line(), column: marker.col() + 1 }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, pointer: &str) -> String {
        Positions::of(text).at(pointer).to_string()
    }

    const YAML: &str = "\
# a comment
info:
  title: Ü
paths:
  /a/~b: {get: {tags: [one, two]}}
  200:
    - x: |-
        text
      y: 1
    - - nested
";

    #[test]
    fn a_value_is_where_its_key_is() {
        assert_eq!(at(YAML, "/info"), "2:1");
        assert_eq!(at(YAML, "/info/title"), "3:3");
        assert_eq!(at(YAML, "/paths/~1a~1~0b/get/tags"), "5:17");
        assert_eq!(at(YAML, "/paths/200/0/y"), "9:7");
    }

    #[test]
    fn an_entry_of_a_list_is_where_it_begins() {
        assert_eq!(at(YAML, "/paths/~1a~1~0b/get/tags/1"), "5:29");
        assert_eq!(at(YAML, "/paths/200/1/0"), "10:9");
    }

    #[test]
    fn pointer_without_position_is_at_its_nearest_ancestor() {
        assert_eq!(at(YAML, "/info/version"), "2:1");
        assert_eq!(at(YAML, "/components/schemas/A"), "1:1");
        assert_eq!(at(YAML, ""), "1:1");
        assert_eq!(at("a: &x {b: 1}\nc: *x\n", "/c/b"), "2:1");
        assert_eq!(at("a: 1\n{[c]: 1}: {b: 2}\nd: 1\n", "/d"), "3:1");
    }

    #[test]
    fn pointer_into_json_has_a_position() {
        let json =
            "{\r\n\t\"a\": {\"b\": \"\\ud83d\\ude00 \\/ \\u00e9\"},\r\n\t\"c\": [1,\r\n\t\t{\"d\": null}]\r\n}\r\n";
        assert_eq!(at(json, "/a/b"), "2:8");
        assert_eq!(at(json, "/c/1/d"), "4:4");
        assert_eq!(at("{\"a\":{\"b\":1}}", "/a/b"), "1:7");
    }

    #[test]
    fn beyond_a_syntax_error_the_nearest_thing_before_it_counts() {
        assert_eq!(at("a:\n  b: 1\n  c: [\n", "/a/c/0"), "3:3");
    }
}
