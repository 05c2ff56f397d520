//! Completions, manual pages and names of verbs.

use super::support::{TODAY, file, ok, program, run, states};

#[test]
fn completions_and_manual_contain_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, stdout, stderr) = run(&mut program(&["completions", shell]));
        assert!(code == Some(0) && stdout.contains("reconcile"), "{shell}: {stderr}");
    }
    let (stdout, _) = ok(run(&mut program(&["man"])));
    for verb in ["fetch", "send", "validate", "status", "retry", "reconcile", "check", "doctor", "vendors", "api"] {
        assert!(stdout.contains(&format!("{verb} 1 ")) || stdout.contains(&format!("{verb}\\fR")), "{verb}");
    }
}

#[test]
fn unknown_verb_suggests_the_right_one() {
    for (verb, expected) in [("metre", "meter"), ("vendor", "vendors"), ("docter", "doctor"), ("usages", "usage")] {
        states(run(&mut program(&[verb])), 2, &format!("'{expected}'"));
    }
    for (verb, expected) in [("send", "`meter send`?"), ("reconcile", "`usage reconcile` or `meter reconcile`?")] {
        states(run(&mut program(&[verb])), 2, &format!("did you mean {expected}"));
    }
    states(run(&mut program(&["meter", "reconsile"])), 2, "'reconcile'");
}

#[test]
fn fetch_is_an_alias_of_usage_fetch() {
    let arguments = ["fetch", "suger", "--sandbox", "--today", TODAY, "--format", "csv"];
    let (alias, _) = ok(run(&mut program(&arguments)));
    let (_, whole, _) = run(program(&["usage"]).args(arguments));
    assert_eq!(alias, whole);
}

#[test]
fn verbs_without_requests_accept_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let row = file(&folder, "events.csv", "entitlement_id,timestamp,dimension,quantity\ne,2026-10-01T07:00:00Z,gb,1\n");
    let verbs: [&[&str]; 5] = [
        &["vendors"],
        &["schema", "--format", "duckdb"],
        &["completions", "bash"],
        &["man"],
        &["meter", "validate", &row, "--today", TODAY],
    ];
    for verb in verbs {
        let (code, stdout, _) = run(&mut program(verb));
        for command in [[verb, &["--sandbox"]].concat(), [&["--sandbox"], verb].concat()] {
            assert_eq!(run(&mut program(&command)).1, stdout, "{command:?} exits with {code:?}");
        }
    }
    // Verbs that do, in either place.
    let [before, after] = [["--sandbox", "clients", "list", "acronis"], ["clients", "list", "acronis", "--sandbox"]]
        .map(|command| run(program(&command).args(["--today", TODAY])).1);
    assert!(before == after && before.contains("customer"), "{before}");
}
