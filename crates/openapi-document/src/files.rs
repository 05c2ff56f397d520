//! Files beside a document, and the paths that references state.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::pointer::decode;

/// Files beside a document, which its references name.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// The name of the document's own file, by which other files refer to it.
    pub own: String,
    /// The other files, by their paths from the document's folder: `models/car.yaml`.
    pub others: BTreeMap<String, Value>,
}

impl Files {
    /// Returns the path of the file that a reference (`../car.yaml#/Car`) in a file names. None if that is outside of the document's
    /// folder, a URL, an absolute path or the file itself.
    #[must_use]
    pub fn path(from: &str, reference: &str) -> Option<String> {
        let path = reference.split('#').next().filter(|path| !path.is_empty() && !path.starts_with('/'))?;
        let mut parts = from.rsplit_once('/').map_or(Vec::new(), |(folder, _)| folder.split('/').collect());
        let path = decode(path);
        if path.contains(['\\', ':']) {
            return None;
        }
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()?),
                part => parts.push(part),
            }
        }
        Some(parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_in_the_folder_of_the_document() {
        assert_eq!(Files::path("a/b.yaml", "../c%20d.yaml#/x").as_deref(), Some("c d.yaml"));
        assert_eq!(Files::path("a/b.yaml", "./d/./e.yaml").as_deref(), Some("a/d/e.yaml"));
        for outside in ["../c.yaml", "x/../../c.yaml", "/etc/passwd", "https://h/c.yaml", "#/x", "c:\\d", "%2e%2e/c"] {
            assert_eq!(Files::path("b.yaml", outside), None, "{outside}");
        }
    }
}
