//! The state to compare with: where the branch left main, a revision, the last release.

use std::path::Path;

use spec_diff::input::git::Git;

/// A repository, or a folder in one.
pub(super) struct Repository {
    pub(super) git: Git,
}

/// A commit to compare with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) commit: String,
    /// Human-readable: `1a2b3c4d (where HEAD left origin/main)`.
    pub(super) title: String,
}

/// The names of the main branch, the best first.
const MAIN: [&str; 2] = ["origin/main", "main"];

impl Repository {
    pub(super) fn at(root: &Path) -> Self {
        Self { git: Git { root: root.to_owned() } }
    }

    /// Returns the revision that was asked for; else where `HEAD` left the main branch.
    pub(super) fn base(&self, asked: Option<&str>) -> Result<Base, String> {
        if let Some(revision) = asked {
            let Some(commit) = self.git.commit(revision)? else {
                return Err(format!(
                    "no revision {revision:?} here{}; `git fetch --tags origin` may bring it",
                    self.if_shallow()
                ));
            };
            return Ok(Base { title: format!("{revision} ({})", short(&commit)), commit });
        }
        for main in MAIN {
            if let Some(tip) = self.git.commit(main)? {
                return self.left(main, &tip);
            }
        }
        Err("nothing to compare with: there is neither origin/main nor main here; name a revision, or `git fetch origin main`"
            .to_owned())
    }

    fn left(&self, main: &str, tip: &str) -> Result<Base, String> {
        let Ok(commit) = self.git.run(&["merge-base", tip, "HEAD"]) else {
            let shallow = self.if_shallow();
            return Err(format!(
                "HEAD and {main} have no commit in common{shallow}; `git fetch --unshallow` brings the history (in GitHub \
                 Actions: `fetch-depth: 0`)"
            ));
        };
        let commit = commit.trim().to_owned();
        let what = if self.git.commit("HEAD")?.as_ref() == Some(&commit) { "is HEAD" } else { "where HEAD left it" };
        Ok(Base { title: format!("{} ({main}, {what})", short(&commit)), commit })
    }

    /// Returns the last release at or before a base, by its tag: `v0.1.0`.
    pub(super) fn release(&self, base: &Base) -> Option<Base> {
        let tag = self.git.run(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", &base.commit]).ok()?;
        self.base(Some(tag.trim())).ok()
    }

    /// Returns the vendors' documents of a commit, as paths from the root.
    pub(super) fn documents(&self, base: &Base) -> Result<Vec<String>, String> {
        let list = self.git.run(&["ls-tree", "-z", "--name-only", &base.commit, "--", "openapi/"])?;
        Ok(list.split('\0').filter(|path| path.ends_with(".yaml")).map(str::to_owned).collect())
    }

    fn if_shallow(&self) -> &'static str {
        match self.git.run(&["rev-parse", "--is-shallow-repository"]).as_deref().map(str::trim) {
            Ok("true") => " (this clone is shallow)",
            _ => "",
        }
    }
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::commands::diff::tests::{commit, git, repository};

    fn base(root: &TempDir, asked: Option<&str>) -> Result<Base, String> {
        Repository::at(root.path()).base(asked)
    }

    #[test]
    fn default_base_is_where_head_left_main() {
        let root = repository("a: 1\n");
        let start = git(&root, &["rev-parse", "HEAD"]);
        let found = base(&root, None).expect("there is a main");
        assert_eq!(found.commit, start.trim());
        assert!(found.title.ends_with("(main, is HEAD)"), "{}", found.title);
        git(&root, &["switch", "--quiet", "--create", "work"]);
        fs::write(root.path().join("openapi/mini.yaml"), "a: 2\n").expect("it can be written");
        commit(&root);
        let found = base(&root, None).expect("there is a main");
        assert_eq!(found.commit, start.trim());
        assert!(found.title.ends_with("(main, where HEAD left it)"), "{}", found.title);
        let documents = Repository::at(root.path()).documents(&found);
        assert_eq!(documents, Ok(vec!["openapi/mini.yaml".to_owned()]));
    }

    #[test]
    fn tag_is_a_base_and_unknown_revision_is_an_error() {
        let root = repository("a: 1\n");
        git(&root, &["tag", "v0.1.0"]);
        assert!(base(&root, Some("v0.1.0")).is_ok_and(|base| base.title.starts_with("v0.1.0 (")));
        for unknown in ["v9", "--output=x", ""] {
            let error = base(&root, Some(unknown)).expect_err("there is none");
            assert_eq!(error, format!("no revision {unknown:?} here; `git fetch --tags origin` may bring it"));
        }
    }

    #[test]
    fn missing_main_and_missing_repository_are_errors() {
        let root = repository("a: 1\n");
        git(&root, &["branch", "--move", "trunk"]);
        assert!(base(&root, None).is_err_and(|error| error.starts_with("nothing to compare with")));
        let error = base(&tempfile::tempdir().expect("a folder"), None).expect_err("it is not a repository");
        assert!(error.starts_with("git rev-parse: not a git repository") && error.lines().count() == 1, "{error}");
    }

    #[test]
    fn histories_without_a_common_commit_are_an_error() {
        let root = repository("a: 1\n");
        git(&root, &["switch", "--quiet", "--orphan", "other"]);
        fs::write(root.path().join("a"), "").expect("it can be written");
        commit(&root);
        let error = base(&root, None).expect_err("nothing is shared");
        assert!(error.starts_with("HEAD and main have no commit in common; `git fetch"), "{error}");
    }
}
