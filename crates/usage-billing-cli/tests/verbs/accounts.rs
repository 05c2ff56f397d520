//! Accounts of the configuration file.

use super::support::{RunningSandbox, TODAY, exits, file, ok, program, run};

/// A configuration with the accounts of a sandbox.
fn configuration(sandbox: &RunningSandbox, folder: &tempfile::TempDir) -> String {
    let secret = file(folder, "genesys.secret", &format!("{}\n", sandbox.setting("GENESYS_CLIENT_SECRET")));
    #[cfg(unix)]
    super::support::set_mode(&secret, 0o600);
    let _ = secret;
    let text = format!(
        r#"
[profiles.default.genesys]
region = "{region}"
client_id = "{client_id}"
client_secret_file = "genesys.secret"

[profiles.default.suger]
org_id = "{org_id}"
api_key_command = ["printf", "{key}\\n"]
base_url = "{region}"

[profiles.broken.suger]
org_id = "{org_id}"
api_key_command = ["false", "hush"]
base_url = "{region}"
"#,
        region = sandbox.setting("GENESYS_REGION"),
        client_id = sandbox.setting("GENESYS_CLIENT_ID"),
        org_id = sandbox.setting("SUGER_ORG_ID"),
        key = sandbox.setting("SUGER_API_KEY"),
    );
    file(folder, "config.toml", &text)
}

#[cfg(unix)]
#[test]
fn config_file_accounts_use_secrets_of_files_and_commands() {
    let sandbox = RunningSandbox::start(&[]);
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(&sandbox, &folder);
    let fetch = ["usage", "fetch", "--today", TODAY, "--period", "2026-10", "--config", &config];
    let (stdout, stderr) = ok(run(&mut program(&fetch)));
    for vendor in ["genesys", "suger"] {
        assert!(stdout.contains(&format!(r#""vendor":"{vendor}""#)), "{stdout}");
    }
    assert!(!stderr.contains("acronis"), "{stderr}");

    // Through the environment, and with a secret that others can read.
    super::support::set_mode(folder.path().join("genesys.secret"), 0o644);
    let mut command = program(&["usage", "fetch", "genesys", "--today", TODAY]);
    let (_, stderr) = exits(run(command.env("USAGE_BILLING_CONFIG", &config)), 2);
    let expected = "config.toml:5: client_secret (`";
    assert!(
        stderr.contains(expected) && stderr.contains("can be read or changed by other users (mode 644)"),
        "{stderr}"
    );

    // The platform's folder.
    let home = folder.path().join("home");
    std::fs::create_dir_all(home.join("usage-billing")).unwrap();
    std::fs::rename(&config, home.join("usage-billing/config.toml")).unwrap();
    let mut command = program(&["usage", "fetch", "suger", "--today", TODAY, "--profile", "broken"]);
    let (_, stderr) = exits(run(command.env("XDG_CONFIG_HOME", &home)), 2);
    assert!(stderr.contains("config.toml:14: api_key_command (`false`) failed: exit status: 1"), "{stderr}");
    assert!(!stderr.contains("hush"), "{stderr}");
}

#[test]
fn vendors_own_variables_are_used() {
    let sandbox = RunningSandbox::start(&[]);
    let mut command = program(&["usage", "fetch", "--today", TODAY, "--period", "2026-10"]);
    command
        .env("GENESYSCLOUD_REGION", sandbox.setting("GENESYS_REGION"))
        .env("GENESYSCLOUD_OAUTHCLIENT_ID", sandbox.setting("GENESYS_CLIENT_ID"))
        .env("GENESYSCLOUD_OAUTHCLIENT_SECRET", sandbox.setting("GENESYS_CLIENT_SECRET"));
    let (stdout, _) = ok(run(&mut command));
    assert!(stdout.contains(r#""vendor":"genesys""#), "{stdout}");
}
