//! Files that are left of a removed document.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

/// Says which crates and copies were made from a document that is not there any more; whether there is none. They are not
/// deleted: a user may have done so by mistake.
pub(crate) fn report(root: &Path, out: &mut dyn Write) -> io::Result<bool> {
    let mut good = true;
    let crates = names(&root.join("crates"))?;
    let generated =
        crates.iter().filter_map(|name| Some((format!("crates/{name}"), name.strip_prefix("usage-billing-")?)));
    let generated = generated.filter(|(folder, _)| root.join(folder).join("src/generated.rs").exists());
    let copies = names(&root.join(super::sandbox_copies::FOLDER))?;
    let copies =
        copies.iter().filter_map(|name| Some((format!("{}/{name}", super::sandbox_copies::FOLDER), stem(name)?)));
    for (left, vendor) in generated.chain(copies) {
        let document = format!("openapi/{vendor}.yaml");
        if !root.join(&document).exists() {
            writeln!(out, "{left}: {document} was removed; restore it, or delete what was generated from it")?;
            good = false;
        }
    }
    Ok(good)
}

fn stem(name: &str) -> Option<&str> {
    name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".json"))
}

/// Returns the names in a folder, in order; none, if there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_without_document_is_named() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let files =
            ["openapi/kept.yaml", "crates/usage-billing-kept/src/generated.rs", "crates/usage-billing-core/src/lib.rs"];
        let gone =
            ["crates/usage-billing-gone/src/generated.rs", "crates/usage-billing-sandbox/assets/openapi/gone.json"];
        for file in files.iter().chain(&gone) {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap_or(root.path()))?;
            fs::write(path, "")?;
        }
        let mut out = Vec::new();
        assert!(!report(root.path(), &mut out)?);
        let out = String::from_utf8_lossy(&out).into_owned();
        assert_eq!(out.lines().count(), 2, "{out}");
        assert!(out.starts_with("crates/usage-billing-gone: openapi/gone.yaml was removed; "), "{out}");
        Ok(())
    }
}
