//! Runs the client half of a test in a child process with its own environment variables: those of the test process are shared by all tests.

use std::env;
use std::process::Command;

/// Set in the child to the name of the test whose client half it runs.
const TEST: &str = "USAGE_BILLING_ENVIRONMENT_TEST";

/// Runs `client` in a child process with the variables that `variables` returns. Variables of this process that configure proxies and trusted
/// roots are removed.
///
/// `test` is the full name of the calling test as `cargo test -- --list` prints it; the child is this test program with that test alone.
/// `variables` runs in the parent only; start servers in it. Its second value is kept until the child has ended.
///
/// # Panics
/// If the child fails.
pub fn with_environment<S>(
    test: &str,
    variables: impl FnOnce() -> (Vec<(&'static str, String)>, S),
    client: impl FnOnce(),
) {
    if env::var(TEST).is_ok_and(|running| running == test) {
        client();
        return;
    }
    let (variables, _kept) = variables();
    let mut command = Command::new(env::current_exe().expect("the path of this test program"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_ascii_lowercase());
    }
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR", "USAGE_BILLING_ALLOW_HTTP", "REQUEST_METHOD"] {
        command.env_remove(name);
    }
    let output = command.envs(variables).env(TEST, test).output().expect("this test program");
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && printed.contains("1 passed"), "{test} failed: {printed}{errors}");
}
