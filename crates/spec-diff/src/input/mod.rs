//! The sources of documents: files, git revisions, and URLs if the caller allows them; and the files beside a document.

pub mod git;
pub mod url;

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use openapi_document::{Budget, Document, Files, outside_references};

use self::git::Git;

/// The number of other files that the references of one document may lead into. Further ones are not followed.
const MAX_FILES: usize = 200;

/// A text with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The name in messages and links: a path.
    pub name: String,
    /// The text.
    pub text: String,
}

/// The folder of the files beside a document. References that lead out of this folder are not followed.
#[derive(Debug, Clone)]
pub enum Folder {
    /// Not available: references to other files are not followed.
    None,
    /// A folder.
    Disk(PathBuf),
    /// A folder in a revision.
    Git {
        /// The repository.
        git: Git,
        /// The commit.
        commit: String,
        /// The path from the folder that `git` is called in, with a slash at its end; empty for that folder itself.
        path: String,
    },
}

/// A document that is not yet parsed.
#[derive(Debug, Clone)]
pub struct Input {
    /// The document.
    pub source: Source,
    /// The files beside it.
    pub folder: Folder,
}

/// A parsed document with the files that its references lead into.
#[derive(Debug)]
pub struct Parsed {
    /// The text of the document.
    pub source: Source,
    /// The document.
    pub document: Document,
    /// The other files.
    pub files: Files,
    /// Their sources, by their paths from the document's folder.
    pub sources: BTreeMap<String, Source>,
}

/// Reads what an argument of the command line names: a file, `git:REVISION:PATH`, or a URL if `allow_url`.
///
/// # Errors
/// One line: what cannot be read, and why.
pub fn read(argument: &str, allow_url: bool) -> Result<Input, String> {
    find(argument, allow_url)?.ok_or_else(|| match argument.starts_with("git:") {
        true => format!("{argument}: no such file in this revision"),
        false => format!("{argument}: no such file"),
    })
}

/// Reads what an argument names, as [`read`] does; none if the file does not exist.
///
/// # Errors
/// One line: what cannot be read, and why.
pub fn find(argument: &str, allow_url: bool) -> Result<Option<Input>, String> {
    let budget = Budget::from_env();
    if let Some(at_revision) = argument.strip_prefix("git:") {
        let (revision, path) = at_revision
            .split_once(':')
            .filter(|(_, path)| !path.is_empty())
            .ok_or_else(|| format!("{argument:?} is not of the form git:REVISION:PATH"))?;
        let git = Git { root: PathBuf::from(".") };
        let commit = git.commit(revision)?.ok_or_else(|| format!("no revision {revision:?} in this repository"))?;
        let text = git.text(&commit, path, &budget).map_err(|error| format!("{argument}: {error}"))?;
        let Some(text) = text else { return Ok(None) };
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let folder = Folder::Git { git, commit, path: folder };
        return Ok(Some(Input { source: Source { name: path.to_owned(), text }, folder }));
    }
    if url::is_url(argument) {
        if !allow_url {
            return Err(format!("{}: URLs are read only with --allow-url", url::without_credentials(argument)));
        }
        return Ok(Some(Input { source: url::fetch(argument, &budget)?, folder: Folder::None }));
    }
    let path = Path::new(argument);
    let text = match budget.read_text(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{argument}: cannot be read: {error}")),
    };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(Some(Input { source: Source { name: argument.to_owned(), text }, folder: Folder::Disk(folder.to_owned()) }))
}

impl Input {
    /// Returns the name with the revision, for messages.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.folder {
            Folder::Git { commit, .. } => {
                format!("{} ({})", self.source.name, commit.get(..8).unwrap_or(commit))
            }
            _ => self.source.name.clone(),
        }
    }

    /// Parses the document, and reads and parses the files that its references lead into. Files that are missing, cannot be parsed or
    /// exceed the limits are left out: references to them are not followed.
    ///
    /// # Errors
    /// One line with name, line, column and message.
    pub fn parse(self) -> Result<Parsed, String> {
        let Self { source, folder } = self;
        let budget = Budget::from_env();
        let document = Document::parse_within(&budget, &source.name, &source.text)?;
        let (above, own) = source.name.rsplit_once(['/', '\\']).map_or(("", source.name.as_str()), |(_, own)| {
            (source.name.get(..source.name.len() - own.len()).unwrap_or_default(), own)
        });
        let mut files = Files { own: own.to_owned(), others: BTreeMap::new() };
        let mut sources = BTreeMap::new();
        let mut next = match may_refer_to_files(&source.text) {
            true => paths(&files.own, &document.root),
            false => Vec::new(),
        };
        while let Some(path) = next.pop() {
            if path == files.own || files.others.contains_key(&path) || files.others.len() == MAX_FILES {
                continue;
            }
            let Some(text) = folder.read(&path, &budget) else { continue };
            let file = Source { name: format!("{above}{path}"), text };
            let Ok(parsed) = Document::parse_within(&budget, &file.name, &file.text) else { continue };
            next.extend(paths(&path, &parsed.root));
            files.others.insert(path.clone(), parsed.root);
            sources.insert(path, file);
        }
        Ok(Parsed { source, document, files, sources })
    }
}

