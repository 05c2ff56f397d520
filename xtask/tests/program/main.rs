//! The program as a whole: what it prints where, and what it takes of the machine.

mod imports;
#[cfg(target_os = "linux")]
mod memory;
mod streams;
mod workflows;

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

/// A repository with one small document of ours, `mini`.
fn repository() -> std::io::Result<TempDir> {
    let root = tempfile::tempdir()?;
    fs::create_dir_all(root.path().join("openapi/upstream"))?;
    fs::create_dir_all(root.path().join("crates"))?;
    fs::create_dir_all(root.path().join("xtask"))?;
    fs::write(root.path().join("openapi/mini.yaml"), include_str!("../../src/test_support/mini.yaml"))?;
    Ok(root)
}

/// The program in a repository.
fn xtask(root: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    in_repository(&mut command, root);
    command
}

fn in_repository(command: &mut Command, root: &Path) {
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GITHUB_OUTPUT",
        "GITHUB_STEP_SUMMARY",
        "OPENAPI_MAX_DOCUMENT_MIB",
    ] {
        command.env_remove(name);
    }
    command.env("CARGO_MANIFEST_DIR", root.join("xtask")).current_dir(root);
}
