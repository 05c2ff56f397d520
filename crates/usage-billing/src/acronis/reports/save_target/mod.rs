//! The target of a save: the path that will be replaced, and the partial file beside it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use usage_billing_core::printable;
use uuid::Uuid;

/// Attempts to create a partial file that another process removes as abandoned.
const MAX_CREATIONS: usize = 8;
const PREFIX: &str = ".usage-billing-";
const SUFFIX: &str = ".part";

/// A path that a file can be saved to.
#[derive(Debug)]
pub(crate) struct SaveTarget {
    /// The path after symbolic links are followed.
    path: PathBuf,
    folder: PathBuf,
    /// Metadata of the file that is replaced.
    replaced: Option<Metadata>,
}

impl SaveTarget {
    /// Follows symbolic links, and rejects paths that a report cannot replace.
    ///
    /// # Errors
    /// A message that completes `{path} cannot be written: `.
    pub(crate) fn new(path: &Path) -> io::Result<Self> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason);
        // `file_name` ignores a slash or `/.` at the end.
        let bytes = path.as_os_str().as_encoded_bytes();
        let names_a_directory = bytes.ends_with(b"/") || bytes.ends_with(b"/.") || path.file_name().is_none();
        if names_a_directory || (cfg!(windows) && bytes.ends_with(b"\\")) {
            return Err(invalid("it names a directory; give the name of a file"));
        }
        // Links in /proc, and so /dev/stdout, have a target that is not a path: the system follows those.
        let (path, replaced) = match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => (fs::canonicalize(path)?, Some(metadata)),
            Ok(metadata) if metadata.is_dir() => return Err(invalid("it is a directory; give the name of a file")),
            Ok(_) => return Err(invalid("it is a device, pipe or socket; give the name of a regular file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (followed(path), None),
            Err(error) => return Err(error),
        };
        let folder = match path.parent() {
            Some(folder) if folder != Path::new("") => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        match fs::metadata(&folder) {
            Ok(metadata) if metadata.is_dir() => Ok(Self { path, folder, replaced }),
            Ok(_) => Err(invalid(&format!("{} is not a directory", printable(&folder.to_string_lossy())))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(io::Error::new(
                error.kind(),
                format!("the directory {} does not exist", printable(&folder.to_string_lossy())),
            )),
            Err(error) => Err(error),
        }
    }

    /// Returns the prefix of the names of partial files: a digest, because the target's name may have the maximum length.
    fn part_prefix(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        format!("{PREFIX}{}-", &Uuid::new_v5(&Uuid::NAMESPACE_OID, name).simple().to_string()[..16])
    }

    /// Removes partial files of earlier saves to this target whose process has ended. A running process holds a lock on its own file. A file
    /// that was created with an unusual umask may only be readable. A file that cannot be opened or removed is kept and does not affect this save.
    pub(crate) fn remove_abandoned_parts(&self) {
        let prefix = self.part_prefix();
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.as_encoded_bytes();
            let is_part = name.starts_with(prefix.as_bytes()) && name.ends_with(SUFFIX.as_bytes());
            // Opening a pipe would block.
            if !is_part || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
                continue;
            }
            // A lock on NFS needs a file that is open for writing.
            let open = OpenOptions::new().read(true).write(true).open(entry.path());
            if let Ok(file) = open.or_else(|_| File::open(entry.path()))
                && file.try_lock().is_ok()
            {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Creates the partial file beside the target, because a rename works only within one file system.
    pub(crate) fn create_part(&self) -> io::Result<PartFile> {
        for _ in 0..MAX_CREATIONS {
            let part = self.new_part()?;
            match part.as_file().try_lock() {
                // Another process holds the lock and will remove the file.
                Err(TryLockError::WouldBlock) => {}
                Ok(()) if is_removed(part.as_file())? => {}
                // On a file system without locks, no process removes it as abandoned.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    let mode = self.replaced.as_ref().map(Metadata::permissions);
                    return Ok(PartFile { part, path: self.path.clone(), mode });
                }
            }
        }
        Err(io::Error::other("other processes keep removing the partial file"))
    }

    /// Creates a file with the default mode of new files. If a file is replaced, the partial file is private to this user until it
    /// [gets the final mode](PartFile::persist).
    fn new_part(&self) -> io::Result<NamedTempFile> {
        let prefix = self.part_prefix();
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Not the mode of the replaced file: if that is read-only, the next save could not remove the file of a killed process.
            let mode = if self.replaced.is_some() { 0o600 } else { 0o666 };
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        builder.tempfile_in(&self.folder)
    }
}

/// Returns the target of symbolic links that does not exist; a cycle is another error.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    while let Ok(link) = fs::read_link(&path) {
        path = path.parent().unwrap_or(Path::new("")).join(link);
    }
    path
}

#[cfg(unix)]
fn is_removed(file: &File) -> io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) == 0)
}

#[cfg(not(unix))]
fn is_removed(_: &File) -> io::Result<bool> {
    // An open file cannot be removed.
    Ok(false)
}

/// A partial file; it is removed if it is dropped before it is [persisted](Self::persist).
#[derive(Debug)]
pub(crate) struct PartFile {
    part: NamedTempFile,
    path: PathBuf,
    /// The mode of the file that is replaced.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only the modes of Unix are kept"))]
    mode: Option<fs::Permissions>,
}

impl PartFile {
    /// Empties the file for another attempt.
    pub(crate) fn restart(&self) -> io::Result<tokio::fs::File> {
        // The same open file, so that the lock stays.
        let mut file = self.part.as_file().try_clone()?;
        file.set_len(0)?;
        io::Seek::rewind(&mut file)?;
        Ok(tokio::fs::File::from_std(file))
    }

    /// Replaces the target by the file, with the mode of the target.
    pub(crate) fn persist(self) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(replaced) = &self.mode {
            use std::os::unix::fs::PermissionsExt;
            // Without set-user-id and similar bits, which were granted to the old content.
            self.part.as_file().set_permissions(fs::Permissions::from_mode(replaced.mode() & 0o777))?;
        }
        self.part.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

#[cfg(test)]
mod tests;
