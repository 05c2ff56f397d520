//! What is compared: which documents and manifests, before and after.

use std::{collections::BTreeSet, io::ErrorKind, path::Path};

use openapi_document::Budget;
use spec_diff::{
    input::{self, Folder, Input, Source},
    review::{AcceptFile, Pair},
};

use super::git::{Base, Repository};
use crate::workspace::vendors::{self, Vendor};

/// The crate's manifest in the last release, or in the base if there is none yet, and now.
pub(super) type Manifests = [Option<Source>; 2];

/// One API before and after.
pub(super) struct ApiInput {
    pub(super) name: String,
    pub(super) pair: Pair,
    pub(super) accept: AcceptFile,
    /// None if the documents have no crate.
    pub(super) manifests: Option<Manifests>,
}

/// Our documents, in the base and in the working tree. One that cannot be read is a line in its place.
pub(super) fn ours(root: &Path, base: &Base, asked: &[String]) -> Result<Vec<Result<ApiInput, String>>, String> {
    let repository = Repository::at(root);
    let mut names = vendors::find(root)?.into_iter().map(|vendor| vendor.name).collect::<BTreeSet<_>>();
    let before = repository.documents(base)?;
    let name = |path: &String| Some(Path::new(path).file_stem()?.to_str()?.to_owned());
    names.extend(before.iter().filter_map(name));
    let vendors = vendors::select(names.into_iter().map(|name| Vendor { name }).collect(), asked)?;
    let release = repository.release(base);
    Ok(vendors.iter().map(|vendor| vendor_input(root, &repository, (base, release.as_ref()), vendor)).collect())
}

fn vendor_input(
    root: &Path,
    repository: &Repository,
    (base, release): (&Base, Option<&Base>),
    vendor: &Vendor,
) -> Result<ApiInput, String> {
    let at = |commit: &Base, path: &str| {
        let text = repository.git.text(&commit.commit, path, &Budget::from_env());
        let text = text.map_err(|error| format!("{path} in the base: {error}"))?;
        Ok::<_, String>(text.map(|text| Source { name: path.to_owned(), text }))
    };
    let now = |path: &str| present(&root.join(path), path);
    let (document, manifest) = (vendor.document(), format!("{}/Cargo.toml", vendor.folder()));
    // A version steps away from what people have: two changes between releases need one step.
    let released = match release {
        Some(release) => at(release, &manifest)?,
        None => None,
    };
    let declared_before = match released {
        Some(manifest) => Some(manifest),
        None => at(base, &manifest)?,
    };
    let accept = format!("openapi/{}.accept.toml", vendor.name);
    let in_base = Folder::Git { git: repository.git.clone(), commit: base.commit.clone(), path: "openapi/".to_owned() };
    Ok(ApiInput {
        name: vendor.name.clone(),
        pair: Pair {
            base: at(base, &document)?.map(|source| Input { source, folder: in_base }),
            revision: now(&document)?.map(|source| Input { source, folder: Folder::Disk(root.join("openapi")) }),
        },
        accept: AcceptFile { source: now(&accept)?, place: accept },
        manifests: Some([declared_before, now(&manifest)?]),
    })
}

/// Two files, as the caller named them.
pub(super) fn files(base: &str, revision: &str) -> Result<ApiInput, String> {
    let name = Path::new(revision).file_stem().and_then(|stem| stem.to_str()).unwrap_or("api").to_owned();
    let pair = Pair { base: Some(input::read(base, false)?), revision: Some(input::read(revision, false)?) };
    Ok(ApiInput { name, pair, accept: AcceptFile::default(), manifests: None })
}

/// Returns a file; nothing, if there is none.
pub(super) fn present(path: &Path, name: &str) -> Result<Option<Source>, String> {
    match Budget::from_env().read_text(path) {
        Ok(text) => Ok(Some(Source { name: name.to_owned(), text })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("{name}: cannot be read: {error}")),
    }
}
