//! Random values.

use fastrand::Rng;
use serde_json::{Map, Value, json};

const WORDS: [&str; 40] = [
    "",
    " ",
    "x",
    "0",
    "-1",
    "1.5",
    "1e400",
    "1000",
    "2147483648",
    "9223372036854775807",
    "9223372036854775808",
    "-99999999999999999999999999999",
    "79228162514264337593543950336",
    "0.00000000000000000000000000000000001",
    "NaN",
    "null",
    "true",
    "[]",
    "{}",
    "..",
    "../../etc/passwd",
    "a/b",
    "a~1b",
    "\u{0}",
    "\r\nx-evil: 1",
    "株式会社",
    "🦀\u{202e}\u{200d}",
    "ﬀ\u{301}",
    "2026-10-01",
    "2026-02-30",
    "0000-00-00",
    "9999-12-31",
    "-262143-01-01",
    "2026-10-31T23:59:60Z",
    "2026-10-01T00:00:00+23:59",
    "9999-12-31T23:59:59.999999999-12:00",
    "2026-10/2026-10",
    "2026-11-01T00:00:00Z/2026-10-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
    "sgr-demo1",
];

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

pub(super) fn pick<T: Copy>(dice: &mut Rng, all: &[T]) -> T {
    all[dice.usize(..all.len())]
}

pub(super) fn chance(dice: &mut Rng, percent: u8) -> bool {
    dice.u8(..100) < percent
}

pub(super) fn word(dice: &mut Rng) -> String {
    match dice.u8(..12) {
        0 => "x".repeat(dice.usize(..5_000)),
        1 => (0..dice.usize(..20)).map(|_| dice.char(..)).collect(),
        _ => pick(dice, &WORDS).to_owned(),
    }
}

pub(super) fn value(dice: &mut Rng, depth: u8) -> Value {
    match dice.u8(..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(dice.bool()),
        2 => json!(pick(dice, &[0, 1, -1, i64::MAX, i64::MIN, 1 << 31, 1_000])),
        3 => json!(pick(dice, &[0.1, -0.0, 1e300, 5e-324, 1e19])),
        4 | 5 => json!(word(dice)),
        6 => (0..dice.usize(..5)).map(|_| value(dice, depth - 1)).collect(),
        _ => Value::Object((0..dice.usize(..5)).map(|_| (word(dice), value(dice, depth - 1))).collect()),
    }
}

/// Changes one value.
pub(super) fn mutate(dice: &mut Rng, whole: &mut Value) {
    match whole {
        Value::Array(items) if !items.is_empty() && chance(dice, 85) => {
            let at = dice.usize(..items.len());
            match dice.u8(..6) {
                0 => drop(items.remove(at)),
                1 => {
                    let copy = items[at].clone();
                    items.extend(std::iter::repeat_n(copy, dice.usize(..1_200)));
                }
                _ => mutate(dice, &mut items[at]),
            }
        }
        Value::Object(fields) if !fields.is_empty() && chance(dice, 90) => {
            let name = fields.keys().nth(dice.usize(..fields.len())).cloned().unwrap();
            mutate_field(dice, fields, &name);
        }
        other => *other = value(dice, 3),
    }
}

fn mutate_field(dice: &mut Rng, fields: &mut Map<String, Value>, name: &str) {
    match dice.u8(..8) {
        0 => drop(fields.remove(name)),
        1 => {
            let field = fields.remove(name).unwrap_or_default();
            fields.insert(word(dice), field);
        }
        2 => drop(fields.insert(word(dice), value(dice, 2))),
        3 => {
            let deep = (0..dice.usize(..300)).fold(json!(1), |inner, _| json!([inner]));
            fields.insert(name.to_owned(), deep);
        }
        _ => mutate(dice, fields.get_mut(name).unwrap_or(&mut Value::Null)),
    }
}

/// Truncates, duplicates, flips or mixes bytes.
pub(super) fn garble(dice: &mut Rng, bytes: &mut Vec<u8>, tokens: &[&[u8]]) {
    let at = dice.usize(..=bytes.len());
    let end = (at + dice.usize(..64)).min(bytes.len());
    match dice.u8(..6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copy = bytes[at..end].to_vec();
            bytes.splice(at..at, copy);
        }
        3 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = dice.u8(..);
            }
        }
        4 => {
            let noise: Vec<u8> = (0..dice.usize(..32)).map(|_| dice.u8(..)).collect();
            bytes.splice(at..at, noise);
        }
        _ => {
            let token = pick(dice, tokens).iter().copied();
            bytes.splice(at..at, token);
        }
    }
}
