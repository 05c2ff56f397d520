//! For GitHub Actions: annotations on the documents' lines, outputs and a summary of the step.

use std::{
    fs::OpenOptions,
    io::{Result, Write},
    path::{Path, PathBuf},
};

use openapi_document::text::printable;

use super::{markdown, text};
use crate::{Level, review::Review};

/// GitHub shows no more annotations of a kind from one step.
const MOST: usize = 10;

/// GitHub's files for the outputs and the summary of a step.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// `GITHUB_OUTPUT`.
    pub output: Option<PathBuf>,
    /// `GITHUB_STEP_SUMMARY`.
    pub summary: Option<PathBuf>,
}

struct Annotation {
    level: Level,
    file: String,
    line: u32,
    column: u32,
    title: String,
    message: String,
}

pub(super) fn write(review: &Review, out: &mut dyn Write) -> Result<()> {
    let errors = review.problems.iter().chain(&review.failures);
    for error in errors.clone() {
        writeln!(out, "::error::{}", data(&printable(error)))?;
    }
    let used = errors.count();
    let annotations = annotations(review);
    for (level, command, most) in
        [(Level::Breaking, "error", MOST.saturating_sub(used)), (Level::Warning, "warning", MOST)]
    {
        let of_level = || annotations.iter().filter(|annotation| annotation.level == level);
        for Annotation { file, line, column, title, message, .. } in of_level().take(most) {
            let (file, title, message) =
                (property(file.strip_prefix("./").unwrap_or(file)), property(title), data(&printable(message)));
            writeln!(out, "::{command} file={file},line={line},col={column},title={title}::{message}")?;
        }
        match of_level().count().saturating_sub(most) {
            0 => {}
            more => writeln!(out, "{more} more of level {level}: see the summary of this step")?,
        }
    }
    text::closing(review, out)
}

fn annotations(review: &Review) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    for api in &review.apis {
        let open = api.findings.iter().filter(|finding| finding.accepted.is_none());
        annotations.extend(open.map(|finding| &finding.change).map(|change| {
            let position = api.first_position(change);
            Annotation {
                level: change.level,
                file: position.name.to_owned(),
                line: position.line,
                column: position.column,
                title: change.id.clone(),
                message: format!("{}: {}", change.owner, change.statement()),
            }
        }));
        annotations.extend(api.notices.iter().map(|notice| Annotation {
            level: notice.level,
            file: notice.file.clone(),
            line: notice.line,
            column: 1,
            title: "accept".to_owned(),
            message: notice.message.clone(),
        }));
    }
    annotations
}

/// Escapes the value of a workflow command: a line feed would end it.
#[must_use]
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
#[must_use]
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl Files {
    /// Adds counts and verdicts to the step's outputs, with `more` outputs of the caller's, and the report to its summary.
    ///
    /// # Errors
    /// One of the files cannot be written.
    pub fn append(&self, review: &Review, more: &[(&str, String)]) -> Result<()> {
        let append = |path: &Path, text: &str| {
            OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
        };
        if let Some(path) = &self.output {
            let more = more.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
            append(path, &(outputs(review) + &more))?;
        }
        match &self.summary {
            Some(path) => append(path, &markdown::comment(review, markdown::LIMIT)),
            None => Ok(()),
        }
    }
}

fn outputs(review: &Review) -> String {
    let verdict = review.outcome().name();
    let (wire, changed, all) = (review.wire(), review.has_changes(), review.counts());
    format!(
        "verdict={verdict}\nchanged={changed}\nwire={wire}\nbreaking={}\nwarning={}\ninfo={}\nnone={}\naccepted={}\n",
        all.breaking, all.warning, all.info, all.none, all.accepted
    )
}
