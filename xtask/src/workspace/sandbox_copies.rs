//! The copies of the documents that the sandbox serves: of the vendors that it stands in for, which is not every one.
//!
//! `cargo package` takes nothing from outside a crate, so the sandbox has copies: the YAML as it is, and the same as JSON, so
//! that no YAML parser is part of it.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use super::vendors::Vendor;

pub(crate) const FOLDER: &str = "crates/usage-billing-sandbox/assets/openapi";

/// Writes a vendor's copies or, on check, states which are stale; whether all is well. Without a diff: the JSON is one line. A
/// vendor of whose document there is no copy is not one of the sandbox's.
pub(crate) fn refresh(root: &Path, vendor: &Vendor, yaml: &str, check: bool, out: &mut dyn Write) -> io::Result<bool> {
    let copies = ["yaml", "json"].map(|kind| format!("{FOLDER}/{}.{kind}", vendor.name));
    if !copies.iter().any(|copy| root.join(copy).exists()) {
        return Ok(true);
    }
    let json = match json(yaml) {
        Ok(json) => json,
        Err(error) => {
            writeln!(out, "{}: cannot be copied for the sandbox: {error}", vendor.document())?;
            return Ok(false);
        }
    };
    let mut good = true;
    for (name, text) in copies.iter().zip([yaml, &json]) {
        let path = root.join(name);
        if fs::read_to_string(&path).is_ok_and(|old| old == text) {
            continue;
        }
        good &= !check;
        if check {
            writeln!(out, "stale   {name}; run `cargo xtask generate`")?;
        } else {
            fs::write(&path, text)?;
            writeln!(out, "updated {name}")?;
        }
    }
    Ok(good)
}

/// Returns the document as JSON, its keys in their order.
fn json(yaml: &str) -> Result<String, String> {
    let options = serde_saphyr::options! { strict_booleans: true };
    let node: Node = serde_saphyr::from_str_with_options(yaml, options).map_err(|error| error.to_string())?;
    let json = serde_json::to_string(&node).map_err(|error| error.to_string())?;
    Ok(json + "\n")
}

/// A value that keeps the order of its keys: the reference page shows operations and fields as the document has them.
enum Node {
    Null,
    Bool(bool),
    Int(i64),
    /// The documents have no number whose shortest form differs from what stands there.
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("anything")
            }
            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Bool(value))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Int(value))
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
                value.try_into().map(Node::Int).map_err(E::custom)
            }
            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Float(value))
            }
            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Text(value.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut nodes = Vec::new();
                while let Some(node) = list.next_element()? {
                    nodes.push(node);
                }
                Ok(Node::List(nodes))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut nodes = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    nodes.push(entry);
                }
                Ok(Node::Map(nodes))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(value) => serializer.serialize_str(value),
            Self::List(nodes) => nodes.serialize(serializer),
            Self::Map(nodes) => {
                let mut map = serializer.serialize_map(Some(nodes.len()))?;
                for (key, node) in nodes {
                    map.serialize_entry(key, node)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_values_their_kind() {
        let yaml = "b: 1\na: [true, null, 0.5, no, '1']\n";
        assert_eq!(json(yaml), Ok("{\"b\":1,\"a\":[true,null,0.5,\"no\",\"1\"]}\n".to_owned()));
    }

    #[test]
    fn sandbox_copies_are_written_once_and_stale_ones_are_reported() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let vendor = Vendor { name: "mini".to_owned() };
        let refreshed = |yaml: &str, check: bool| {
            let mut out = Vec::new();
            let good = refresh(root.path(), &vendor, yaml, check, &mut out)?;
            io::Result::Ok((good, String::from_utf8_lossy(&out).lines().count()))
        };
        assert_eq!(refreshed("a: 1\n", true)?, (true, 0));
        fs::create_dir_all(root.path().join(FOLDER))?;
        fs::write(root.path().join(FOLDER).join("mini.yaml"), "")?;
        assert_eq!(refreshed("a: 1\n", true)?, (false, 2));
        assert_eq!(refreshed("a: 1\n", false)?, (true, 2));
        assert_eq!(refreshed("a: 1\n", true)?, (true, 0));
        // A comment is in the YAML only.
        assert_eq!(refreshed("a: 1 # one\n", true)?, (false, 1));
        Ok(())
    }
}
