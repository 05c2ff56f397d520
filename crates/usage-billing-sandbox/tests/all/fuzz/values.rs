//! Random values.

use std::sync::LazyLock;

use fastrand::Rng;
use serde_json::{Map, Value, json};

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

pub(super) fn pick<T: Copy>(random: &mut Rng, all: &[T]) -> T {
    all[random.usize(..all.len())]
}

pub(super) fn chance(random: &mut Rng, percent: u8) -> bool {
    random.u8(..100) < percent
}

pub(super) fn word(random: &mut Rng) -> String {
    match random.u8(..12) {
        0 => "x".repeat(random.usize(..5_000)),
        1 => (0..random.usize(..20)).map(|_| random.char(..)).collect(),
        _ => WORDS[random.usize(..WORDS.len())].clone(),
    }
}

pub(super) fn value(random: &mut Rng, depth: u8) -> Value {
    match random.u8(..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(pick(random, &[0, 1, -1, i64::MAX, i64::MIN, 1 << 31, 1_000])),
        3 => json!(pick(random, &[0.1, -0.0, 1e300, 5e-324, 1e19])),
        4 | 5 => json!(word(random)),
        6 => (0..random.usize(..5)).map(|_| value(random, depth - 1)).collect(),
        _ => Value::Object((0..random.usize(..5)).map(|_| (word(random), value(random, depth - 1))).collect()),
    }
}

/// Changes one value.
pub(super) fn mutate(random: &mut Rng, whole: &mut Value) {
    match whole {
        Value::Array(items) if !items.is_empty() && chance(random, 85) => {
            let at = random.usize(..items.len());
            match random.u8(..6) {
                0 => drop(items.remove(at)),
                1 => {
                    let copy = items[at].clone();
                    items.extend(std::iter::repeat_n(copy, random.usize(..1_200)));
                }
                _ => mutate(random, &mut items[at]),
            }
        }
        Value::Object(fields) if !fields.is_empty() && chance(random, 90) => {
            let name = fields.keys().nth(random.usize(..fields.len())).cloned().unwrap();
            mutate_field(random, fields, &name);
        }
        other => *other = value(random, 3),
    }
}

fn mutate_field(random: &mut Rng, fields: &mut Map<String, Value>, name: &str) {
    match random.u8(..8) {
        0 => drop(fields.remove(name)),
        1 => {
            let field = fields.remove(name).unwrap_or_default();
            fields.insert(word(random), field);
        }
        2 => drop(fields.insert(word(random), value(random, 2))),
        3 => {
            let deep = (0..random.usize(..300)).fold(json!(1), |inner, _| json!([inner]));
            fields.insert(name.to_owned(), deep);
        }
        _ => mutate(random, fields.get_mut(name).unwrap_or(&mut Value::Null)),
    }
}

/// Truncates, duplicates, flips or mixes bytes.
pub(super) fn garble(random: &mut Rng, bytes: &mut Vec<u8>, tokens: &[&[u8]]) {
    let at = random.usize(..=bytes.len());
    let end = (at + random.usize(..64)).min(bytes.len());
    match random.u8(..6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        4 => {
            let noise: Vec<u8> = (0..random.usize(..32)).map(|_| random.u8(..)).collect();
            bytes.splice(at..at, noise);
        }
        _ => {
            let token = pick(random, tokens).iter().copied();
            bytes.splice(at..at, token);
        }
    }
}
