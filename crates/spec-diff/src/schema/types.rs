//! Types with their formats, and which set contains which.

use std::collections::BTreeMap;

use serde_json::Value;

/// The type of null. A schema of nothing else has it; beside other types, uses of schemas state that null is allowed.
pub(crate) const NULL: &str = "null";

/// The types that a schema allows, null aside, each with its format. Empty: any type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Types<'a>(pub(crate) BTreeMap<&'a str, Option<&'a str>>);

/// The relation of one set of values to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Same,
    /// The new set has all of the old one, and more.
    Wider,
    /// The new set is a part of the old one.
    Narrower,
    Other,
}

impl Relation {
    /// Returns whether the new set has nothing that the old one had not.
    pub(crate) fn is_within(self) -> bool {
        matches!(self, Self::Same | Self::Narrower)
    }

    fn of(forth: bool, back: bool) -> Self {
        match (forth, back) {
            (true, true) => Self::Same,
            (true, false) => Self::Wider,
            (false, true) => Self::Narrower,
            (false, false) => Self::Other,
        }
    }
}

impl<'a> Types<'a> {
    pub(crate) fn single(name: &'a str) -> Self {
        Self(BTreeMap::from([(name, None)]))
    }

    pub(crate) fn is_any(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether all types are named, null aside.
    pub(crate) fn is_all(&self) -> bool {
        ["array", "boolean", "number", "object", "string"].iter().all(|name| {
            self.0.get(name).is_some_and(|format| value_format(name, *format).is_none() && !is_reference(*format))
        })
    }

    /// Returns whether values are written as one piece of text: no lists, no objects.
    pub(crate) fn is_scalar(&self) -> bool {
        !self.is_any() && !self.0.contains_key("array") && !self.0.contains_key("object")
    }

    /// Returns whether nothing is of both.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        let either =
            |name: &str| other.0.contains_key(name) || (is_number(name) && other.0.keys().any(|name| is_number(name)));
        !self.is_any() && !other.is_any() && !self.0.keys().any(|name| either(name))
    }

    /// Returns what one of several allows; none if one of them allows anything.
    pub(crate) fn union(all: impl Iterator<Item = Self>) -> Option<Self> {
        let mut sum = BTreeMap::new();
        for types in all {
            if types.is_any() {
                return None;
            }
            for (name, format) in types.0 {
                let known = sum.entry(name).or_insert(format);
                // The wider of two formats, or none.
                if !format_covers(name, *known, format) {
                    *known = if format_covers(name, format, *known) { format } else { None };
                }
            }
        }
        Some(Self(sum))
    }

    /// Returns what both allow. Two sets with nothing in common are kept together: documents do not mean the empty set.
    pub(crate) fn intersect(self, other: Self) -> Self {
        if self.is_any() {
            return other;
        }
        if other.is_any() {
            return self;
        }
        let mut both = BTreeMap::new();
        for (name, format) in &self.0 {
            if let Some(theirs) = other.0.get(name) {
                both.insert(*name, narrower(name, *format, *theirs));
            } else if *name == "integer" && other.0.contains_key("number") {
                both.insert("integer", *format);
            } else if *name == "number" && other.0.contains_key("integer") {
                both.insert("integer", other.0.get("integer").copied().flatten());
            }
        }
        if both.is_empty() {
            both.extend(self.0);
            both.extend(other.0);
        }
        Self(both)
    }

    /// Returns how `self` (old) lies to `new`. In text (`?n=5`, XML, forms) a string may look like anything.
    pub(crate) fn relation(&self, new: &Self, text: bool) -> Relation {
        Relation::of(new.covers(self, text), self.covers(new, text))
    }

    fn covers(&self, other: &Self, text: bool) -> bool {
        if self.is_any() || other.is_any() {
            return self.is_any();
        }
        other.0.iter().filter(|(name, _)| **name != NULL).all(|(name, format)| {
            let own = self.0.get(name).is_some_and(|own| format_covers(name, *own, *format));
            let number = *name == "integer" && self.0.get("number").is_some_and(|own| !is_small_float(*own));
            // Where both name strings, what they name beside is meant.
            let string = text
                && !other.0.contains_key("string")
                && self.0.get("string").is_some_and(|own| value_format("string", *own).is_none() || own == format);
            own || number || string
        })
    }

    /// Returns whether a type that both sides have goes by another format.
    pub(crate) fn has_other_formats(&self, new: &Self) -> bool {
        self.0.iter().any(|(name, old)| {
            let named = |format: Option<&'a str>| format.filter(|format| !states_nothing(name, format));
            new.0.get(name).is_some_and(|new| named(*old) != named(*new))
        })
    }

    /// Returns the types for messages: `integer/int32`, `string or null`, `any`.
    pub(crate) fn describe(&self) -> Value {
        if self.is_any() {
            return Value::from("any");
        }
        let words = self.0.iter().map(|(name, format)| match format {
            Some(format) => format!("{name}/{format}"),
            None => (*name).to_owned(),
        });
        Value::from(words.collect::<Vec<_>>().join(" or "))
    }
}

