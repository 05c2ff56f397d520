//! Writing generated files, or comparing them with the files that are there.

use std::{fs, io, path::Path};

use similar::TextDiff;

use crate::output::pluralize;

/// Writes a file or, on check, prints the diff. Returns false if a check finds the file outdated.
pub(super) fn write(root: &Path, name: &str, text: &str, check: bool, out: &mut dyn io::Write) -> io::Result<bool> {
    let path = root.join(name);
    let lines = pluralize(text.lines().count(), "line");
    match compare(&path, name, text)? {
        FileState::UpToDate => writeln!(out, "fresh   {name} ({lines})")?,
        FileState::Outdated(diff) if check => {
            writeln!(out, "{diff}stale   {name}; run `cargo xtask generate`")?;
            return Ok(false);
        }
        FileState::Outdated(_) => {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text)?;
            writeln!(out, "updated {name} ({lines})")?;
        }
    }
    Ok(true)
}

/// The state of a file compared with its new text.
#[derive(Debug, PartialEq, Eq)]
enum FileState {
    /// It has this text already.
    UpToDate,
    /// It has another text; holds a unified diff from it to the new one.
    Outdated(String),
}

/// Compares a file with its new text. A missing file is an empty one.
fn compare(path: &Path, name: &str, text: &str) -> io::Result<FileState> {
    let old = match fs::read_to_string(path) {
        Ok(old) => old,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if old == text {
        return Ok(FileState::UpToDate);
    }
    let diff = TextDiff::from_lines(old.as_str(), text);
    Ok(FileState::Outdated(diff.unified_diff().header(name, &format!("{name} (generated)")).to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_with_other_text_is_outdated_and_diffed() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("a.rs");
        fs::write(&path, "one\ntwo\n")?;
        assert_eq!(compare(&path, "a.rs", "one\ntwo\n")?, FileState::UpToDate);
        let FileState::Outdated(diff) = compare(&path, "a.rs", "one\n2\n")? else { panic!("it differs") };
        assert_eq!(diff, "--- a.rs\n+++ a.rs (generated)\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n");
        Ok(())
    }

    #[test]
    fn missing_file_is_outdated() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        assert!(matches!(compare(&folder.path().join("a.rs"), "a.rs", "one\n")?, FileState::Outdated(_)));
        Ok(())
    }
}
