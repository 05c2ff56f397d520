//! The workflows and the action: what runs is pinned, may do little, and ends.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

const ACTION: &str = "actions/spec-diff/action.yml";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.github")
}

fn read(name: &str) -> Value {
    let options = serde_saphyr::options! { strict_booleans: true };
    let text = fs::read_to_string(folder().join(name)).expect("it is text");
    serde_saphyr::from_str_with_options(&text, options).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn workflows() -> Vec<(String, Value)> {
    let entries = fs::read_dir(folder().join("workflows")).expect("the workflows");
    let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    // `dist` generates it, and rejects another one.
    names.filter(|name| name != "release.yml").map(|name| (name.clone(), read(&format!("workflows/{name}")))).collect()
}

/// All jobs, and the action as one more.
fn jobs_and_action() -> Vec<(String, Map<String, Value>)> {
    let action = read(ACTION)["runs"].as_object().expect("steps").clone();
    jobs().into_iter().chain([(ACTION.to_owned(), action)]).collect()
}

/// All jobs with a name for messages.
fn jobs() -> Vec<(String, Map<String, Value>)> {
    let all = workflows().into_iter().flat_map(|(file, workflow)| {
        let jobs = workflow["jobs"].as_object().cloned().unwrap_or_default();
        jobs.into_iter().map(move |(name, job)| (format!("{file}: {name}"), job.as_object().expect("a job").clone()))
    });
    let all = all.collect::<Vec<_>>();
    assert!(all.len() > 5, "the jobs are found");
    all
}

fn steps(job: &Map<String, Value>) -> &[Value] {
    job["steps"].as_array().expect("steps")
}

#[test]
fn actions_are_pinned_by_commit_with_their_version() {
    for (name, job) in jobs_and_action() {
        for action in steps(&job).iter().filter_map(|step| step["uses"].as_str()) {
            let commit = action.split_once('@').map_or("", |(_, commit)| commit);
            let hex = commit.chars().all(|digit| digit.is_ascii_digit() || ('a'..='f').contains(&digit));
            assert!(commit.len() == 40 && hex, "{name}: {action} is not pinned by a commit");
        }
    }
    let files = workflows().into_iter().map(|(file, _)| format!("workflows/{file}")).chain([ACTION.to_owned()]);
    for file in files {
        let text = fs::read_to_string(folder().join(&file)).expect("it is text");
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        for line in lines.filter(|line| line.contains("uses: ")) {
            assert!(line.contains(" # "), "{file}: no version beside {line}");
        }
    }
}

#[test]
fn generated_release_pins_actions_by_commit() {
    let text = fs::read_to_string(folder().join("workflows/release.yml")).expect("it is text");
    let used = text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "));
    let commits = used.filter_map(|action| action.split_once('@')).map(|(_, commit)| commit).collect::<Vec<_>>();
    assert!(commits.len() > 10 && commits.iter().all(|commit| commit.len() == 40), "{commits:?}");
}

#[test]
fn one_commit_of_an_action_is_used_everywhere() {
    let mut pins = std::collections::BTreeMap::<String, String>::new();
    for (name, job) in jobs_and_action() {
        for action in steps(&job).iter().filter_map(|step| step["uses"].as_str()) {
            let (action, commit) = action.split_once('@').expect("a pinned action");
            let first = pins.entry(action.to_owned()).or_insert_with(|| commit.to_owned());
            assert_eq!(first, commit, "{name}: {action}");
        }
    }
}

#[test]
fn every_job_ends_and_has_permissions_of_its_own() {
    for (file, workflow) in workflows() {
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{file}: nothing is permitted unless a job says so");
    }
    // Called by the release workflow alone, never for a pull request.
    let parts = workflows().into_iter().filter(|(_, workflow)| {
        workflow["on"].as_object().is_some_and(|on| on.keys().all(|trigger| trigger == "workflow_call"))
    });
    let release_jobs = parts.flat_map(|(file, workflow)| {
        let names = workflow["jobs"].as_object().expect("jobs").keys().map(|name| format!("{file}: {name}"));
        names.collect::<Vec<_>>()
    });
    let release_jobs = release_jobs.collect::<std::collections::BTreeSet<_>>();
    for (name, job) in jobs() {
        let minutes = job.get("timeout-minutes").and_then(Value::as_u64).unwrap_or_default();
        assert!((1..=90).contains(&minutes), "{name}: timeout-minutes");
        let permissions =
            job.get("permissions").and_then(Value::as_object).unwrap_or_else(|| panic!("{name}: permissions"));
        let writes = permissions.iter().filter(|(_, level)| *level == "write").map(|(scope, _)| scope.as_str());
        let writes = writes.collect::<Vec<_>>();
        // The parts of a release run for a tag, and publish with tokens of that run.
        let publishes = release_jobs.contains(&name);
        let allowed: &[&str] =
            if publishes { &["attestations", "id-token", "packages"] } else { &["pull-requests", "issues"] };
        assert!(writes.iter().all(|scope| allowed.contains(scope)), "{name}: {writes:?}");
        // What may write runs nothing that a pull request brought along.
        if !writes.is_empty() && !publishes {
            let runs = steps(&job).iter().filter_map(|step| step["run"].as_str()).collect::<Vec<_>>().concat();
            let checkout =
                steps(&job).iter().any(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("checkout")));
            assert!(!runs.contains("cargo") && !checkout, "{name} writes and runs the repository's code");
        }
    }
}

#[test]
fn checkouts_leave_no_credentials_behind() {
    for (name, job) in jobs() {
        for step in steps(&job)
            .iter()
            .filter(|step| step["uses"].as_str().is_some_and(|uses| uses.contains("actions/checkout@")))
        {
            assert_eq!(step["with"]["persist-credentials"], false, "{name}");
        }
    }
}

/// An expression in a script is pasted into it before the shell reads it: a branch named `$(…)` would run.
#[test]
fn no_script_has_an_expression_in_it() {
    for (name, job) in jobs_and_action() {
        for script in steps(&job).iter().filter_map(|step| step["run"].as_str()) {
            assert!(!script.contains("${{"), "{name}: {script}");
            for line in script.lines().filter(|line| line.contains("curl ")) {
                for limit in ["--max-filesize", "--max-time", "--proto =https", "--proto-redir =https"] {
                    assert!(line.contains(limit), "{name}: no {limit} in {line}");
                }
                assert!(script.contains("ulimit -f"), "{name}: a length that the server does not say is unlimited");
            }
        }
    }
}

#[test]
fn the_base_of_a_pull_request_is_the_merge_commits_first_parent() {
    let (_, workflow) = workflows().into_iter().find(|(file, _)| file == "spec-diff.yml").expect("the workflow");
    let text = workflow.to_string();
    assert!(text.contains("HEAD^1") && !text.contains("base.sha"), "{text}");
}