fn is_number(name: &str) -> bool {
    matches!(name, "integer" | "number")
}

/// Returns whether this is a float of 32 bits, which does not hold every integer that documents mean.
fn is_small_float(format: Option<&str>) -> bool {
    format == Some("float")
}

/// Returns whether values of the format `narrow` are all of the format `wide`.
fn format_covers(name: &str, wide: Option<&str>, narrow: Option<&str>) -> bool {
    let of_reference = is_reference(wide);
    let (wide, narrow) = (value_format(name, wide), value_format(name, narrow));
    if (wide.is_none() && !(of_reference && narrow.is_some())) || wide == narrow {
        return true;
    }
    let ladder: &[&str] = match name {
        "integer" => &["int8", "int16", "int32"],
        _ => return false,
    };
    let rung = |format: Option<&str>| ladder.iter().position(|step| Some(*step) == format);
    matches!((rung(wide), rung(narrow)), (Some(wide), Some(narrow)) if wide >= narrow)
}

/// Returns the format that both allow; of two that contradict each other always the same one.
fn narrower<'a>(name: &str, one: Option<&'a str>, other: Option<&'a str>) -> Option<&'a str> {
    match (format_covers(name, one, other), format_covers(name, other, one)) {
        (true, false) => other,
        (false, true) => one,
        _ => one.max(other),
    }
}

/// Returns the formats that change which values of a type there are. All others name the type's own range (`int64`, `double`),
/// state how to show a value (`password`), or are names of one vendor (`unixtime`).
fn value_format<'a>(name: &str, format: Option<&'a str>) -> Option<&'a str> {
    let formats: &[&str] = match name {
        "integer" => &["int8", "int16", "int32", "uint8", "uint16", "uint32", "uint64"],
        "number" => &["float"],
        "string" => &[
            "date",
            "date-time",
            "lenient-date-time",
            "date-time-local",
            "time",
            "duration",
            "uuid",
            "ipv4",
            "ipv6",
            "ip",
            "email",
            "idn-email",
            "hostname",
            "idn-hostname",
            "regex",
            "json-pointer",
            "relative-json-pointer",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "float",
            "double",
            "decimal",
        ],
        _ => &[],
    };
    format.filter(|format| formats.contains(format))
}

/// Returns whether no other format's values have this format: `uri` by itself changes little, but a URL instead of a UUID does.
fn is_reference(format: Option<&str>) -> bool {
    matches!(format, Some("uri" | "url" | "uri-reference" | "uri-template" | "iri" | "iri-reference"))
}

/// Returns whether a format states no more than the type does.
fn states_nothing(name: &str, format: &str) -> bool {
    match name {
        "integer" => matches!(format, "" | "int64" | "integer"),
        "number" => matches!(format, "" | "double" | "number"),
        _ => matches!(format, "" | "password" | "string" | "text"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types(text: &'static str) -> Types<'static> {
        let part = |part: &'static str| match part.split_once('/') {
            Some((name, format)) => (name, Some(format)),
            None => (part, None),
        };
        Types(text.split(' ').filter(|part| *part != "any").map(part).collect())
    }

    #[test]
    fn relations_of_types_and_formats() {
        for (old, new, relation) in [
            ("string", "string", Relation::Same),
            ("integer", "number", Relation::Wider),
            ("number", "integer/int32", Relation::Narrower),
            ("integer/int32", "integer/int64", Relation::Wider),
            ("integer/int64", "number/float", Relation::Other),
            ("integer/uint32", "integer/int32", Relation::Other),
            ("string/date-time", "string/date", Relation::Other),
            ("string/uuid", "string", Relation::Wider),
            ("string/password", "string", Relation::Same),
            ("any", "string", Relation::Narrower),
            ("string", "integer string", Relation::Wider),
            ("string", "object", Relation::Other),
            ("string", "null", Relation::Narrower),
            ("any", "null", Relation::Narrower),
            ("null", "string", Relation::Wider),
        ] {
            assert_eq!(types(old).relation(&types(new), false), relation, "{old} -> {new}");
        }
    }

    #[test]
    fn in_text_a_string_holds_every_scalar() {
        assert_eq!(types("integer").relation(&types("string"), true), Relation::Wider);
        assert_eq!(types("string").relation(&types("boolean"), true), Relation::Narrower);
        assert_eq!(types("string/uuid").relation(&types("integer"), true), Relation::Other);
        assert_eq!(types("boolean integer string").relation(&types("string"), true), Relation::Narrower);
    }

    #[test]
    fn contradictory_type_is_kept_as_written() {
        assert_eq!(types("string").intersect(types("object")), types("object string"));
        assert_eq!(types("number").intersect(types("integer/int64")), types("integer/int64"));
    }
}
