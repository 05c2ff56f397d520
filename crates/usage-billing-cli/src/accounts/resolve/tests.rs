use std::collections::HashMap;
use std::path::Path;

use super::*;

const FILE: &str = r#"
[profiles.default.genesys]
region = "eu-central-1"
client_id = "file-id"
client_secret_file = "s"

[profiles.two.emea]
vendor = "genesys"
region = "eu-central-1"
client_id = "emea-id"
client_secret_file = "s"

[profiles.two.us]
vendor = "genesys"
region = "us-east-1"
client_secret_file = "s"

[profiles.two.suger]
org_id = "o"
api_key_file = "k"
"#;

fn file() -> ConfigFile {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, FILE).unwrap();
    ConfigFile::read(Path::new(&path)).unwrap().unwrap()
}

/// Returns the accounts as `name: key=value …` with variables for secrets.
fn resolved(choice: &Choice<'_>, wanted: &[Vendor], environment: &[(&str, &str)]) -> Result<Vec<String>, String> {
    let environment: HashMap<_, _> = environment.iter().copied().collect();
    let lookup = |name: &str| Ok(environment.get(name).map(|value| (*value).to_owned()));
    let accounts = resolve(choice, Some(&file()), wanted, &lookup).map_err(|failure| failure.to_string())?;
    let line = |account: &Account| {
        let settings = account.settings.iter().map(|(key, setting)| match &setting.value {
            Value::Text(text) => format!("{key}={text}"),
            Value::SecretInEnvironment(variable) => format!("{key}=${variable}"),
            _ => format!("{key}=…"),
        });
        format!("{}: {}", account.name, settings.collect::<Vec<_>>().join(" "))
    };
    Ok(accounts.iter().map(line).collect())
}

#[test]
fn settings_prefer_flag_then_environment_then_file() {
    let environment = [("GENESYS_CLIENT_ID", "env-id"), ("GENESYS_CLIENT_SECRET", "hush")];
    let none = Choice::default();
    assert_eq!(
        resolved(&none, &[], &environment).unwrap(),
        ["genesys: client_id=env-id client_secret=$GENESYS_CLIENT_SECRET region=eu-central-1"]
    );
    let flag = Choice { profile: Some("default"), ..Choice::default() };
    assert_eq!(
        resolved(&flag, &[], &environment).unwrap(),
        ["genesys: client_id=file-id client_secret=… region=eu-central-1"]
    );
    // The file lacks the id of this account.
    let us = ["us".to_owned()];
    let flag = Choice { profile: Some("two"), accounts: &us, ..Choice::default() };
    assert_eq!(resolved(&flag, &[], &environment).unwrap(), ["us: client_id=env-id client_secret=… region=us-east-1"]);
}

#[test]
fn variables_of_vendor_tools_are_used_unless_contradictory() {
    let own = [
        ("GENESYSCLOUD_REGION", "us-west-2"),
        ("GENESYSCLOUD_OAUTHCLIENT_ID", "id"),
        ("GENESYSCLOUD_OAUTHCLIENT_SECRET", "hush"),
    ];
    assert_eq!(
        resolved(&Choice::default(), &[], &own).unwrap(),
        ["genesys: client_id=id client_secret=$GENESYSCLOUD_OAUTHCLIENT_SECRET region=us-west-2"]
    );
    let both = [("GENESYS_CLIENT_SECRET", "hush"), ("GENESYSCLOUD_OAUTHCLIENT_SECRET", "hush2")];
    let line = resolved(&Choice::default(), &[], &both).unwrap_err();
    assert_eq!(line, "GENESYS_CLIENT_SECRET and GENESYSCLOUD_OAUTHCLIENT_SECRET in the environment differ: unset one");
    let same = [("GENESYS_REGION", "eu"), ("GENESYSCLOUD_REGION", "eu")];
    assert!(resolved(&Choice::default(), &[], &same).unwrap()[0].contains("region=eu"));
}

#[test]
fn profile_prefers_flag_then_environment_then_file() {
    let names = |choice: &Choice<'_>| {
        let accounts = resolved(choice, &[], &[]).unwrap();
        accounts.iter().map(|line| line.split(':').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&Choice::default()), ["genesys"]);
    let environment = Choice { environment_profile: Some("two"), ..Choice::default() };
    assert_eq!(names(&environment), ["emea", "us", "suger"]);
    assert_eq!(names(&Choice { profile: Some("default"), ..environment }), ["genesys"]);
    let suger = Choice { environment_profile: Some("two"), ..Choice::default() };
    assert_eq!(resolved(&suger, &[Vendor::Suger], &[]).unwrap(), ["suger: api_key=… org_id=o"]);
}

#[test]
fn ambiguous_and_unknown_choices_are_one_line() {
    let two = || Choice { environment_profile: Some("two"), ..Choice::default() };
    let (unknown, similar) = (["stranger".to_owned()], ["emae".to_owned()]);
    for (choice, environment, expected) in [
        (
            two(),
            &[("GENESYS_CLIENT_ID", "id")][..],
            "the environment: GENESYS_CLIENT_ID is of one account, but the profile has several of genesys (emea, us): choose one with --account",
        ),
        (Choice { profile: Some("tw"), ..two() }, &[], "--profile: unknown profile `tw`: did you mean `two`?"),
        (
            Choice { environment_profile: Some("x\n"), ..two() },
            &[],
            r"USAGE_BILLING_PROFILE: unknown profile `x\n`: expected one of default, two",
        ),
        (Choice { accounts: &unknown, ..two() }, &[], "unknown account `stranger`: expected one of emea, us, suger"),
        (Choice { accounts: &similar, ..two() }, &[], "unknown account `emae`: did you mean `emea`?"),
    ] {
        let line = resolved(&choice, &[], environment).unwrap_err();
        assert!(line.starts_with(expected), "{line}");
    }
    let absent = resolve(&Choice { profile: Some("x"), ..Choice::default() }, None, &[], &|_| Ok(None)).unwrap_err();
    assert!(absent.to_string().starts_with("--profile: unknown profile `x`: there is no "), "{absent}");
}
