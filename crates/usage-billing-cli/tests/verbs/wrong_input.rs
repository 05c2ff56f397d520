//! Wrong input: each is reported on one line that says what is wrong, where, and what to do.

use super::support::{file, program, run};

const SUGER: &[(&str, &str)] =
    &[("SUGER_ORG_ID", "o"), ("SUGER_API_KEY", "hush-key"), ("SUGER_BASE_URL", "http://127.0.0.1:1")];

#[test]
fn wrong_input_is_reported_on_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = |name: &str, text: &str| file(&folder, name, text);
    let genesys =
        |line: &str| format!("[profiles.default.genesys]\nregion = \"eu-central-1\"\nclient_id = \"id\"\n{line}\n");
    let unknown_key = config("unknown.toml", &genesys("clientsecret_file = \"x\""));
    let inline = config("inline.toml", &genesys("client_secret = \"hush\""));
    let lacking = config("lacking.toml", &genesys(""));
    let absent_file = config("absent.toml", &genesys("client_secret_file = \"nowhere\""));
    let no_toml = config("no.toml", "[profiles\n");
    let secret = file(&folder, "s", "hush");
    #[cfg(unix)]
    super::support::set_mode(&secret, 0o600);
    let _ = secret;
    let region = config("region.toml", &genesys("client_secret_file = \"s\"").replace("eu-central-1", "mars"));
    let several = config(
        "several.toml",
        "[profiles.default.a]\nvendor = \"suger\"\norg_id = \"o\"\napi_key_command = [\"printf\", \"hush\"]\n\
         [profiles.default.b]\nvendor = \"suger\"\norg_id = \"o\"\napi_key_command = [\"printf\", \"hush\"]\n",
    );
    let quoted = config(
        "quoted.toml",
        "[profiles.default.suger]\norg_id = \"o\"\napi_key_command = [\"printf\", \"\\\"hush\\\"\"]\n",
    );
    let header = "entitlement_id,timestamp,dimension,quantity\n";
    let events = file(&folder, "events.csv", &format!("{header}e,2026-10-01T07:00:00Z,gb,1\n"));
    let empty = file(&folder, "empty.csv", header);
    let gzip = folder.path().join("events.csv.gz");
    std::fs::write(&gzip, b"\x1f\x8b\x08").unwrap();
    let latin1 = folder.path().join("latin1.csv");
    std::fs::write(&latin1, [header.as_bytes(), b"e\xe9,2026-10-01T07:00:00Z,gb,1\n"].concat()).unwrap();
    let bad_json = file(&folder, "body.json", "{");
    let (gzip, latin1) = (gzip.to_str().unwrap(), latin1.to_str().unwrap());

    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a str);
    let outbox = folder.path().join("new.sqlite");
    let outbox = outbox.to_str().unwrap();
    let cases: [Case; 46] = [
        (
            &["meter", "send", &events, "--yes"],
            &[],
            2,
            "no account of suger is configured: use --sandbox, a configuration file, or",
        ),
        (&["meter", "send", "/absent.csv"], SUGER, 2, "/absent.csv cannot be read: No such file"),
        (&["meter", "validate", &empty], &[], 6, "empty.csv has no events"),
        (&["meter", "validate", gzip], &[], 2, "events.csv.gz is compressed: decompress it first"),
        (&["meter", "validate", latin1], &[], 2, "latin1.csv is not UTF-8 in line 2: save it as UTF-8"),
        (
            &["meter", "send", &events],
            SUGER,
            2,
            "nothing was done: use --yes to send 1 event to Suger (organization o), or --dry-run",
        ),
        (&["meter", "reconcile", &events, "--period", "9999-01"], SUGER, 2, "9999-01 is in the future"),
        (
            &["meter", "reconcile", &events, "--period", "October"],
            SUGER,
            2,
            "invalid period \"October\": expected a month (2026-10)",
        ),
        (&["meter", "reconcile", &events], SUGER, 2, "required arguments were not provided"),
        (&["meter", "status", "--status", "done"], SUGER, 2, "expected CREATED, REPORTED, REPORT_PENDING"),
        (&["meter", "enqueue", &events], SUGER, 2, "there is no outbox: name one with --outbox, SUGER_OUTBOX, or"),
        (&["meter", "enqueue", &events, "--outbox", outbox], &[], 2, "set SUGER_ORG_ID, or `org_id` of an account"),
        (&["meter", "enqueue", &events, "--outbox", &events], SUGER, 1, "events.csv: file is not a database"),
        (
            &["meter", "enqueue", &events, "--outbox", "mysql://db/usage"],
            SUGER,
            2,
            "the unknown type mysql: expected a file",
        ),
        (
            &["meter", "enqueue", &events, "--outbox", "postgres://me:hush@db/usage"],
            SUGER,
            2,
            "--outbox contains a password",
        ),
        (
            &["meter", "status", "--outbox", outbox],
            SUGER,
            2,
            "new.sqlite` does not exist: `usage-billing meter enqueue` creates",
        ),
        (
            &["meter", "run", "--outbox", outbox, "--listen", "0.0.0.0:0"],
            SUGER,
            2,
            "use 127.0.0.1, or add --allow-remote",
        ),
        (&["meter", "run", "--outbox", outbox, "--keep", "13m"], SUGER, 2, "it is less than 35days"),
        (&["meter", "run", "--outbox", outbox, "--page"], SUGER, 2, "required arguments were not provided: --listen"),
        (&["meter", "retry", "x", "--outbox", outbox], SUGER, 2, "invalid value 'x' for '[KEY]...': "),
        (&["meter", "reconcile", &events, "--outbox", "--period", "2026-10"], SUGER, 2, "cannot be used with"),
        (&["meter", "send", &events, "--timeout", "soon"], SUGER, 2, "invalid value 'soon' for '--timeout <TIME>'"),
        (&["vendors", "--config", "/absent.toml"], &[], 2, "the configuration /absent.toml does not exist"),
        (&["vendors", "--config", &no_toml], &[], 2, "no.toml:1: invalid TOML: "),
        (
            &["vendors", "--config", &unknown_key],
            &[],
            2,
            "unknown.toml:4: unknown setting `clientsecret_file` of a genesys account: did you mean `client_secret_file`?",
        ),
        (&["vendors", "--config", &inline], &[], 2, "inline.toml:4: client_secret does not belong in this file"),
        (
            &["doctor", "--config", &lacking],
            &[],
            2,
            "lacking.toml:1: the account `genesys` lacks client_secret_file (or client_secret_command, client_secret_keyring, or GENESYS_CLIENT_SECRET",
        ),
        (
            &["doctor", "--config", &absent_file],
            &[],
            2,
            "absent.toml:4: client_secret_file names no file: No such file",
        ),
        (&["doctor", "--config", &region], &[], 2, "region.toml:2: invalid Genesys Cloud region `mars`"),
        (
            &["doctor", "--config", &quoted],
            &[],
            2,
            "quoted.toml:3: the output of api_key_command is not a secret: api_key begins or ends with a quotation mark",
        ),
        (
            &["vendors", "--config", &several, "--profile", "prod"],
            &[],
            2,
            "--profile: unknown profile `prod`: expected one of default",
        ),
        (
            &["fetch", "--config", &several],
            &[],
            2,
            "the accounts a and b are both of suger o: choose one with --account",
        ),
        (&["meter", "status", "--config", &several], &[], 2, "2 accounts of suger: choose one of a, b with --account"),
        (
            &["meter", "status", "--config", &several, "--account", "c"],
            &[],
            2,
            "unknown account `c`: expected one of a, b",
        ),
        (&["api", "suger", "listThings"], SUGER, 2, "unknown operation `listThings`: "),
        (&["api", "suger", "getBuyer", "--param", "buyerID=7"], SUGER, 2, "getBuyer needs --param buyerId=…"),
        (&["api", "suger", "listProducts", "--param", "limit"], SUGER, 2, "expected NAME=VALUE"),
        (
            &["api", "suger", "createBillableMetric", "--body", &bad_json],
            SUGER,
            2,
            "body.json is not valid JSON: EOF while parsing an object at line 1 column 1",
        ),
        (
            &["report", "delete", "october", "--yes"],
            &[],
            2,
            "invalid value 'october' for '<ID>...': expected a UUID such as 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73",
        ),
        (&["send", &events], &[], 2, "unrecognized subcommand 'send'; did you mean `meter send`?"),
        (
            &["fetch", "--perio", "2026-10"],
            &[],
            2,
            "unexpected argument '--perio' found; a similar argument exists: '--period'",
        ),
        (&["fetch", "--max-usage-mib", "0"], &[], 2, "0 is not in 1..=1048576"),
        (
            &["usage", "compare", &events, &events, "--min-percent", "few"],
            &[],
            2,
            "invalid value 'few' for '--min-percent <PERCENT>': expected a number of at least 0",
        ),
        (
            &["usage", "compare", &events, &events, "--min-change", "-3"],
            &[],
            2,
            "invalid value '-3' for '--min-change <QUANTITY>': expected a number of at least 0",
        ),
        (
            &["doctor", "--today", "2026-11-21"],
            SUGER,
            2,
            "--today changes only the sandbox here: omit it, or add --sandbox",
        ),
        (
            &["schema", "--format", "oracle"],
            &[],
            2,
            "invalid value 'oracle' for '--format <FORMAT>' [possible values: json-schema, duckdb, bigquery, spark]",
        ),
    ];
    for (arguments, environment, expected_code, expected) in cases {
        let (code, stdout, stderr) = run(program(arguments).envs(environment.iter().copied()));
        assert_eq!((code, stdout.as_str()), (Some(expected_code), ""), "{arguments:?}: {stderr}");
        let is_one_line = stderr.starts_with("error: ") && stderr.lines().count() == 1;
        assert!(is_one_line && stderr.contains(expected), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("hush") && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}
