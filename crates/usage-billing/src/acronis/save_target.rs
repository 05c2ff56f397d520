//! Where a report's file is saved: the path that will be replaced, and the partial file beside it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use usage_billing_core::printable;
use uuid::Uuid;

/// How often a partial file is created again because another process took it for an abandoned one.
const MAX_CREATIONS: usize = 8;
const PREFIX: &str = ".usage-billing-";
const SUFFIX: &str = ".part";

/// A path that a file can be saved to.
#[derive(Debug)]
pub(super) struct SaveTarget {
    /// Without symbolic links at its end.
    path: PathBuf,
    folder: PathBuf,
    /// Of the file that is replaced.
    replaced: Option<Metadata>,
}

impl SaveTarget {
    /// Follows symbolic links, and rejects what a report cannot replace.
    ///
    /// # Errors
    /// In words that complete `{path} cannot be written: `.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let invalid = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason);
        // `file_name` ignores a slash or `/.` at the end.
        let bytes = path.as_os_str().as_encoded_bytes();
        let names_a_directory = bytes.ends_with(b"/") || bytes.ends_with(b"/.") || path.file_name().is_none();
        if names_a_directory || (cfg!(windows) && bytes.ends_with(b"\\")) {
            return Err(invalid("it names a directory; give the name of a file"));
        }
        // Links in /proc, and so /dev/stdout, have a text that leads nowhere: the system follows those.
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

    /// Begins of the names of partial files for this target: a digest, as the target's own name may be as long as names can be.
    fn part_prefix(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().as_encoded_bytes();
        format!("{PREFIX}{}-", &Uuid::new_v5(&Uuid::NAMESPACE_OID, name).simple().to_string()[..16])
    }

    /// Removes partial files of earlier saves to this target whose process has ended, however it ended. A live process holds a lock on
    /// its own. One that was created with an unusual umask may only be readable. A file that cannot be examined or removed stays: it does no harm to this save.
    pub(super) fn remove_abandoned_parts(&self) {
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

    /// Creates the partial file beside the target, for a rename works within one file system only.
    pub(super) fn create_part(&self) -> io::Result<PartFile> {
        for _ in 0..MAX_CREATIONS {
            let part = self.new_part()?;
            match part.as_file().try_lock() {
                // Another process examines it and will remove it.
                Err(TryLockError::WouldBlock) => {}
                Ok(()) if is_removed(part.as_file())? => {}
                // Without locks on this file system nobody takes it for an abandoned one either.
                Ok(()) | Err(TryLockError::Error(_)) => {
                    let mode = self.replaced.as_ref().map(Metadata::permissions);
                    return Ok(PartFile { part, path: self.path.clone(), mode });
                }
            }
        }
        Err(io::Error::other("other processes keep removing the partial file"))
    }

    /// With the mode of any new file, not the narrow one of a temporary file; if a file is replaced, only for this user until the partial file
    /// [gets its mode](PartFile::persist).
    fn new_part(&self) -> io::Result<NamedTempFile> {
        let prefix = self.part_prefix();
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(SUFFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Not yet that of the replaced file: from one that is read-only, the next save could not remove what a killed one left.
            let mode = if self.replaced.is_some() { 0o600 } else { 0o666 };
            builder.permissions(fs::Permissions::from_mode(mode));
        }
        builder.tempfile_in(&self.folder)
    }
}

/// The path at the end of symbolic links, which does not exist: a cycle is another error.
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
pub(super) struct PartFile {
    part: NamedTempFile,
    path: PathBuf,
    /// Of the file that is replaced.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only the modes of Unix are kept"))]
    mode: Option<fs::Permissions>,
}

impl PartFile {
    /// Empties the file for another attempt.
    pub(super) fn restart(&self) -> io::Result<tokio::fs::File> {
        // The same open file, so that the lock stays.
        let mut file = self.part.as_file().try_clone()?;
        file.set_len(0)?;
        io::Seek::rewind(&mut file)?;
        Ok(tokio::fs::File::from_std(file))
    }

