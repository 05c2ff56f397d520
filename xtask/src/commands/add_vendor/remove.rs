//! `cargo xtask remove-vendor`: takes out what `add-vendor` wrote.

use std::{fs, path::Path, process::ExitCode};

use super::{
    names::{self, module, package},
    transaction, workspace_edits,
};
use crate::output::{Failure, Output};

/// Which vendor is removed.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Name of the vendor's document, crate and feature.
    name: String,
}

/// Runs the command in the repository at `root`. Exit code 2 if the vendor cannot be removed.
pub(crate) fn run(root: &Path, arguments: &Arguments, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    for file in remove(root, &arguments.name)? {
        writeln!(output.out, "removed {file}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Removes a vendor, and returns the files that were removed.
fn remove(root: &Path, name: &str) -> Result<Vec<String>, String> {
    names::check(name)?;
    let document = format!("openapi/{name}.yaml");
    if !root.join(&document).is_file() {
        return Err(format!("no vendor {name:?}: there is no {document}"));
    }
    let wrapped = format!("crates/usage-billing/src/{}", module(name));
    if root.join(&wrapped).is_dir() {
        return Err(format!("{wrapped} was written by hand: remove it and what uses it first"));
    }
    let changes = workspace_edits::without(root, name)?;
    transaction::all(root, &changes)?;
    let folder = format!("crates/{}", package(name));
    let files = [
        document,
        format!("openapi/upstream/{name}.toml"),
        format!("openapi/upstream/{name}.md"),
        format!("{wrapped}.rs"),
    ];
    let mut removed = Vec::new();
    for file in files.into_iter().filter(|file| root.join(file).exists()) {
        fs::remove_file(root.join(&file)).map_err(|error| format!("{file}: cannot be removed: {error}"))?;
        removed.push(file);
    }
    if root.join(&folder).exists() {
        fs::remove_dir_all(root.join(&folder)).map_err(|error| format!("{folder}: cannot be removed: {error}"))?;
        removed.push(folder);
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::commands::add_vendor::tests::{planned, repository};

    #[test]
    fn removed_vendor_leaves_the_tree_unchanged() -> std::io::Result<()> {
        let specification = json!({
            "openapi": "3.0.0", "info": {"title": "Acme", "version": "1"}, "servers": [{"url": "https://api.acme.example"}],
            "paths": {"/a": {"get": {"operationId": "getA", "responses": {"204": {"description": "d"}}}}},
        });
        let root = repository(&specification)?;
        let edited = ["Cargo.toml", "Cargo.lock", "crates/usage-billing/Cargo.toml", "crates/usage-billing/src/lib.rs"];
        let lock = root.path().join("Cargo.lock");
        let other = "[[package]]\nname = \"usage-billing\"\ndependencies = [\n \"serde\",\n";
        fs::write(&lock, format!("version = 4\n\n{other}]\n"))?;
        let contents = || edited.map(|file| fs::read_to_string(root.path().join(file)).unwrap_or_default());
        let before = contents();
        assert!(remove(root.path(), "acme").is_err());
        transaction::all(root.path(), &planned(&specification)?).map_err(std::io::Error::other)?;
        // As cargo does when it builds the crate.
        let new = "[[package]]\nname = \"usage-billing-acme\"\n";
        fs::write(&lock, format!("version = 4\n\n{other} \"usage-billing-acme\",\n]\n\n{new}"))?;
        assert_ne!(contents(), before);
        let removed = remove(root.path(), "acme").map_err(std::io::Error::other)?;
        assert_eq!(removed.len(), 5, "{removed:?}");
        assert_eq!(contents(), before);
        assert!(!root.path().join("crates/usage-billing-acme").exists());
        Ok(())
    }
}
