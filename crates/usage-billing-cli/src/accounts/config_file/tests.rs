use super::*;

fn parse(text: &str) -> Result<ConfigFile, Failure> {
    ConfigFile::parse(Path::new("/etc/x/config.toml"), text)
}

const VALID: &str = r#"
profile = "prod"

[profiles.prod.genesys]
region = "eu-central-1"
client_id = "id"
client_secret_file = "genesys.secret"

[profiles.prod.second]
vendor = "genesys"
region = "us-east-1"
client_id = "other"
client_secret_command = ["op", "read", "op://v/i"]

[profiles.test.suger]
org_id = "o"
api_key_file = "/run/secrets/key"
base_url = "http://127.0.0.1:8080"
"#;

#[test]
fn accounts_of_profiles_are_read_with_their_lines() {
    let file = parse(VALID).unwrap();
    assert_eq!(file.default_profile.as_ref().map(|(name, at)| (&**name, at.line)), Some(("prod", 2)));
    let prod = &file.profiles["prod"];
    assert_eq!(prod.iter().map(|account| &*account.name).collect::<Vec<_>>(), ["genesys", "second"]);
    let secret = |account: &Account| account.settings["client_secret"].clone();
    assert_eq!(secret(&prod[0]).value, Value::SecretInFile("/etc/x/genesys.secret".into()));
    assert_eq!(secret(&prod[0]).source.to_string(), "/etc/x/config.toml:7");
    assert_eq!(secret(&prod[1]).value, Value::SecretOfCommand(["op", "read", "op://v/i"].map(str::to_owned).to_vec()));
    assert_eq!(prod[1].location.as_ref().unwrap().line, 9);
    let suger = &file.profiles["test"][0];
    assert_eq!(suger.settings["api_key"].value, Value::SecretInFile("/run/secrets/key".into()));
    assert_eq!(suger.text("base_url"), Some("http://127.0.0.1:8080"));
}

#[test]
fn wrong_setting_is_one_line_with_file_and_line() {
    let of_account = |line: &str| format!("[profiles.default.genesys]\nregion = \"eu\"\n{line}\n");
    for (text, expected) in [
        ("\nprofile = ".to_owned(), ":2: invalid TOML: "),
        ("x = 1".to_owned(), ":1: unknown key `x`: expected one of profile, profiles"),
        ("profils = 1".to_owned(), ":1: unknown key `profils`: did you mean `profiles`?"),
        ("profile = 7".to_owned(), ":1: `profile` is not a string but of the type integer"),
        ("profile = \" \"".to_owned(), ":1: `profile` is empty"),
        ("[profiles]\na = 7".to_owned(), ":2: `a` is not a table but of the type integer"),
        (
            "[profiles.a.b]\nregion = \"x\"".to_owned(),
            ":1: the account `b` has no vendor: add vendor = \"…\" (acronis, genesys, suger)",
        ),
        ("[profiles.a.b]\nvendor = \"genesis\"".to_owned(), ":2: unknown vendor `genesis`: did you mean `genesys`?"),
        (
            of_account("clientid = \"x\""),
            ":3: unknown setting `clientid` of a genesys account: did you mean `client_id`?",
        ),
        (of_account("org_id = \"x\""), ":3: unknown setting `org_id` of a genesys account: "),
        (
            of_account("client_secret = \"hush\""),
            ":3: client_secret does not belong in this file: name a file with client_secret_file",
        ),
        (
            of_account("client_secret_command = \"op read\""),
            ":3: `client_secret_command` is not a command: expected an array",
        ),
        (of_account("client_secret_command = []"), ":3: `client_secret_command` is not a command"),
        (of_account("client_secret_command = [\"a\", 7]"), ":3: `client_secret_command` is not a command"),
        (
            of_account("client_secret_file = \"a\"\nclient_secret_command = [\"b\"]"),
            "client_secret has several sources: keep one of client_secret_file, client_secret_command, client_secret_keyring",
        ),
        (of_account("client_id = true"), ":3: `client_id` is not a string but of the type boolean"),
        (of_account("client_id = \"a\"\nclient_id = \"b\""), ":4: invalid TOML: duplicate key"),
        ("\"a\\n\\u001b\" = 1".to_owned(), r":1: unknown key `a\n\u{1b}`: "),
    ] {
        let line = parse(&text).unwrap_err().to_string();
        assert!(line.starts_with("/etc/x/config.toml:") && line.contains(expected), "{text}: {line}");
        assert!(!line.contains('\n') && !line.contains("hush"), "{line}");
    }
}

#[test]
fn unreadable_file_is_one_line_and_an_absent_one_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    assert!(ConfigFile::read(&folder.path().join("absent")).unwrap().is_none());
    let path = folder.path().join("config.toml");
    for (content, expected) in [(&b"\xff"[..], " is not UTF-8"), (&[b'#'; (1 << 20) + 1], " is larger than 1 MiB")] {
        std::fs::write(&path, content).unwrap();
        let line = ConfigFile::read(&path).unwrap_err().to_string();
        assert!(line.starts_with("the configuration /") && line.ends_with(expected), "{line}");
    }
    assert!(ConfigFile::read(folder.path()).unwrap_err().to_string().contains("is not a regular file"));
}

proptest::proptest! {
    /// A text of pieces of a configuration, which is parsed or rejected with the line of the problem. The fuzz target of the same name has any bytes.
    #[test]
    fn any_problem_is_one_line_that_begins_with_its_place(pieces in proptest::collection::vec(0..VALID.len(), 0..12)) {
        let starts = |at: &usize| (0..=*at).rev().find(|at| VALID.is_char_boundary(*at)).unwrap_or(0);
        let text: String = pieces.chunks(2).map(|piece| {
            let (one, other) = (starts(&piece[0]), starts(piece.last().unwrap()));
            &VALID[one.min(other)..one.max(other)]
        }).collect();
        if let Err(problem) = crate::check_configuration(&text) {
            let line = problem.strip_prefix("config.toml:").and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
            proptest::prop_assert!(line.is_some_and(|line| (1..=text.lines().count() + 1).contains(&line)), "{problem}");
            proptest::prop_assert!(!problem.contains(char::is_control), "{problem:?}");
        }
    }
}
