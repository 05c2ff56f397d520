//! `cargo xtask audit`: the loss report of a draft compared with what the draft lacks, field by field. No loss may be missing, and none false.

mod bodies;
mod forms;
mod parameters;
mod parts;
mod responses;
mod schema;
mod walk;

use std::{collections::BTreeSet, path::PathBuf, process::ExitCode};

use crate::{
    import::{self, Choice, Conversion, Kind, Loss, Published},
    output::{Failure, Output},
    text::printable,
};

/// Which specification is drafted and compared.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The vendor's specification: OpenAPI 3.0 or 3.1 or Swagger 2.0, JSON or YAML.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,

    /// Operations with this tag [default: all operations]
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,

    /// Operations whose path matches: `*` is a part of a segment, `**` any segments.
    #[arg(long = "path", value_name = "GLOB")]
    paths: Vec<String>,
}

/// A part of the specification that a draft lacks, or has in another form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    /// The pointer in the vendor's file.
    at: String,
    /// The location where the differing schema is used.
    from: String,
    text: String,
    /// Whether the draft lacks something in any case. What alternatives have between them depends on all others.
    is_certain: bool,
}

/// Runs the command. Exit code 0 if the report is right, 1 if not, 2 if nothing can be drafted.
pub(crate) fn run(arguments: &Arguments, output: &mut Output<'_>) -> Result<ExitCode, Failure> {
    let choice = match (arguments.tags.is_empty(), arguments.paths.is_empty()) {
        (true, true) => Choice { paths: vec!["/**".to_owned()], ..Choice::default() },
        _ => Choice { tags: arguments.tags.clone(), paths: arguments.paths.clone(), ..Choice::default() },
    };
    let published = import::read(&arguments.from)?;
    let chosen = choice.of(&published.root)?;
    let draft = import::convert(&published, &chosen, "2000-01-01")?;
    let (missing, unfounded) = check(&published, &draft);
    for difference in &missing {
        writeln!(output.out, "missing at {}: {}", printable(&difference.at), printable(&difference.text))?;
    }
    for loss in &unfounded {
        writeln!(output.out, "false at {}: {}", printable(&loss.at), printable(&loss.text))?;
    }
    writeln!(
        output.out,
        "{} operations, {} schemas, {} losses: {} missing, {} false",
        draft.operations.len(),
        draft.schemas.len(),
        draft.losses.len(),
        missing.len(),
        unfounded.len()
    )?;
    Ok(if missing.is_empty() && unfounded.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the differences that no loss states, and the losses that state no difference.
fn check<'a>(published: &Published, draft: &'a Conversion) -> (Vec<Difference>, Vec<&'a Loss>) {
    let (differences, merged) = walk::differences(published, draft);
    let locations = differences.iter().map(|difference| {
        let mut all = locations(&difference.at, &merged);
        all.extend(locations(&difference.from, &merged));
        all
    });
    let locations = locations.collect::<Vec<_>>();
    let is_about = |loss: &Loss, locations: &BTreeSet<String>| locations.iter().any(|at| related(&loss.at, at));
    // What is stated of a body, an object in a form or an operation, such as that it is always sent, states nothing of the fields below.
    let is_stated = |loss: &Loss, locations: &BTreeSet<String>| {
        let is_general = matches!(loss.kind, Kind::Body | Kind::Other | Kind::Example | Kind::Evidence);
        is_about(loss, locations) && !(is_general && locations.iter().all(|at| at.len() > loss.at.len()))
    };
    let missing = differences.iter().zip(&locations).filter(|(difference, locations)| {
        difference.is_certain && !draft.losses.iter().any(|loss| is_stated(loss, locations))
    });
    let missing = missing.map(|(difference, _)| difference);
    let missing = missing.cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let unfounded = draft.losses.iter().filter(|loss| {
        let is_of_fields = matches!(
            loss.kind,
            Kind::Parameter | Kind::Header | Kind::Field | Kind::Enum | Kind::Untyped | Kind::Union
        );
        is_of_fields && !locations.iter().any(|locations| is_about(loss, locations))
    });
    (missing, unfounded.collect())
}

/// Returns a location with those that are the same field of the draft, or below it.
fn locations(at: &str, merged: &BTreeSet<Vec<String>>) -> BTreeSet<String> {
    let mut found = BTreeSet::from([at.to_owned()]);
    let mut todo = vec![at.to_owned()];
    // Alternatives may be within alternatives, and may contain themselves.
    while let Some(at) = todo.pop().filter(|_| found.len() < MAX_LOCATIONS) {
        for group in merged {
            for rest in group.iter().filter_map(|location| at.strip_prefix(location.as_str())) {
                if rest.is_empty() || rest.starts_with('/') {
                    let others = group.iter().map(|location| format!("{location}{rest}"));
                    todo.extend(others.filter(|location| found.insert(location.clone())).collect::<Vec<_>>());
                }
            }
        }
    }
    found
}

const MAX_LOCATIONS: usize = 200;

/// Returns whether one of two pointers is at the other or below it.
fn related(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
