//! Crates' versions: the build metadata states which state of the vendor's sources a crate is made of.

/// Returns the text of a manifest's `package.version`, or of the version that a workspace's packages inherit, if it
/// states one.
///
/// # Errors
/// Why the manifest cannot be read.
pub(crate) fn version(manifest: &str) -> Result<Option<String>, String> {
    let manifest = manifest.parse::<toml::Table>().map_err(|error| format!("not TOML: {}", error.message()))?;
    let package = manifest.get("package").or_else(|| manifest.get("workspace")?.get("package"));
    Ok(package.and_then(|package| package.get("version")?.as_str()).map(str::to_owned))
}

/// Returns whether a package has the version of its workspace.
pub(crate) fn inherits_version(manifest: &str) -> bool {
    let inherits = |manifest: toml::Table| manifest.get("package")?.get("version")?.get("workspace")?.as_bool();
    manifest.parse().ok().and_then(inherits).unwrap_or_default()
}

/// Returns what is wrong with a crate's manifest, if its version does not carry the document's.
pub(crate) fn mismatch(manifest: &str, wanted: &str) -> Option<String> {
    let version = match version(manifest) {
        Ok(Some(version)) => version,
        Ok(None) => {
            return Some(format!(
                "package.version is not a string; set it to the workspace's version with `+{wanted}`"
            ));
        }
        Err(error) => return Some(error),
    };
    let (number, metadata) = version.split_once('+').unwrap_or((&version, ""));
    (metadata != wanted).then(|| {
        format!("version {version:?} does not have the document's date {wanted}; set version = \"{number}+{wanted}\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_carries_the_documents_is_right() {
        assert_eq!(mismatch("[package]\nversion = \"0.1.0+2026-11-21\"\n", "2026-11-21"), None);
    }

    #[test]
    fn error_of_another_version_states_the_setting() {
        assert_eq!(
            mismatch("[package]\nversion = \"0.1.0\"\n", "2026-11-21").as_deref(),
            Some("version \"0.1.0\" does not have the document's date 2026-11-21; set version = \"0.1.0+2026-11-21\"")
        );
        assert!(mismatch("[package]\nversion.workspace = true\n", "2026-11-21").is_some());
        assert!(mismatch("[package", "2026-11-21").is_some_and(|message| message.starts_with("not TOML")));
    }
}
