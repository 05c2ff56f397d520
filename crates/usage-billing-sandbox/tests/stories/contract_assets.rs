//! The documents that the crate ships are those of the workspace.
//!
//! `cargo package` takes nothing from outside the crate, so the crate has copies: the YAML as it is, and the same as JSON, so
//! that no YAML parser is part of the sandbox. `UPDATE_ASSETS=1 cargo test -p usage-billing-sandbox assets` makes them.

use std::path::Path;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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

#[test]
fn the_assets_are_the_documents_of_the_workspace() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let update = std::env::var_os("UPDATE_ASSETS").is_some();
    for vendor in ["acronis", "genesys", "suger"] {
        // In the published crate there is no workspace, and nothing to compare with.
        let Ok(yaml) = std::fs::read_to_string(home.join(format!("../../openapi/{vendor}.yaml"))) else { return };
        let options = serde_saphyr::options! { strict_booleans: true };
        let node: Node = serde_saphyr::from_str_with_options(&yaml, options).unwrap();
        let json = serde_json::to_string(&node).unwrap() + "\n";
        for (kind, wanted) in [("yaml", &yaml), ("json", &json)] {
            let asset = home.join(format!("assets/openapi/{vendor}.{kind}"));
            if update {
                std::fs::write(&asset, wanted).unwrap();
            }
            assert!(
                std::fs::read_to_string(&asset).is_ok_and(|found| found == *wanted),
                "{} differs from openapi/{vendor}.yaml: UPDATE_ASSETS=1 cargo test -p usage-billing-sandbox assets",
                asset.display()
            );
        }
    }
}
