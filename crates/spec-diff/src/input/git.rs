//! Revisions, as git has them. Git is called as a program: a library would be the heaviest dependency here, for a few questions.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use openapi_document::Budget;

/// A repository, or a folder in one.
#[derive(Debug, Clone)]
pub struct Git {
    /// The folder that git is called in.
    pub root: PathBuf,
}

impl Git {
    /// Returns the commit of a revision; none if it is unknown.
    ///
    /// # Errors
    /// There is no repository, or git cannot be run.
    pub fn commit(&self, revision: &str) -> Result<Option<String>, String> {
        // Fails outside of a repository with a line, which must not be taken for an unknown revision.
        self.run(&["rev-parse", "--git-dir"])?;
        let revision = format!("{revision}^{{commit}}");
        let id = self.run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision]);
        Ok(id.ok().map(|id| id.trim().to_owned()))
    }

    /// Returns a file of a commit, by its path from the root; none if the commit has no such file.
    ///
    /// # Errors
    /// The file is larger than what is left of the budget or is not UTF-8.
    pub fn text(&self, commit: &str, path: &str, budget: &Budget) -> Result<Option<String>, String> {
        // By its id: `git show COMMIT:./PATH` needs a working tree, and `COMMIT:PATH` starts at the root.
        let entry = self.run(&["ls-tree", "-z", commit, "--", path])?;
        let Some(id) = entry.split(['\t', '\0']).next().and_then(|entry| entry.split(' ').nth(2)) else {
            return Ok(None);
        };
        let mut command = self.command(&["cat-file", "blob", id]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = child.map_err(|error| format!("git cannot be run: {error}"))?;
        let bytes = child.stdout.take().map(|stdout| budget.read_stream(stdout));
        // Git ends when the rest is not read.
        let status = child.wait().map_err(|error| format!("git cat-file: {error}"))?;
        let bytes = bytes.unwrap_or_else(|| Ok(Vec::new())).map_err(|error| error.to_string())?;
        if !status.success() {
            return Err(format!("git cat-file blob {id} ({path}): it failed"));
        }
        String::from_utf8(bytes).map(Some).map_err(|_| "it is not UTF-8".to_owned())
    }

    /// Returns the standard output of a git command.
    ///
    /// # Errors
    /// The first line of git's error.
    pub fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.command(arguments).output().map_err(|error| format!("git cannot be run: {error}"))?;
        let command = arguments.first().copied().unwrap_or_default();
        if !output.status.success() {
            let message = String::from_utf8_lossy(&output.stderr);
            let line = message.lines().next().unwrap_or("it failed without a word");
            return Err(format!("git {command}: {}", line.trim_start_matches("fatal: ")));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("git {command}: the output is not UTF-8"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(&self.root).args(arguments);
        command
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Commits all files of a new repository; returns the commit.
    pub(crate) fn commit_all(git: &Git) -> String {
        let who = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"];
        for arguments in [["init", "--quiet", "."], ["add", "--all", "."], ["commit", "--quiet", "--message=a"]] {
            git.run(&[who.as_slice(), &arguments].concat()).unwrap();
        }
        git.commit("HEAD").unwrap().unwrap()
    }

    #[test]
    fn files_are_read_by_paths_from_the_folder_without_a_work_tree() {
        let folder = tempfile::tempdir().unwrap();
        let git = Git { root: folder.path().to_owned() };
        std::fs::create_dir(folder.path().join("api")).unwrap();
        std::fs::write(folder.path().join("api/a.yaml"), "a: 1").unwrap();
        let commit = commit_all(&git);
        let text = |git: &Git, path: &str| git.text(&commit, path, &Budget::from_env()).unwrap();
        assert_eq!(text(&git, "api/a.yaml").as_deref(), Some("a: 1"));
        assert_eq!(text(&git, "api/b.yaml"), None);
        assert_eq!(text(&Git { root: folder.path().join("api") }, "a.yaml").as_deref(), Some("a: 1"));
        assert_eq!(text(&Git { root: folder.path().join(".git") }, "api/a.yaml").as_deref(), Some("a: 1"));
    }

    #[test]
    fn unknown_revision_is_absent_and_a_missing_repository_fails() {
        let folder = tempfile::tempdir().unwrap();
        let git = Git { root: folder.path().to_owned() };
        assert!(git.commit("HEAD").unwrap_err().starts_with("git rev-parse: not a git repository"));
        std::fs::write(folder.path().join("a"), "a").unwrap();
        commit_all(&git);
        for unknown in ["v9", "--output=x", ""] {
            assert_eq!(git.commit(unknown), Ok(None), "{unknown}");
        }
    }
}