    /// Puts the file in the place of the target, with its mode.
    pub(super) fn persist(self) -> io::Result<()> {
        #[cfg(unix)]
        if let Some(replaced) = &self.mode {
            use std::os::unix::fs::PermissionsExt;
            // Without set-user-id and the like: they were given to the old content.
            self.part.as_file().set_permissions(fs::Permissions::from_mode(replaced.mode() & 0o777))?;
        }
        self.part.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(path: &Path) -> String {
        SaveTarget::new(path).unwrap_err().to_string()
    }

    fn save(path: &Path, content: &[u8]) {
        let part = SaveTarget::new(path).unwrap().create_part().unwrap();
        io::Write::write_all(&mut part.part.as_file(), content).unwrap();
        part.persist().unwrap();
    }

    fn left(folder: &Path) -> Vec<PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    }

    #[test]
    fn directories_are_rejected_however_they_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().to_str().unwrap().to_owned();
        let slash = format!("{text}/");
        for path in [&text, &slash, &format!("{text}/."), &format!("{text}/.."), &format!("{text}/new/"), "", ".", "/"]
        {
            assert!(rejection(Path::new(path)).ends_with("; give the name of a file"), "{path}");
        }
        fs::write(folder.path().join("file"), "").unwrap();
        assert!(rejection(&folder.path().join("file/report.csv")).contains("irectory"));
        assert!(rejection(&folder.path().join("none/report.csv")).ends_with("/none does not exist"));
    }

