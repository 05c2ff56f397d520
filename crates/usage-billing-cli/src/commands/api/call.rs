//! The call of one operation.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use futures_util::StreamExt;
use serde_json::value::RawValue;
use usage_billing::reqwest::Method;
use usage_billing::{Error, ErrorKind, printable};
use usage_billing_core::{CustomRequest, Operation, encode_path};

use super::ApiArguments;
use super::parameters::{self, Parameter, Split};
use crate::accounts::Client;
use crate::commands::request_line::{self, RequestLine};
use crate::exit::Failure;
use crate::terminal;

/// A larger body is not written by hand.
const MAX_BODY_BYTES: u64 = 16 << 20;

pub(super) async fn run(arguments: &ApiArguments, operation: &'static Operation) -> Result<ExitCode, Failure> {
    let body = arguments.body.as_deref().map(read_body).transpose()?;
    let method: Method = operation.method.parse().map_err(|_| Failure::Usage("invalid method".to_owned()))?;
    if operation.download && io::stdout().is_terminal() {
        return Err(Failure::Usage(format!("{} returns a file: redirect the output", operation.name)));
    }
    arguments.accounts.reject_unused_day()?;
    let (account, _clients) = arguments.accounts.client(arguments.vendor).await?;
    let mut given = arguments.parameters.clone();
    if let Client::Suger(client) = &account.client
        && parameters::path_names(operation).any(|name| name == "orgId")
        && !given.iter().any(|one| one.name == "orgId")
    {
        given.push(Parameter { name: "orgId".to_owned(), value: client.org_id().to_owned() });
    }
    let split = parameters::split(operation, given).map_err(Failure::Usage)?;
    if arguments.write.dry_run {
        let request = RequestLine::new(operation.method, account.client.base_url(), &path_and_query(operation, &split));
        let request = RequestLine { body: body.as_deref(), ..request };
        terminal::print(&request.text()?).map_err(Failure::of_output)?;
        return Ok(ExitCode::SUCCESS);
    }
    if method != Method::GET {
        arguments.write.require(&format!("call {} ({} {})", operation.name, operation.method, operation.path))?;
    }
    let request = account.client.request(method, &operation.path);
    let request = if operation.idempotent { request.idempotent() } else { request };
    let request = split.path.iter().fold(request, |request, one| request.path_parameter(&one.name, &one.value));
    let request = split.query.iter().fold(request, |request, one| request.query(&one.name, &one.value));
    let request = match body {
        Some(body) => request.body("application/json", body.get().to_owned()),
        None => request,
    };
    send(operation, request).await?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the response unchanged.
async fn send(operation: &Operation, request: CustomRequest<'_>) -> Result<(), Failure> {
    let with_permission_hint = |error: Error| match (error.kind(), operation.permissions) {
        (ErrorKind::Permission, [_, ..]) => {
            error.with_hint(format!("the credential needs the permission {}", operation.permissions.join(" or ")))
        }
        _ => error,
    };
    if !operation.download {
        let body = request.send().await.map_err(with_permission_hint)?.into_inner();
        let text = String::from_utf8_lossy(&body);
        let text = if io::stdout().is_terminal() { without_controls(&text) } else { text.into_owned() };
        return terminal::print(&format!("{}\n", text.trim_end_matches('\n'))).map_err(Failure::of_output);
    }
    let mut chunks = request.send_stream().await.map_err(with_permission_hint)?.into_inner();
    let mut stdout = io::stdout().lock();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| Failure::Local(format!("the file cannot be read to its end: {error}")))?;
        match stdout.write_all(&chunk) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            outcome => outcome.map_err(Failure::of_output)?,
        }
    }
    stdout.flush().map_err(Failure::of_output)
}

/// Escapes everything but line breaks and tabs that could control a terminal.
fn without_controls(text: &str) -> String {
    let escaped = |character: char| match character {
        '\n' | '\t' => character.to_string(),
        control if control.is_control() => control.escape_unicode().to_string(),
        other => other.to_string(),
    };
    text.chars().map(escaped).collect()
}

fn path_and_query(operation: &Operation, split: &Split) -> String {
    let path = request_line::path(&operation.path, split.path.iter().map(|one| (&*one.name, &*one.value)));
    let pair = |one: &Parameter| format!("{}={}", encode_path(&one.name), encode_path(&one.value));
    let query: Vec<_> = split.query.iter().map(pair).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

fn read_body(path: &Path) -> Result<Box<RawValue>, Failure> {
    let name = printable(&path.to_string_lossy()).to_string();
    let failed = |reason: &dyn std::fmt::Display| Failure::Usage(format!("--body {name} {reason}"));
    let unreadable = |error: io::Error| failed(&format_args!("cannot be read: {error}"));
    let mut bytes = Vec::new();
    match path == Path::new("-") {
        true => io::stdin().lock().take(MAX_BODY_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?,
        false => File::open(path)
            .map_err(unreadable)?
            .take(MAX_BODY_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?,
    };
    if bytes.len() as u64 > MAX_BODY_BYTES {
        return Err(failed(&"is larger than 16 MiB"));
    }
    serde_json::from_slice(&bytes).map_err(|error| failed(&format_args!("is not valid JSON: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_is_not_controlled_by_a_response() {
        assert_eq!(without_controls("{\n\t\"a\": \"\u{9b}2K\u{1b}[2K é\"}"), "{\n\t\"a\": \"\\u{9b}2K\\u{1b}[2K é\"}");
    }
}
