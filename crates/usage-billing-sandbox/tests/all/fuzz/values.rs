//! Random values, and changes of JSON and of bytes.

use std::sync::LazyLock;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

static WORDS: LazyLock<Vec<String>> = LazyLock::new(|| serde_json::from_str(include_str!("words.json")).unwrap());

/// Numbers in JSON that `serde_json::Value` cannot hold.
pub(super) const NUMBERS: [&str; 8] = [
    "1e400",
    "-0.0",
    "79228162514264337593543950335",
    "99999999999999999999999999999999999999",
    "0.1234567890123456789012345678901234567890",
    "1E-400",
    "18446744073709551616",
    "01",
];

pub(super) fn word() -> BoxedStrategy<String> {
    prop_oneof![
        10 => select(&**WORDS),
        1 => vec(any::<char>(), 0..20).prop_map(String::from_iter),
        1 => (0..5_000_usize).prop_map(|length| "x".repeat(length)),
    ]
    .boxed()
}

/// Returns one of some words.
pub(super) fn one_of(words: &'static [&'static str]) -> BoxedStrategy<String> {
    select(words).prop_map(str::to_owned).boxed()
}

pub(super) fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => select(&[0, 1, -1, i64::MAX, i64::MIN, 1 << 31, 1_000]).prop_map(Value::from),
        1 => select(&[0.1, -0.0, 1e300, 5e-324, 1e19]).prop_map(Value::from),
        2 => word().prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(3, 20, 5, |inner| {
        let fields = vec((word(), inner.clone()), 0..5);
        prop_oneof![
            vec(inner, 0..5).prop_map(Value::from),
            fields.prop_map(|fields| Value::Object(fields.into_iter().collect()))
        ]
    });
    inner.boxed()
}

/// A change of one value: of the root, or of a value in an array or object.
#[derive(Clone, Debug)]
pub(super) struct Mutation {
    /// The way to the value, as far as there are arrays and objects.
    path: Vec<Index>,
    change: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Remove,
    /// Appends copies of an item to its array.
    Repeat(usize),
    Rename(String),
    /// Adds a field beside this one.
    Insert(String, Value),
    /// Wraps the value in arrays.
    Nest(usize),
    Replace(Value),
}

pub(super) fn mutation() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        4 => value().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => (0..1_200_usize).prop_map(Change::Repeat),
        1 => word().prop_map(Change::Rename),
        1 => (word(), value()).prop_map(|(name, value)| Change::Insert(name, value)),
        1 => (0..300_usize).prop_map(Change::Nest),
    ];
    (vec(any::<Index>(), 0..5), change).prop_map(|(path, change)| Mutation { path, change })
}

impl Mutation {
    pub(super) fn apply(&self, root: &mut Value) {
        mutate(root, &self.path, &self.change);
    }
}

fn mutate(value: &mut Value, path: &[Index], change: &Change) {
    let is_last = |inner: &Value, rest: &[Index]| rest.is_empty() || !inner.is_array() && !inner.is_object();
    match (value, path) {
        (Value::Array(items), [at, rest @ ..]) if !items.is_empty() => {
            let at = at.index(items.len());
            match change {
                Change::Remove if is_last(&items[at], rest) => drop(items.remove(at)),
                Change::Repeat(times) if is_last(&items[at], rest) => {
                    items.extend(std::iter::repeat_n(items[at].clone(), *times));
                }
                _ => mutate(&mut items[at], rest, change),
            }
        }
        (Value::Object(fields), [at, rest @ ..]) if !fields.is_empty() => {
            let name = fields.keys().nth(at.index(fields.len())).cloned().unwrap();
            match change {
                Change::Remove if is_last(&fields[&name], rest) => drop(fields.remove(&name)),
                Change::Rename(other) if is_last(&fields[&name], rest) => {
                    let field = fields.remove(&name).unwrap_or_default();
                    fields.insert(other.clone(), field);
                }
                Change::Insert(other, value) if is_last(&fields[&name], rest) => {
                    fields.insert(other.clone(), value.clone());
                }
                _ => mutate(&mut fields[&name], rest, change),
            }
        }
        (value, _) => match change {
            Change::Replace(other) => *value = other.clone(),
            Change::Nest(depth) => *value = (0..*depth).fold(value.take(), |inner, _| json!([inner])),
            Change::Remove | Change::Repeat(_) | Change::Rename(_) | Change::Insert(..) => {}
        },
    }
}

/// A change of bytes.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    at: Index,
    /// How many bytes are removed, at most.
    removed: usize,
    inserted: Bytes,
    /// How many bytes are repeated.
    repeated: usize,
}

/// Truncates, removes, repeats, replaces or inserts bytes or tokens.
pub(super) fn edit(tokens: &'static [&'static [u8]]) -> impl Strategy<Value = Edit> {
    let change = prop_oneof![
        Just((usize::MAX, Bytes::new(), 0)),
        (0..64_usize).prop_map(|removed| (removed, Bytes::new(), 0)),
        (0..64_usize).prop_map(|repeated| (0, Bytes::new(), repeated)),
        any::<u8>().prop_map(|byte| (1, vec![byte].into(), 0)),
        vec(any::<u8>(), 0..32).prop_map(|noise| (0, noise.into(), 0)),
        select(tokens).prop_map(|token| (0, Bytes::from_static(token), 0)),
    ];
    let edit = |(at, (removed, inserted, repeated))| Edit { at, removed, inserted, repeated };
    (any::<Index>(), change).prop_map(edit)
}

impl Edit {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>) {
        let at = self.at.index(bytes.len() + 1);
        let end = |length: usize| at.saturating_add(length).min(bytes.len());
        let inserted = [&*self.inserted, &bytes[at..end(self.repeated)]].concat();
        bytes.splice(at..end(self.removed), inserted);
    }
}
