//! A vendor's files put in place: all of them or none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::workspace_edits::{Change, LOCK};

/// Writes the files below `root`. If one cannot be written, all is again as it was, and the error states which and why.
pub(super) fn all(root: &Path, changes: &[Change]) -> Result<Done, String> {
    let mut done = Done::default();
    // Cargo writes it when it builds the new crate.
    let lock = root.join(LOCK);
    done.files.extend(fs::read(&lock).ok().map(|before| (lock, Some(before))));
    for (file, text) in changes {
        if let Err(error) = done.write(&root.join(file), text) {
            done.undo();
            return Err(format!("{file}: cannot be written: {error}; nothing was changed"));
        }
    }
    Ok(done)
}

/// The files that were written, with their content before.
#[derive(Debug, Default)]
pub(super) struct Done {
    files: Vec<(PathBuf, Option<Vec<u8>>)>,
    folders: Vec<PathBuf>,
}

impl Done {
    fn write(&mut self, path: &Path, text: &str) -> io::Result<()> {
        let missing = path.ancestors().skip(1).take_while(|folder| !folder.exists()).last();
        self.folders.extend(missing.map(Path::to_owned));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let before = match fs::read(path) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        self.files.push((path.to_owned(), before));
        fs::write(path, text)
    }

    /// Restores the files. A change that cannot be undone is left: the first error is the one to report.
    pub(super) fn undo(self) {
        for (path, before) in self.files {
            _ = match before {
                Some(before) => fs::write(path, before),
                None => fs::remove_file(path),
            };
        }
        for folder in self.folders {
            _ = fs::remove_dir_all(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(file: &str, text: &str) -> Change {
        (file.to_owned(), text.to_owned())
    }

    #[test]
    fn if_one_file_cannot_be_written_none_is() -> io::Result<()> {
        let root = tempfile::tempdir()?;
        let read = |file: &str| fs::read_to_string(root.path().join(file)).ok();
        fs::write(root.path().join("old"), "before")?;
        fs::create_dir(root.path().join("folder"))?;
        let changes = [change("new/deep/file", "x"), change("old", "after"), change("folder", "x")];
        let error = all(root.path(), &changes).unwrap_err();
        assert!(
            error.starts_with("folder: cannot be written: ") && error.ends_with("; nothing was changed"),
            "{error}"
        );
        assert_eq!((read("old").as_deref(), root.path().join("new").exists()), (Some("before"), false));

        fs::write(root.path().join("Cargo.lock"), "before")?;
        let done = all(root.path(), &changes[..2]).map_err(io::Error::other)?;
        assert_eq!((read("old").as_deref(), read("new/deep/file").as_deref()), (Some("after"), Some("x")));
        fs::write(root.path().join("Cargo.lock"), "after")?;
        done.undo();
        assert_eq!((read("old").as_deref(), root.path().join("new").exists()), (Some("before"), false));
        assert_eq!(read("Cargo.lock").as_deref(), Some("before"));
        Ok(())
    }
}
