//! Commands that print a secret, such as `op read op://…`: bounded in size and time, without a shell.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use usage_billing::printable;

/// A larger output is not a secret.
const MAX_BYTES: u64 = 64 * 1024;
/// Enough of the standard error to see what is wrong.
const MAX_ERROR_BYTES: u64 = 4096;
/// Long enough to confirm on another device.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The standard error of a command that has ended is there, unless another process holds the pipe.
const ERROR_TIMEOUT: Duration = Duration::from_secs(1);

/// Runs a command and returns its standard output without the line break at its end.
///
/// # Errors
/// The end of a sentence that begins with the setting. It contains the program and its standard error, but neither its arguments nor its
/// output.
pub(super) fn run(command: &[String]) -> Result<String, String> {
    run_within(command, TIMEOUT)
}

fn run_within(command: &[String], timeout: Duration) -> Result<String, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("is empty".to_owned()) };
    let failed = |reason: &dyn std::fmt::Display| format!("(`{}`) {reason}", printable(program));
    let mut process = Command::new(program);
    let mut child = process
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(&format_args!("cannot be run: {error}")))?;
    let errors = child.stderr.take().map(|stderr| read_on_thread(stderr, MAX_ERROR_BYTES));
    let read = read_output(&mut child, timeout);
    if read.is_err() {
        // It may still run, or wait until the rest is read.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| failed(&format_args!("cannot be waited for: {error}")))?;
    let output = read.map_err(|reason| failed(&reason))?;
    if !status.success() {
        let errors = errors.and_then(|errors| errors.recv_timeout(ERROR_TIMEOUT).ok()?.ok());
        let reason = errors.and_then(|errors| reason(&errors, &output)).unwrap_or_default();
        return Err(failed(&format_args!("failed: {status}{reason}")));
    }
    // Without the source, which contains the bytes.
    let output = String::from_utf8(output).map_err(|_| failed(&"printed no UTF-8"))?;
    let secret = output.strip_suffix('\n').map_or(&*output, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(secret.to_owned())
}

/// Returns what a failed command states as its reason, unless that repeats its output, which may be the secret.
fn reason(errors: &[u8], output: &[u8]) -> Option<String> {
    let (errors, output) = (String::from_utf8_lossy(errors), String::from_utf8_lossy(output));
    let repeats = output.split_whitespace().any(|word| errors.contains(word));
    let first = errors.lines().map(str::trim).find(|line| !line.is_empty())?;
    (!repeats).then(|| format!(": {}", printable(first)))
}

fn read_output(child: &mut Child, timeout: Duration) -> Result<Vec<u8>, String> {
    let Some(output) = child.stdout.take() else { return Err("has no output".to_owned()) };
    let receiver = read_on_thread(output, MAX_BYTES + 1);
    match receiver.recv_timeout(timeout) {
        Ok(Ok(bytes)) if bytes.len() as u64 > MAX_BYTES => Err(format!("printed more than {} KiB", MAX_BYTES / 1024)),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(format!("cannot be read: {error}")),
        Err(_) => Err(format!("printed nothing within {} s", timeout.as_secs())),
    }
}

/// Reads on a thread of its own: reading from a pipe has no timeout. The thread ends with the processes that hold the pipe.
fn read_on_thread(mut pipe: impl Read + Send + 'static, max: u64) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let outcome = pipe.by_ref().take(max).read_to_end(&mut bytes).map(|_| bytes);
        let _ = sender.send(outcome);
        // The process would wait for a reader of the rest.
        let _ = io::copy(&mut pipe, &mut io::sink());
    });
    receiver
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run(command: &[&str], timeout: Duration) -> Result<String, String> {
        let command: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
        run_within(&command, timeout)
    }

    #[test]
    fn output_is_the_secret_without_its_last_line_break() {
        assert_eq!(run(&["printf", "hush\\n"], TIMEOUT).unwrap(), "hush");
        // No shell: the argument is not expanded.
        assert_eq!(run(&["echo", "$HOME; true"], TIMEOUT).unwrap(), "$HOME; true");
    }

    #[test]
    fn failing_command_is_reported_without_its_output() {
        for (command, timeout, expected) in [
            (&["sh", "-c", "echo hush; exit 3"][..], TIMEOUT, "(`sh`) failed: exit status: 3"),
            (&["sh", "-c", "echo hush; echo denied: hush >&2; exit 3"], TIMEOUT, "(`sh`) failed: exit status: 3"),
            (&["/absent/helper", "hush"], TIMEOUT, "(`/absent/helper`) cannot be run: No such file"),
            (&["yes", "hush"], TIMEOUT, "(`yes`) printed more than 64 KiB"),
            (&["sleep", "600"], Duration::ZERO, "(`sleep`) printed nothing within 0 s"),
            (&["printf", "\\377hush"], TIMEOUT, "(`printf`) printed no UTF-8"),
            (&[], TIMEOUT, "is empty"),
        ] {
            let problem = run(command, timeout).unwrap_err();
            assert!(problem.starts_with(expected) && !problem.contains("hush"), "{problem}");
        }
    }

    #[test]
    fn reason_of_a_failure_is_escaped_and_bounded() {
        let script = r"printf '\n\033[31mnot signed in\n' >&2; exit 1";
        let problem = run(&["sh", "-c", script], TIMEOUT).unwrap_err();
        assert_eq!(problem, r"(`sh`) failed: exit status: 1: \u{1b}[31mnot signed in");
        let problem = run(&["sh", "-c", "head -c 1000000 /dev/zero | tr '\\0' x >&2; exit 1"], TIMEOUT).unwrap_err();
        assert!(problem.len() < 5000 && problem.contains("xxx"), "{problem}");
        // What a command that succeeds prints is not shown.
        assert_eq!(run(&["sh", "-c", "yes >&2 & printf hush; kill $!"], TIMEOUT).unwrap(), "hush");
    }
}
