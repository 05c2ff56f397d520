//! Wrong input: each is reported on one line that states what is wrong, where, and what to do.

use std::collections::BTreeMap;
use std::fs;

use serde::Deserialize;

use super::support::{file, program, run};

/// The settings of an account.
const SUGER: [(&str, &str); 3] =
    [("SUGER_ORG_ID", "o"), ("SUGER_API_KEY", "hush-key"), ("SUGER_BASE_URL", "http://127.0.0.1:1")];

/// A line of `wrong_input.jsonl`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    run: String,
    /// The vendor of which there is an account: `suger`.
    account: Option<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default = "usual_code")]
    code: i32,
    error: String,
}

fn usual_code() -> i32 {
    2
}

/// Writes the files that the cases name.
fn write_files(folder: &tempfile::TempDir) {
    let genesys =
        |line: &str| format!("[profiles.default.genesys]\nregion = \"eu-central-1\"\nclient_id = \"id\"\n{line}\n");
    let suger = |name: &str, secret: &str| {
        let command = format!("api_key_command = [\"printf\", {secret:?}]");
        format!("[profiles.default.{name}]\nvendor = \"suger\"\norg_id = \"o\"\n{command}\n")
    };
    file(folder, "unknown.toml", &genesys("clientsecret_file = \"x\""));
    file(folder, "inline.toml", &genesys("client_secret = \"hush\""));
    file(folder, "lacking.toml", &genesys(""));
    file(folder, "absent.toml", &genesys("client_secret_file = \"nowhere\""));
    file(folder, "no.toml", "[profiles\n");
    let secret = file(folder, "s", "hush");
    #[cfg(unix)]
    super::support::set_mode(&secret, 0o600);
    let _ = secret;
    file(folder, "region.toml", &genesys("client_secret_file = \"s\"").replace("eu-central-1", "mars"));
    file(folder, "several.toml", &(suger("a", "hush") + &suger("b", "hush")));
    file(folder, "quoted.toml", &suger("suger", "\"hush\"").replace("vendor = \"suger\"\n", ""));
    let header = "entitlement_id,timestamp,dimension,quantity\n";
    file(folder, "events.csv", &format!("{header}e,2026-10-01T07:00:00Z,gb,1\n"));
    file(folder, "empty.csv", header);
    file(folder, "body.json", "{");
    fs::write(folder.path().join("events.csv.gz"), b"\x1f\x8b\x08").unwrap();
    let latin1 = [header.as_bytes(), b"e\xe9,2026-10-01T07:00:00Z,gb,1\n"].concat();
    fs::write(folder.path().join("latin1.csv"), latin1).unwrap();
}

#[test]
fn wrong_input_is_reported_on_one_line() {
    let folder = tempfile::tempdir().unwrap();
    write_files(&folder);
    let cases: Vec<Case> =
        include_str!("wrong_input.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(cases.len(), 62);
    for Case { run: line, account, env, code, error } in cases {
        let arguments: Vec<_> = line.split(' ').collect();
        let mut command = program(&arguments);
        assert!(matches!(account.as_deref(), None | Some("suger")), "{line}: {account:?}");
        command.current_dir(&folder).envs(account.map_or_else(Vec::new, |_| SUGER.to_vec())).envs(env);
        let (found, stdout, stderr) = run(&mut command);
        assert_eq!((found, stdout.as_str()), (Some(code), ""), "{line}: {stderr}");
        let is_one_line = stderr.starts_with("error: ") && stderr.lines().count() == 1;
        assert!(is_one_line && stderr.contains(&error), "{line}: {stderr}");
        assert!(!stderr.contains("hush") && !stderr.contains("panicked"), "{line}: {stderr}");
    }
}

#[test]
fn control_characters_of_an_argument_are_escaped() {
    let (code, stdout, stderr) = run(&mut program(&["usage", "fetch", "--period", "2026-10\nerror: forged\u{1b}[2K"]));
    assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
    assert!(stderr.contains(r"error: argument 4 (`2026-10\nerror: forged\u{1b}[2K`) holds control"), "{stderr}");
    assert!(!stderr.contains('\u{1b}') && !stderr.contains("\nerror: forged"), "{stderr}");
}
