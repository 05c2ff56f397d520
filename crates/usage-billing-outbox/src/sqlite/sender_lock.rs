//! The lock of the one sender of a file.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use usage_billing::{Error, ErrorKind, Result};

/// The right to send the events of a file. The system releases it when the process ends, in whatever way.
#[derive(Debug)]
#[must_use = "the right ends when it is dropped"]
pub struct SenderLock(File);

/// Closing the file is not enough: a process that is being started by this one has it open until it runs its own program.
impl Drop for SenderLock {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

impl SenderLock {
    /// Locks `FILE.sender`. The file stays when the lock is released: removing it would let two senders lock two files.
    pub(super) fn acquire(database: &Path) -> Result<Self> {
        let mut path = database.as_os_str().to_owned();
        path.push(".sender");
        let path = PathBuf::from(path);
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::File, format!("{}: {error}", path.display())).with_source(error)
        };
        let file = File::options().create(true).write(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => {
                let message = format!("another sender has the lock {}", path.display());
                Err(Error::new(ErrorKind::Config, message)
                    .with_hint("one process sends the events of a file at a time"))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_is_free_after_its_drop_despite_a_duplicate_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("usage.sqlite");
        let lock = SenderLock::acquire(&database).unwrap();
        let _inherited = lock.0.try_clone().unwrap();
        assert_eq!(SenderLock::acquire(&database).unwrap_err().kind(), ErrorKind::Config);
        drop(lock);
        drop(SenderLock::acquire(&database).unwrap());
    }
}
