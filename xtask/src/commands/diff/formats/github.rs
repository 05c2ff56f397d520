//! For GitHub Actions: annotations on the documents' lines, outputs and a summary of the step.

use std::{
    fs::OpenOptions,
    io::{Result, Write},
    path::{Path, PathBuf},
};

use spec_diff::{Bump, Level};

use super::{markdown, words};
use crate::{
    commands::diff::{
        api_diff::{ApiDiff, DiffRun},
        gate::Counts,
    },
    output::github::{data, property},
};

/// GitHub shows no more annotations of a kind from one step.
const MOST: usize = 10;

/// Where a step leaves what it has to say.
pub(in crate::commands::diff) struct Files {
    pub(in crate::commands::diff) output: Option<PathBuf>,
    pub(in crate::commands::diff) summary: Option<PathBuf>,
}

struct Annotation {
    level: Level,
    file: String,
    line: u32,
    title: String,
    message: String,
}

pub(super) fn write(comparison: &DiffRun, out: &mut impl Write) -> Result<()> {
    for problem in &comparison.problems {
        writeln!(out, "::error::{}", data(problem))?;
    }
    for failure in &comparison.failures {
        writeln!(out, "::error::{}", data(failure))?;
    }
    let told = comparison.problems.len() + comparison.failures.len();
    let annotations = annotations(comparison);
    for (level, command, most) in
        [(Level::Breaking, "error", MOST.saturating_sub(told)), (Level::Warning, "warning", MOST)]
    {
        let of_level = || annotations.iter().filter(|annotation| annotation.level == level);
        for Annotation { file, line, title, message, .. } in of_level().take(most) {
            let (file, title, message) = (property(file), property(title), data(message));
            writeln!(out, "::{command} file={file},line={line},title={title}::{message}")?;
        }
        match of_level().count().saturating_sub(most) {
            0 => {}
            more => writeln!(out, "{more} more of level {level}: see the summary of this step")?,
        }
    }
    super::text::closing(comparison, out)
}

fn annotations(comparison: &DiffRun) -> Vec<Annotation> {
    let mut annotations = Vec::new();
    for api in &comparison.apis {
        let open = api.findings.iter().filter(|finding| finding.accepted.is_none());
        annotations.extend(open.map(|finding| &finding.change).map(|change| Annotation {
            level: change.level,
            file: api.revision.name.clone(),
            line: api.first_line(change),
            title: change.id.clone(),
            message: format!("{}: {}", change.owner, words(change)),
        }));
        annotations.extend(api.notices.iter().map(|notice| Annotation {
            level: notice.level,
            file: notice.file.clone(),
            line: notice.line,
            title: "accept".to_owned(),
            message: notice.message.clone(),
        }));
    }
    annotations
}

/// Adds counts and verdicts to the step's outputs, and the report to its summary.
pub(in crate::commands::diff) fn files(files: &Files, comparison: &DiffRun) -> Result<()> {
    let append =
        |path: &Path, text: &str| OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes());
    if let Some(path) = &files.output {
        append(path, &outputs(comparison))?;
    }
    if let Some(path) = &files.summary {
        append(path, &markdown::comment(comparison, markdown::LIMIT))?;
    }
    Ok(())
}

fn outputs(comparison: &DiffRun) -> String {
    let reports = || comparison.apis.iter().map(|api| &api.report);
    let verdict = if !comparison.problems.is_empty() {
        "unreadable"
    } else if !comparison.failures.is_empty() {
        "failed"
    } else {
        "passed"
    };
    let wire = reports().map(|report| report.wire).max().unwrap_or_default();
    let bump = comparison.apis.iter().filter_map(ApiDiff::crate_needed).max().unwrap_or(Bump::None);
    let all = comparison.apis.iter().map(|api| api.counts).sum::<Counts>();
    format!(
        "verdict={verdict}\nwire={wire}\nbump={bump}\nbreaking={}\nwarning={}\ninfo={}\nnone={}\naccepted={}\n",
        all.breaking, all.warning, all.info, all.none, all.accepted
    )
}
