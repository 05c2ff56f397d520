//! Files of the tests.

use std::path::Path;

pub(crate) use crate::running::{RunningSandbox, TODAY, exits, ok, program, rejects, run, states};

/// Writes a file and returns its path.
pub(crate) fn file(folder: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[cfg(unix)]
pub(crate) fn set_mode(path: impl AsRef<Path>, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
