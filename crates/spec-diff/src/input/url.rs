//! Documents at URLs. curl is called as a program: an HTTP client with TLS would be larger than all else here, and curl has the
//! machine's proxies and certificates.

use std::process::{Command, Stdio};

use openapi_document::Budget;

use super::Source;

/// The time limits of connecting and of the whole transfer, in seconds.
const CONNECT: &str = "10";
const TRANSFER: &str = "60";

/// Returns whether an argument is a URL rather than a file.
#[must_use]
pub fn is_url(argument: &str) -> bool {
    argument.starts_with("https://") || argument.starts_with("http://")
}

/// Returns a URL without user and password, for messages.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    format!("{scheme}://{}{path}", host.rsplit_once('@').map_or(host, |(_, host)| host))
}

/// Reads a document, within the budget's size and a minute. Redirects are followed five times, from https only to https.
///
/// # Errors
/// One line: the URL and what failed.
pub fn fetch(url: &str, budget: &Budget) -> Result<Source, String> {
    let name = without_credentials(url);
    let limit = budget.bytes_left().to_string();
    let mut command = Command::new("curl");
    command.args(arguments(url, &limit)).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{name}: curl cannot be run: {error}"))?;
    // A server need not state the length of its response.
    let bytes = child.stdout.take().map(|stdout| budget.read_stream(stdout));
    let output = child.wait_with_output().map_err(|error| format!("{name}: {error}"))?;
    let bytes = bytes.unwrap_or_else(|| Ok(Vec::new())).map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or("curl failed without a word");
        return Err(format!("{name}: {}", line.trim_start_matches("curl: ")));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{name}: it is not UTF-8"))?;
    Ok(Source { name, text })
}

fn arguments<'a>(url: &'a str, limit: &'a str) -> Vec<&'a str> {
    let redirects = if url.starts_with("https:") { "=https" } else { "=http,https" };
    // Without the user's settings, which could undo the limits. `--globoff`: brackets and braces are part of the URL.
    let mut arguments = vec!["--disable", "--silent", "--show-error", "--fail", "--globoff", "--location"];
    arguments.extend(["--max-redirs", "5", "--proto", "=http,https", "--proto-redir", redirects]);
    arguments.extend(["--connect-timeout", CONNECT, "--max-time", TRANSFER, "--max-filesize", limit]);
    arguments.extend(["--url", url]);
    arguments
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;

    #[test]
    fn credentials_are_not_in_names() {
        assert_eq!(without_credentials("https://me:a@b@host/x@y?z"), "https://host/x@y?z");
        assert_eq!(without_credentials("http://host"), "http://host");
    }

    #[test]
    fn transfers_are_limited() {
        let arguments = arguments("https://example.com/a", "1000").join(" ");
        for limit in ["--max-filesize 1000", "--max-time 60", "--proto-redir =https ", "--max-redirs 5"] {
            assert!(arguments.contains(limit), "{arguments}");
        }
        assert!(arguments.starts_with("--disable "), "curl reads its settings unless this comes first");
    }

    /// Responds to one request.
    fn serve(response: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                head.extend(byte);
            }
            stream.write_all(response.as_bytes()).unwrap();
        });
        format!("http://{address}/api.json")
    }

    #[test]
    fn document_is_fetched_and_rejection_is_an_error() {
        if Command::new("curl").arg("--version").output().is_err() {
            return;
        }
        // A proxy of the environment cannot reach this address.
        let fetched = |response| fetch(&serve(response), &Budget::from_env());
        if std::env::var_os("http_proxy").is_none() {
            assert_eq!(
                fetched("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").map(|source| source.text),
                Ok("{}".to_owned())
            );
            let error = fetched("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap_err();
            assert!(error.starts_with("http://127.0.0.1:") && error.contains("404"), "{error}");
        }
    }
}