    #[test]
    fn names_as_long_as_the_file_system_allows_can_be_saved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x".repeat(255));
        save(&path, b"report");
        assert_eq!(fs::read(&path).unwrap(), b"report");
    }

    #[test]
    fn partial_files_of_dead_processes_are_removed_and_those_of_live_ones_kept() {
        let folder = tempfile::tempdir().unwrap();
        let target = SaveTarget::new(&folder.path().join("report.csv")).unwrap();
        let other = SaveTarget::new(&folder.path().join("other.csv")).unwrap();
        // Kept on disk without their lock, as a killed process leaves them.
        let dead = target.create_part().unwrap().part.into_temp_path().keep().unwrap();
        let dead_of_other = other.create_part().unwrap().part.into_temp_path().keep().unwrap();
        let live = target.create_part().unwrap();
        let unrelated = folder.path().join(".usage-billing-notes.part");
        fs::write(&unrelated, "").unwrap();
        target.remove_abandoned_parts();
        assert!(!dead.exists());
        for kept in [dead_of_other.as_path(), live.part.path(), &unrelated] {
            assert!(kept.exists(), "{}", kept.display());
        }
        live.persist().unwrap();
        assert!(folder.path().join("report.csv").exists());
    }

    #[cfg(unix)]
    mod unix {
        use std::os::fd::AsRawFd;
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
        use std::os::unix::net::UnixListener;
        use std::process::Command;

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().permissions().mode() & 0o7777
        }

        #[test]
        fn devices_pipes_and_sockets_are_rejected_also_behind_a_link() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
            let _socket = UnixListener::bind(path("socket")).unwrap();
            symlink("/dev/null", path("null")).unwrap();
            // As /dev/stdout is one: its text names no path.
            let (reader, _writer) = io::pipe().unwrap();
            let open_pipe = format!("/proc/self/fd/{}", reader.as_raw_fd());
            assert!(
                !Path::new("/proc/self/fd").exists()
                    || rejection(Path::new(&open_pipe)).starts_with("it is a device, pipe")
            );
            for special in [Path::new("/dev/null"), &path("pipe"), &path("socket"), &path("null")] {
                let rejection = SaveTarget::new(special).map(|target| target.path);
                // Where the tests' output goes to a file, /dev/stdout is that file.
                if let Ok(path) = &rejection
                    && path.is_file()
                {
                    continue;
                }
                assert!(
                    rejection.unwrap_err().to_string().starts_with("it is a device, pipe or socket"),
                    "{special:?}"
                );
            }
        }

        #[test]
        fn the_mode_of_a_replaced_file_is_kept_and_a_new_file_has_the_usual_one() {
            let folder = tempfile::tempdir().unwrap();
            let (ours, usual) = (folder.path().join("a"), folder.path().join("b"));
            fs::write(&usual, "").unwrap();
            save(&ours, b"first");
            assert_eq!(mode(&ours), mode(&usual));
            for kept in [0o600, 0o640, 0o644, 0o666, 0o777, 0o400] {
                fs::set_permissions(&ours, fs::Permissions::from_mode(kept)).unwrap();
                save(&ours, b"again");
                assert_eq!(mode(&ours), kept, "{kept:o}");
            }
            fs::set_permissions(&ours, fs::Permissions::from_mode(0o4755)).unwrap();
            save(&ours, b"not run as its owner");
            assert_eq!(mode(&ours), 0o755);
        }

        #[test]
        fn a_partial_file_can_be_removed_whatever_the_mode_of_its_target() {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("report.csv");
            fs::write(&path, "old").unwrap();
            for kept in [0o400, 0o440, 0o444, 0o200, 0o040, 0o000, 0o777] {
                fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
                let target = SaveTarget::new(&path).unwrap();
                let dead = target.create_part().unwrap().part.into_temp_path().keep().unwrap();
                target.remove_abandoned_parts();
                assert!(!dead.exists(), "beside one of {kept:o}");
                let part = target.create_part().unwrap();
                // Root may open anything; its owner only what the mode says.
                assert_eq!(mode(part.part.path()), 0o600, "while it is written in place of one of {kept:o}");
                part.persist().unwrap();
                assert_eq!(mode(&path), kept, "{kept:o}");
            }
        }

        #[test]
        fn a_symbolic_link_is_followed_and_stays() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            fs::create_dir(path("data")).unwrap();
            fs::write(path("data/2026-10.csv"), "old").unwrap();
            fs::set_permissions(path("data/2026-10.csv"), fs::Permissions::from_mode(0o640)).unwrap();
            symlink("data/2026-10.csv", path("month.csv")).unwrap();
            symlink("month.csv", path("latest.csv")).unwrap();
            symlink("data/2026-11.csv", path("next.csv")).unwrap();
            save(&path("latest.csv"), b"new");
            save(&path("next.csv"), b"created");
            assert_eq!(fs::read(path("data/2026-10.csv")).unwrap(), b"new");
            assert_eq!(fs::read(path("data/2026-11.csv")).unwrap(), b"created");
            assert_eq!(mode(&path("data/2026-10.csv")), 0o640);
            for link in ["latest.csv", "month.csv", "next.csv"] {
                assert!(path(link).is_symlink(), "{link}");
            }
            assert_eq!(left(&path("data")).len(), 2, "partial files are beside the target");
        }

        #[test]
        fn links_to_directories_and_cycles_are_rejected() {
            let folder = tempfile::tempdir().unwrap();
            let path = |name: &str| folder.path().join(name);
            symlink(folder.path(), path("folder")).unwrap();
            symlink("two", path("one")).unwrap();
            symlink("one", path("two")).unwrap();
            assert!(rejection(&path("folder")).starts_with("it is a directory"));
            assert!(rejection(&path("one")).to_lowercase().contains("symbolic links"), "{}", rejection(&path("one")));
        }

        #[test]
        fn a_pipe_named_like_a_partial_file_does_not_block_the_clean_up() {
            let folder = tempfile::tempdir().unwrap();
            let target = SaveTarget::new(&folder.path().join("report.csv")).unwrap();
            let pipe = folder.path().join(format!("{}x{SUFFIX}", target.part_prefix()));
            assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            target.remove_abandoned_parts();
            assert!(pipe.exists());
        }

        #[test]
        fn a_partial_file_that_another_process_removed_is_noticed() {
            let folder = tempfile::tempdir().unwrap();
            let part = SaveTarget::new(&folder.path().join("report.csv")).unwrap().create_part().unwrap();
            assert!(!is_removed(part.part.as_file()).unwrap());
            fs::remove_file(part.part.path()).unwrap();
            assert!(is_removed(part.part.as_file()).unwrap());
            assert_eq!(part.part.as_file().metadata().unwrap().nlink(), 0);
        }
    }
}
