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
fn directories_are_rejected_in_any_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().to_str().unwrap().to_owned();
    let slash = format!("{text}/");
    for path in [&text, &slash, &format!("{text}/."), &format!("{text}/.."), &format!("{text}/new/"), "", ".", "/"] {
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
fn partial_files_are_removed_only_if_their_process_ended() {
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
            assert!(rejection.unwrap_err().to_string().starts_with("it is a device, pipe or socket"), "{special:?}");
        }
    }

    #[test]
    fn replaced_file_keeps_mode_and_new_file_has_default_mode() {
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
    fn partial_file_is_removable_for_any_mode_of_its_target() {
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
            // Root may open anything; its owner only what the mode states.
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