/// Returns whether a text has references that do not begin at its root. Spares large documents in one file a walk.
fn may_refer_to_files(text: &str) -> bool {
    let is_elsewhere = |at: usize| {
        let target = text.get(at..).and_then(|rest| rest.strip_prefix("$ref"));
        target.is_some_and(|rest| !rest.trim_start_matches(['"', '\'', ':', ' ']).starts_with('#'))
    };
    text.contains("mapping") || text.contains("$dynamicRef") || text.match_indices('$').any(|(at, _)| is_elsewhere(at))
}

/// Returns the files that references of a file lead into.
fn paths(from: &str, root: &serde_json::Value) -> Vec<String> {
    outside_references(root).into_iter().filter_map(|reference| Files::path(from, reference)).collect()
}

impl Folder {
    fn read(&self, path: &str, budget: &Budget) -> Option<String> {
        match self {
            Self::None => None,
            Self::Disk(folder) => {
                // A symbolic link may lead out of the folder.
                let file = folder.join(path).canonicalize().ok()?;
                let inside = file.starts_with(folder.canonicalize().ok()?) && file.is_file();
                budget.read_text(&inside.then_some(file)?).ok()
            }
            Self::Git { git, commit, path: folder } => git.text(commit, &format!("{folder}{path}"), budget).ok()?,
        }
    }
}

impl Parsed {
    /// Returns the text that a location is in.
    #[must_use]
    pub fn source_of(&self, file: Option<&str>) -> &Source {
        file.and_then(|file| self.sources.get(file)).unwrap_or(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("api/models")).unwrap();
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        write(
            "api/api.yaml",
            "openapi: 3.1.0\npaths: {/a: {$ref: models/a.yaml}, /b: {$ref: ../b.yaml}, /c: {$ref: c.yaml}}\n",
        );
        write("api/models/a.yaml", "get: {x: {$ref: '../models/d.json#/D'}, y: {$ref: '../api.yaml#/paths'}}\n");
        write("api/models/d.json", "{\"D\": {\"$ref\": \"https://example.com/e.yaml\"}}");
        write("b.yaml", "get: {}\n");
        write("api/c.yaml", "a: [\n");
        folder
    }

    fn names(parsed: &Parsed) -> Vec<&str> {
        parsed.files.others.keys().map(String::as_str).collect()
    }

    #[test]
    fn references_are_followed_within_the_folder() {
        let folder = folder();
        let argument = folder.path().join("api/api.yaml").display().to_string();
        let parsed = read(&argument, false).unwrap().parse().unwrap();
        assert_eq!(names(&parsed), ["models/a.yaml", "models/d.json"]);
        assert!(parsed.source_of(Some("models/a.yaml")).name.ends_with("/api/models/a.yaml"));
    }

    #[test]
    fn reference_to_a_file_is_recognized_in_the_text() {
        for (text, expected) in [
            ("{\"a\": {\"$ref\": \"#/b\"}, \"$id\": \"x\"}", false),
            ("a: {$ref: '#/b'}\nc: $x\n", false),
            ("a: {$ref: b.yaml}", true),
            ("a:\n  $ref:\n    b.yaml", true),
            ("{\"discriminator\": {\"mapping\": {\"a\": \"b.json\"}}}", true),
        ] {
            assert_eq!(may_refer_to_files(text), expected, "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_link_out_of_the_folder_is_not_followed() {
        let folder = folder();
        fs::remove_file(folder.path().join("api/models/a.yaml")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("b.yaml"), folder.path().join("api/models/a.yaml")).unwrap();
        let argument = folder.path().join("api/api.yaml").display().to_string();
        assert_eq!(names(&read(&argument, false).unwrap().parse().unwrap()), [""; 0]);
    }

    #[test]
    fn files_of_a_revision_are_read_from_it() {
        let folder = folder();
        let git = Git { root: folder.path().to_owned() };
        let commit = git::tests::commit_all(&git);
        fs::remove_dir_all(folder.path().join("api")).unwrap();
        let budget = Budget::from_env();
        let text = git.text(&commit, "api/api.yaml", &budget).unwrap().unwrap();
        assert_eq!(git.text(&commit, "api/none.yaml", &budget), Ok(None));
        let source = Source { name: "api/api.yaml".to_owned(), text };
        let parsed = Input { source, folder: Folder::Git { git, commit, path: "api/".to_owned() } }.parse().unwrap();
        assert_eq!(names(&parsed), ["models/a.yaml", "models/d.json"]);
    }

    #[test]
    fn argument_errors_name_the_unreadable_argument() {
        let error = |argument| read(argument, false).unwrap_err();
        assert_eq!(error("none.yaml"), "none.yaml: no such file");
        assert_eq!(error("git:main"), "\"git:main\" is not of the form git:REVISION:PATH");
        assert_eq!(
            error("https://me:secret@example.com/a"),
            "https://example.com/a: URLs are read only with --allow-url"
        );
    }
}
