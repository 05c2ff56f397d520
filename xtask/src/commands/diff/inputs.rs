//! The inputs of a comparison: documents and manifests, before and after.

use std::{collections::BTreeSet, io::ErrorKind, path::Path};

use openapi_document::Budget;
use spec_diff::{
    input::{self, Folder, Input, Source},
    review::{AcceptFile, Pair},
};

use super::git::{Base, Repository};
use crate::workspace::{
    manifest,
    vendors::{self, Vendor},
};

/// The manifests with the crate's version: of the last release, or of the base if there is none yet, and now.
pub(super) type Manifests = [Option<Source>; 2];

/// The manifest of the workspace, which states the version of crates that inherit it.
const WORKSPACE: &str = "Cargo.toml";

/// One API before and after.
pub(super) struct ApiInput {
    pub(super) name: String,
    pub(super) pair: Pair,
    pub(super) accept: AcceptFile,
    /// None if the documents have no crate.
    pub(super) manifests: Option<Manifests>,
}

/// Returns our documents, in the base and in the working tree; an error line for one that cannot be read.
pub(super) fn ours(root: &Path, base: &Base, asked: &[String]) -> Result<Vec<Result<ApiInput, String>>, String> {
    let repository = Repository::at(root);
    let mut names = vendors::find(root)?.into_iter().map(|vendor| vendor.name).collect::<BTreeSet<_>>();
    let before = repository.documents(base)?;
    let name = |path: &String| Some(Path::new(path).file_stem()?.to_str()?.to_owned());
    names.extend(before.iter().filter_map(name));
    let vendors = vendors::select(names.into_iter().map(|name| Vendor { name }).collect(), asked)?;
    Ok(vendors.iter().map(|vendor| vendor_input(root, &repository, base, vendor)).collect())
}

fn vendor_input(root: &Path, repository: &Repository, base: &Base, vendor: &Vendor) -> Result<ApiInput, String> {
    let now = |path: &str| present(&root.join(path), path);
    let document = vendor.document();
    let accept = format!("openapi/{}.accept.toml", vendor.name);
    let in_base = Folder::Git { git: repository.git.clone(), commit: base.commit.clone(), path: "openapi/".to_owned() };
    Ok(ApiInput {
        name: vendor.name.clone(),
        pair: Pair {
            base: at(repository, base, &document)?.map(|source| Input { source, folder: in_base }),
            revision: now(&document)?.map(|source| Input { source, folder: Folder::Disk(root.join("openapi")) }),
        },
        accept: AcceptFile { source: now(&accept)?, name: accept },
        manifests: Some(manifests(root, base, &format!("{}/Cargo.toml", vendor.folder()))?),
    })
}

/// Returns the manifests of the crate at `path`, which may inherit its version. The base is the last release before `base`: a
/// version steps away from what people have, and two changes between releases need one step.
pub(super) fn manifests(root: &Path, base: &Base, path: &str) -> Result<Manifests, String> {
    let repository = Repository::at(root);
    let before = |commit: &Base| version_source(path, |path| at(&repository, commit, path));
    let released = match repository.release(base) {
        Some(release) => before(&release)?,
        None => None,
    };
    let declared_before = match released {
        Some(manifest) => Some(manifest),
        None => before(base)?,
    };
    Ok([declared_before, version_source(path, |path| present(&root.join(path), path))?])
}

/// Returns the file that states the version of the crate whose manifest is at `path`.
fn version_source(path: &str, read: impl Fn(&str) -> Result<Option<Source>, String>) -> Result<Option<Source>, String> {
    match read(path)? {
        Some(manifest) if manifest::inherits_version(&manifest.text) => read(WORKSPACE),
        manifest => Ok(manifest),
    }
}

/// Returns a file of a commit; nothing, if there is none.
fn at(repository: &Repository, commit: &Base, path: &str) -> Result<Option<Source>, String> {
    let text = repository.git.text(&commit.commit, path, &Budget::from_env());
    let text = text.map_err(|error| format!("{path} in the base: {error}"))?;
    Ok(text.map(|text| Source { name: path.to_owned(), text }))
}

/// Returns two files, as the caller named them.
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
