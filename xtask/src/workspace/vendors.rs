//! The vendors: every `openapi/<vendor>.yaml` is one.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A vendor's document and crate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Vendor {
    pub(crate) name: String,
}

impl Vendor {
    /// Returns the document, from the repository's root.
    pub(crate) fn document(&self) -> String {
        format!("openapi/{}.yaml", self.name)
    }

    /// Returns the crate's folder, from the repository's root.
    pub(crate) fn folder(&self) -> String {
        format!("crates/usage-billing-{}", self.name)
    }
}

/// Reads the vendors of a repository, by name.
pub(crate) fn find(root: &Path) -> Result<Vec<Vendor>, String> {
    let folder = root.join("openapi");
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let entries = fs::read_dir(&folder).map_err(failed)?;
    let paths =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<PathBuf>, _>>().map_err(failed)?;
    let documents = paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    let names = documents.filter_map(|path| path.file_stem()?.to_str().map(str::to_owned));
    let mut vendors = names.map(|name| Vendor { name }).collect::<Vec<_>>();
    vendors.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(vendors)
}

/// Returns those that were asked for: all, if none. The error lists the known ones.
pub(crate) fn select(known: Vec<Vendor>, asked: &[String]) -> Result<Vec<Vendor>, String> {
    if let Some(unknown) = asked.iter().find(|name| known.iter().all(|vendor| vendor.name != **name)) {
        let names = known.iter().map(|vendor| vendor.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(format!("no vendor {unknown:?}: openapi/ has {names}"));
    }
    Ok(known.into_iter().filter(|vendor| asked.is_empty() || asked.contains(&vendor.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Vendor> {
        ["acme", "zeta"].into_iter().map(|name| Vendor { name: name.to_owned() }).collect()
    }

    #[test]
    fn documents_are_vendors_and_other_files_are_not() -> std::io::Result<()> {
        let root = tempfile::tempdir()?;
        fs::create_dir(root.path().join("openapi"))?;
        for name in ["zeta.yaml", "acme.yaml", "README.md"] {
            fs::write(root.path().join("openapi").join(name), "")?;
        }
        assert_eq!(find(root.path()), Ok(known()));
        Ok(())
    }

    #[test]
    fn an_unknown_vendor_lists_the_known_ones() {
        assert_eq!(
            select(known(), &["acne".to_owned()]),
            Err("no vendor \"acne\": openapi/ has acme, zeta".to_owned())
        );
    }

    #[test]
    fn without_names_all_are_meant() {
        assert_eq!(select(known(), &[]), Ok(known()));
        assert_eq!(select(known(), &["zeta".to_owned()]).map(|vendors| vendors.len()), Ok(1));
    }
}
