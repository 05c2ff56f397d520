//! The lock of the one sender of a file.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use usage_billing::{Error, ErrorKind, Result};

/// The right to send the events of a file. The system releases it when the process ends, in whatever way.
#[derive(Debug)]
#[must_use = "the right ends when it is dropped"]
pub struct SenderLock {
    _file: File,
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
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                let message = format!("another sender has the lock {}", path.display());
                Err(Error::new(ErrorKind::Config, message)
                    .with_hint("one process sends the events of a file at a time"))
            }
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
