//! Commands that print a secret, such as `op read op://…`: bounded in size and time, without a shell.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use usage_billing::printable;

/// A larger output is not a secret.
const MAX_BYTES: u64 = 64 * 1024;
/// Long enough to confirm on another device.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs a command and returns its standard output without the line break at its end. Its standard error is the program's.
///
/// # Errors
/// The end of a sentence that begins with the setting. It contains the program but neither its arguments nor its output.
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
        .spawn()
        .map_err(|error| failed(&format_args!("cannot be run: {error}")))?;
    let read = read_output(&mut child, timeout);
    if read.is_err() {
        // It may still run, or wait until the rest is read.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| failed(&format_args!("cannot be waited for: {error}")))?;
    let output = read.map_err(|reason| failed(&reason))?;
    if !status.success() {
        return Err(failed(&format_args!("failed: {status}")));
    }
    // Without the source, which contains the bytes.
    let output = String::from_utf8(output).map_err(|_| failed(&"printed no UTF-8"))?;
    let secret = output.strip_suffix('\n').map_or(&*output, |line| line.strip_suffix('\r').unwrap_or(line));
    Ok(secret.to_owned())
}

/// Reads the output on a thread of its own: reading from a pipe has no timeout. The thread ends with the processes that hold the pipe.
fn read_output(child: &mut Child, timeout: Duration) -> Result<Vec<u8>, String> {
    let Some(output) = child.stdout.take() else { return Err("has no output".to_owned()) };
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let outcome = output.take(MAX_BYTES + 1).read_to_end(&mut bytes).map(|_| bytes);
        let _ = sender.send(outcome);
    });
    match receiver.recv_timeout(timeout) {
        Ok(Ok(bytes)) if bytes.len() as u64 > MAX_BYTES => Err(format!("printed more than {} KiB", MAX_BYTES / 1024)),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(format!("cannot be read: {error}")),
        Err(_) => Err(format!("printed nothing within {} s", timeout.as_secs())),
    }
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
}
