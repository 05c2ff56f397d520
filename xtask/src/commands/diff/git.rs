//! The state to compare with, as git has it. Git is called as a program: a library would be the heaviest dependency here, for four
//! questions.

use std::{path::Path, process::Command};

use openapi_document::Budget;

/// A repository, or a folder in one.
pub(super) struct Git<'a> {
    pub(super) root: &'a Path,
}

/// A commit to compare with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) commit: String,
    /// For people: `1a2b3c4d (where HEAD left origin/main)`.
    pub(super) title: String,
}

/// Where the main branch may be, the best first.
const MAIN: [&str; 2] = ["origin/main", "main"];

impl Git<'_> {
    /// The revision that was asked for; else where `HEAD` left the main branch.
    pub(super) fn base(&self, asked: Option<&str>) -> Result<Base, String> {
        if let Some(revision) = asked {
            let Some(commit) = self.commit(revision)? else {
                return Err(format!(
                    "no revision {revision:?} here{}; `git fetch --tags origin` may bring it",
                    self.if_shallow()
                ));
            };
            return Ok(Base { title: format!("{revision} ({})", short(&commit)), commit });
        }
        for main in MAIN {
            if let Some(tip) = self.commit(main)? {
                return self.left(main, &tip);
            }
        }
        Err("nothing to compare with: there is neither origin/main nor main here; name a revision, or `git fetch origin main`"
            .to_owned())
    }

    fn left(&self, main: &str, tip: &str) -> Result<Base, String> {
        let Ok(commit) = self.run(&["merge-base", tip, "HEAD"]) else {
            let shallow = self.if_shallow();
            return Err(format!(
                "HEAD and {main} have no commit in common{shallow}; `git fetch --unshallow` brings the history (in GitHub \
                 Actions: `fetch-depth: 0`)"
            ));
        };
        let commit = commit.trim().to_owned();
        let what = if self.commit("HEAD")?.as_ref() == Some(&commit) { "is HEAD" } else { "where HEAD left it" };
        Ok(Base { title: format!("{} ({main}, {what})", short(&commit)), commit })
    }

    /// The last release at or before a base, by its tag: `v0.1.0`.
    pub(super) fn release(&self, base: &Base) -> Option<Base> {
        let tag = self.run(&["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", &base.commit]).ok()?;
        self.base(Some(tag.trim())).ok()
    }

    /// The vendors' documents of a commit, as paths from the root.
    pub(super) fn documents(&self, base: &Base) -> Result<Vec<String>, String> {
        let list = self.run(&["ls-tree", "-z", "--name-only", &base.commit, "--", "openapi/"])?;
        Ok(list.split('\0').filter(|path| path.ends_with(".yaml")).map(str::to_owned).collect())
    }

    /// A file of a commit; nothing, if it has none of this path.
    pub(super) fn text(&self, base: &Base, path: &str) -> Result<Option<String>, String> {
        if self.run(&["ls-tree", "-z", "--name-only", &base.commit, "--", path])?.is_empty() {
            return Ok(None);
        }
        let file = format!("{}:./{path}", base.commit);
        let size = self.run(&["cat-file", "-s", &file])?;
        Budget::from_env().check_size(size.trim().parse().unwrap_or(usize::MAX))?;
        self.run(&["show", "--end-of-options", &file]).map(Some)
    }

    fn commit(&self, revision: &str) -> Result<Option<String>, String> {
        // Fails outside of a repository with a line, which must not be taken for an unknown revision.
        self.run(&["rev-parse", "--git-dir"])?;
        let revision = format!("{revision}^{{commit}}");
        Ok(self
            .run(&["rev-parse", "--verify", "--quiet", "--end-of-options", &revision])
            .ok()
            .map(|id| id.trim().to_owned()))
    }

    fn if_shallow(&self) -> &'static str {
        match self.run(&["rev-parse", "--is-shallow-repository"]).as_deref().map(str::trim) {
            Ok("true") => " (this clone is shallow)",
            _ => "",
        }
    }

    /// What git answers. The error is one line.
    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new("git").arg("-C").arg(self.root).args(arguments).output();
        let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
        let asked = arguments.first().copied().unwrap_or_default();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().next().unwrap_or("it failed without a word");
            return Err(format!("git {asked}: {}", line.trim_start_matches("fatal: ")));
        }
        String::from_utf8(output.stdout).map_err(|_| format!("git {asked}: the output is not UTF-8"))
    }
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    use std::{fs, io};

    use tempfile::TempDir;

    use super::*;
    use crate::commands::diff::tests::{commit, git, repository};

    fn base(root: &TempDir, asked: Option<&str>) -> Result<Base, String> {
        Git { root: root.path() }.base(asked)
    }

    #[test]
    fn the_base_is_where_head_left_main() -> io::Result<()> {
        let root = repository("a: 1\n")?;
        let start = git(&root, &["rev-parse", "HEAD"]);
        let found = base(&root, None).expect("there is a main");
        assert_eq!(found.commit, start.trim());
        assert!(found.title.ends_with("(main, is HEAD)"), "{}", found.title);
        git(&root, &["switch", "--quiet", "--create", "work"]);
        fs::write(root.path().join("openapi/mini.yaml"), "a: 2\n")?;
        commit(&root);
        let found = base(&root, None).expect("there is a main");
        assert_eq!(found.commit, start.trim());
        assert!(found.title.ends_with("(main, where HEAD left it)"), "{}", found.title);
        let git = Git { root: root.path() };
        assert_eq!(git.text(&found, "openapi/mini.yaml"), Ok(Some("a: 1\n".to_owned())));
        assert_eq!(git.text(&found, "openapi/none.yaml"), Ok(None));
        assert_eq!(git.documents(&found), Ok(vec!["openapi/mini.yaml".to_owned()]));
        Ok(())
    }

    #[test]
    fn a_tag_is_a_base_and_an_unknown_revision_is_a_line() -> io::Result<()> {
        let root = repository("a: 1\n")?;
        git(&root, &["tag", "v0.1.0"]);
        assert!(base(&root, Some("v0.1.0")).is_ok_and(|base| base.title.starts_with("v0.1.0 (")));
        for unknown in ["v9", "--output=x", ""] {
            let error = base(&root, Some(unknown)).expect_err("there is none");
            assert_eq!(error, format!("no revision {unknown:?} here; `git fetch --tags origin` may bring it"));
        }
        Ok(())
    }

    #[test]
    fn what_has_no_main_or_is_no_repository_is_told() -> io::Result<()> {
        let root = repository("a: 1\n")?;
        git(&root, &["branch", "--move", "trunk"]);
        assert!(base(&root, None).is_err_and(|error| error.starts_with("nothing to compare with")));
        let error = base(&tempfile::tempdir()?, None).expect_err("it is none");
        assert!(error.starts_with("git rev-parse: not a git repository") && error.lines().count() == 1, "{error}");
        Ok(())
    }

    #[test]
    fn histories_without_a_common_commit_are_told() -> io::Result<()> {
        let root = repository("a: 1\n")?;
        git(&root, &["switch", "--quiet", "--orphan", "other"]);
        fs::write(root.path().join("a"), "")?;
        commit(&root);
        let error = base(&root, None).expect_err("nothing is shared");
        assert!(error.starts_with("HEAD and main have no commit in common; `git fetch"), "{error}");
        Ok(())
    }
}
