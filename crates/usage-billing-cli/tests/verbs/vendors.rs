//! What is configured.

use serde_json::Value;

use super::support::{file, ok, program, run};

#[test]
fn settings_are_listed_with_their_sources_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[profiles.default.genesys]\nregion = \"eu-central-1\"\nclient_id = \"id\"\nclient_secret_command = [\"op\", \"hush\"]\n\n\
                [profiles.default.suger]\napi_key_file = \"key\"\n";
    let config = file(&folder, "config.toml", text);
    file(&folder, "key", "hush");
    let (stdout, _) = ok(run(program(&["vendors", "--config", &config])
        .env("GENESYS_CLIENT_ID", "other")
        .env("ACRONIS_CLIENT_SECRET", "hush")));
    assert!(!stdout.contains("hush"), "{stdout}");
    let lines: Vec<Value> = serde_json::from_str(&stdout).unwrap();
    let find = |vendor: &str, setting: &str| {
        let line = lines.iter().find(|one| one["vendor"] == vendor && one["setting"] == setting).unwrap();
        (line["value"].as_str(), line["source"].as_str())
    };
    assert_eq!(find("genesys", "client_id"), (Some("other"), Some("environment: GENESYS_CLIENT_ID")));
    assert_eq!(find("genesys", "region"), (Some("eu-central-1"), Some(&*format!("{config}:2"))));
    assert_eq!(find("genesys", "client_secret").0, Some("(secret of the command op)"));
    assert_eq!(find("acronis", "client_secret").0, Some("(secret)"));
    assert_eq!(find("suger", "org_id"), (None, None));
    assert!(find("suger", "api_key").0.unwrap().ends_with("/key)"));
    let (code, _, stderr) = run(&mut program(&["vendors"]));
    assert!(code == Some(0) && stderr.starts_with("no account is configured: "), "{stderr}");
}

#[test]
fn secret_in_the_place_of_another_setting_is_not_shown() {
    for (variable, value) in [
        ("SUGER_BASE_URL", "http://u:hush-password@127.0.0.1"),
        ("SUGER_ORG_ID", "hush-key"),
        ("GENESYS_REGION", "hush-key"),
        ("ACRONIS_CLIENT_ID", "hush-key"),
        ("GENESYS_CLIENT_SECRET_FILE", "hush-key"),
    ] {
        let environment =
            [("SUGER_API_KEY", "hush-key"), ("SUGER_ORG_ID", "o"), ("GENESYS_CLIENT_SECRET_FILE", "/absent")];
        let (code, stdout, stderr) = run(program(&["vendors"]).envs(environment).env(variable, value));
        assert!(code == Some(0) && !(stdout + &stderr).contains("hush"), "{variable}");
    }
    let all = [("SUGER_API_KEY", "hush-key"), ("SUGER_ORG_ID", "o"), ("SUGER_BASE_URL", "http://127.0.0.1:1")];
    let genesys = [("GENESYS_REGION", "hush-key"), ("GENESYS_CLIENT_ID", "c"), ("GENESYS_CLIENT_SECRET", "hush-key")];
    for (vendor, variable, value, expected) in [
        ("suger", "SUGER_ORG_ID", "hush-key", "error: org_id and api_key are the same"),
        ("genesys", "GENESYS_REGION", "hush-key", "error: region and client_secret are the same"),
        ("suger", "SUGER_API_KEY_FILE", "hush-file", "error: SUGER_API_KEY_FILE names no file: "),
    ] {
        let mut command = program(&["doctor", vendor]);
        command.envs(all).envs(genesys);
        if variable.ends_with("_FILE") {
            command.env_remove("SUGER_API_KEY");
        }
        let (code, stdout, stderr) = run(command.env(variable, value));
        assert!(code == Some(2) && stderr.starts_with(expected), "{stderr}");
        assert!(!(stdout + &stderr).contains("hush"), "{stderr}");
    }
}
