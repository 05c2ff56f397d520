//! The program `usage-billing-sandbox`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::{http, read};

const PROGRAM: &str = env!("CARGO_BIN_EXE_usage-billing-sandbox");

/// Kills the program when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn program_prints_settings_and_applies_options() {
    let options = ["--today", "2026-11-21", "--fault", "503; operation=listBuyers; times=1", "--requests-per-minute"];
    let mut command = Command::new(PROGRAM);
    command.args(options).arg("suger=1").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut program = Running(command.spawn().unwrap());
    let lines = BufReader::new(program.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let settings: Vec<String> = lines.take(9).collect();
    assert!(settings.contains(&"export SUGER_API_KEY=demo-suger-key".to_owned()), "{settings:?}");
    let url = settings[0].strip_prefix("export GENESYS_REGION=").unwrap();
    for status in [503, 200, 429] {
        let request = http().get(format!("{url}/org/sgr-demo1/buyer")).header("authorization", "Key demo-suger-key");
        assert_eq!(request.send().await.unwrap().status(), status);
    }
    let (_, clock) = read(http().get(format!("{url}/_sandbox/clock")).send().await.unwrap()).await;
    assert!(clock["now"].as_str().unwrap().starts_with("2026-11-21T12:"), "{clock}");
}

#[cfg(unix)]
#[tokio::test]
async fn silent_sockets_do_not_block_callers_without_file_handles() {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    const HANDLES: usize = 64;
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n {HANDLES} && exec \"$0\""), PROGRAM]);
    let mut program = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let url = line.trim_end().strip_prefix("export GENESYS_REGION=").unwrap();
    let connect = || TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    let head = b"POST /oauth/token HTTP/1.1\r\nhost: localhost\r\n";
    let stalled = [&head[..], b"content-length: 1000\r\n\r\n{"].concat();
    let mut silent: Vec<_> = (0..HANDLES).map(|_| connect()).collect();
    for (number, stream) in silent.iter_mut().enumerate() {
        // The server may have closed the connection for the next one.
        let _ = stream.write_all([b"", &head[..], &stalled][number % 3]);
    }
    let request = http().get(format!("{url}/org/sgr-demo1/buyer")).header("authorization", "Key demo-suger-key");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let is_open = |stream: &mut TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.read(&mut [0]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    };
    let open = silent.iter_mut().filter_map(|stream| is_open(stream).then_some(())).count();
    assert!(open > HANDLES / 2, "{open} are open: the limit of a head or a body had to end");
}

#[test]
fn invalid_options_are_reported_on_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (options, code, says) in [
        (["--port", &port], 1, "try another --port"),
        (["--port", "x"], 2, "invalid value 'x' for '--port"),
        (["--fault", "200"], 2, "'--fault <FAULT>'"),
        (["--allow-host", "http://x"], 2, "invalid host name"),
        (["--tenants", "1"], 2, "but must be from 13 to 10000"),
        (["--requests-per-minute", "sugar=1"], 2, "the vendors are genesys, suger and acronis"),
    ] {
        let output = Command::new(PROGRAM).args(options).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}");
        assert!(line.starts_with("error: ") && line.contains(says), "{line}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn no_argument_forges_output() {
    let forged = "x\u{1b}[2K\nerror: forged";
    let escaped = r#""x\u001b[2K\nerror: forged""#;
    let file = format!("/nowhere/{forged}");
    for arguments in [
        &[&*format!("--{forged}")][..],
        &[forged],
        &["--port", forged],
        &["--env-file", &file],
        &["--fault", forged],
        &["--allow-host", "\u{202e}localhost"],
        &["expected", "--period", forged],
        // In JSON, any character can be escaped.
        &["--fault", &format!("503; operation={escaped}")],
        &["--fault", &format!("{{\"kind\": {escaped}}}")],
        &["--fault", &format!("{{{escaped}: 1}}")],
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && said.starts_with("error: "), "{arguments:?}: {said}");
        let is_plain = |line: &str| !line.contains(|character: char| character.is_control() || character == '\u{202e}');
        assert!(said.lines().all(|line| is_plain(line) && !line.starts_with("error: forged")), "{said:?}");
    }
}

#[cfg(unix)]
#[test]
fn program_name_cannot_forge_output() {
    use std::os::unix::process::CommandExt;

    let output = Command::new(PROGRAM).arg0("x\u{1b}[2K\nerror: forged").arg("--unknown").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("Usage: usage-billing-sandbox") && !said.contains(['\u{1b}']), "{said:?}");
}

#[test]
fn env_file_is_written_when_ready_and_removed_at_the_end() {
    let folder = std::env::temp_dir().join(format!("usage-billing-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, line) in [("sandbox.env", "export SUGER_API_KEY="), ("sandbox.ps1", "$env:SUGER_API_KEY = '")] {
        let file = folder.join(name);
        let mut command = Command::new(PROGRAM);
        command.args(["--listen", "0.0.0.0", "--env-file"]).arg(&file).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The second run replaces the file that the first one left when it was killed.
        for is_last in [false, true] {
            let mut program = Running(command.spawn().unwrap());
            let mut said = BufReader::new(program.0.stderr.take().unwrap());
            let mut first = String::new();
            said.read_line(&mut first).unwrap();
            assert!(first.contains("http://127.0.0.1:") && first.contains(name), "{first}");
            let settings = std::fs::read_to_string(&file).unwrap();
            assert!(settings.contains(line) && settings.contains("http://127.0.0.1:"), "{settings}");
            if is_last && cfg!(unix) {
                let id = program.0.id().to_string();
                assert!(Command::new("kill").arg(id).status().unwrap().success());
                assert!(program.0.wait().unwrap().success());
                assert!(!file.exists());
            }
        }
    }
    let own = folder.join("own.env");
    std::fs::write(&own, "SECRET=1\n").unwrap();
    for path in [&own, &folder] {
        let output = Command::new(PROGRAM).arg("--env-file").arg(path).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(2) && line.contains("is not a file of sandbox settings"), "{line}");
    }
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "SECRET=1\n");
    std::fs::remove_dir_all(&folder).unwrap();
}
