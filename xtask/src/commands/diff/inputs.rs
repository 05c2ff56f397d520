//! What is compared: which texts, before and after.

use std::{collections::BTreeSet, io::ErrorKind, path::Path};

use openapi_document::Budget;

use super::git::{Base, Git};
use crate::workspace::vendors::{self, Vendor};

/// A text and its name.
pub(super) struct Source {
    pub(super) name: String,
    pub(super) text: String,
}

/// One API before and after.
pub(super) struct Pair {
    pub(super) api: String,
    /// Nothing, if the API is new.
    pub(super) base: Option<Source>,
    /// Nothing, if the API is gone.
    pub(super) revision: Option<Source>,
    /// What makes one of our own APIs more than two documents.
    pub(super) own: Option<Own>,
}

/// What stands beside a document of ours.
pub(super) struct Own {
    /// The crate's manifest in the last release, or in the base if there is none yet, and now.
    pub(super) manifests: [Option<Source>; 2],
    /// The list of accepted changes.
    pub(super) accept: Option<Source>,
}

/// Our documents, in the base and in the working tree. One that cannot be read is a line in its place.
pub(super) fn ours(root: &Path, base: &Base, asked: &[String]) -> Result<Vec<Result<Pair, String>>, String> {
    let git = Git { root };
    let mut names = vendors::find(root)?.into_iter().map(|vendor| vendor.name).collect::<BTreeSet<_>>();
    let before = git.documents(base)?;
    let name = |path: &String| Some(Path::new(path).file_stem()?.to_str()?.to_owned());
    names.extend(before.iter().filter_map(name));
    let vendors = vendors::select(names.into_iter().map(|name| Vendor { name }).collect(), asked)?;
    let release = git.release(base);
    Ok(vendors.iter().map(|vendor| vendor_pair(root, &git, (base, release.as_ref()), vendor)).collect())
}

fn vendor_pair(
    root: &Path,
    git: &Git<'_>,
    (base, release): (&Base, Option<&Base>),
    vendor: &Vendor,
) -> Result<Pair, String> {
    let at = |commit: &Base, path: &str| match git.text(commit, path) {
        Ok(text) => Ok(text.map(|text| Source { name: path.to_owned(), text })),
        Err(error) => Err(format!("{path} in the base: {error}")),
    };
    let now = |path: &str| present(&root.join(path), path);
    let before = |path: &str| at(base, path);
    let (document, manifest) = (vendor.document(), format!("{}/Cargo.toml", vendor.folder()));
    // A version steps away from what people have: two changes between releases need one step.
    let released = match release {
        Some(release) => at(release, &manifest)?,
        None => None,
    };
    let declared_before = match released {
        Some(manifest) => Some(manifest),
        None => before(&manifest)?,
    };
    Ok(Pair {
        api: vendor.name.clone(),
        base: before(&document)?,
        revision: now(&document)?,
        own: Some(Own {
            manifests: [declared_before, now(&manifest)?],
            accept: now(&format!("openapi/{}.accept.toml", vendor.name))?,
        }),
    })
}

/// Two files, as the caller named them.
pub(super) fn files(base: &str, revision: &str) -> Result<Pair, String> {
    let read = |name: &str| match present(Path::new(name), name)? {
        Some(source) => Ok(source),
        None => Err(format!("{name}: no such file")),
    };
    let api = Path::new(revision).file_stem().and_then(|stem| stem.to_str()).unwrap_or("api").to_owned();
    Ok(Pair { api, base: Some(read(base)?), revision: Some(read(revision)?), own: None })
}

/// A file; nothing, if there is none.
pub(super) fn present(path: &Path, name: &str) -> Result<Option<Source>, String> {
    match Budget::from_env().read_text(path) {
        Ok(text) => Ok(Some(Source { name: name.to_owned(), text })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name}: cannot be read: {error}")),
    }
}
