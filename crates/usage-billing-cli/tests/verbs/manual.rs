//! Completions, manual pages and names of verbs.

use super::support::{TODAY, program, run};

#[test]
fn completions_and_manual_contain_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (code, stdout, stderr) = run(&mut program(&["completions", shell]));
        assert!(code == Some(0) && stdout.contains("reconcile"), "{shell}: {stderr}");
    }
    let (code, stdout, stderr) = run(&mut program(&["man"]));
    assert_eq!(code, Some(0), "{stderr}");
    for verb in ["fetch", "send", "validate", "status", "retry", "reconcile", "check", "doctor", "vendors", "api"] {
        assert!(stdout.contains(&format!("{verb} 1 ")) || stdout.contains(&format!("{verb}\\fR")), "{verb}");
    }
}

#[test]
fn unknown_verb_suggests_the_right_one() {
    for (verb, expected) in [("metre", "meter"), ("vendor", "vendors"), ("docter", "doctor"), ("usages", "usage")] {
        let (code, _, stderr) = run(&mut program(&[verb]));
        assert!(code == Some(2) && stderr.contains(&format!("'{expected}'")), "{verb}: {stderr}");
    }
    for (verb, expected) in [("send", "`meter send`?"), ("reconcile", "`usage reconcile` or `meter reconcile`?")] {
        let (code, _, stderr) = run(&mut program(&[verb]));
        assert!(code == Some(2) && stderr.contains(&format!("did you mean {expected}")), "{verb}: {stderr}");
    }
    let (code, _, stderr) = run(&mut program(&["meter", "reconsile"]));
    assert!(code == Some(2) && stderr.contains("'reconcile'"), "{stderr}");
}

#[test]
fn fetch_is_an_alias_of_usage_fetch() {
    let arguments = ["fetch", "suger", "--sandbox", "--today", TODAY, "--format", "csv"];
    let (code, alias, stderr) = run(&mut program(&arguments));
    assert_eq!(code, Some(0), "{stderr}");
    let (_, whole, _) = run(program(&["usage"]).args(arguments));
    assert_eq!(alias, whole);
}
