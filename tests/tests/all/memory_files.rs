//! Files that would exhaust memory: each is read in a child process with limited memory.

use std::io::Write;
use std::time::Duration;

use flate2::{Compress, Compression, FlushCompress};
use usage_billing::acronis::{Client, StoredFile};
use usage_billing::{Credentials, Error, ErrorKind};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, http, limited_process};
use uuid::Uuid;

/// Usage may take 64 MiB. The test program itself takes up to 35 MiB, and more with each test that it contains.
const PEAK_MIB: u64 = 110;
/// Far longer than any test takes: a test that hangs fails.
const TIMEOUT: Duration = Duration::from_secs(60);
const REPORT: &str = "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73";
pub(super) const CSV_HEADER: &str = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n";
pub(super) const CSV_ROW: &str = "backup,2026-10-31,False,bytes,pw_base_storage,t-1,customer,,,1,2,3,4,5,6\n";
const JSON_ROW: &str = r#"{"application":{"name":"backup"},"date":"2026-10-31","infra":null,"is_range":false,"measurement_unit":"bytes","name":"pw_base_storage","tenant":{"id":"t-1","kind":"customer"},"usage":{"absolute":{"production":1,"trial":2,"total":3},"delta":{"production":4,"trial":5,"total":6}}}"#;

/// A body of `head` and then `chunk`, repeated indefinitely.
pub(super) struct Endless {
    format: &'static str,
    head: Vec<u8>,
    chunk: Vec<u8>,
}

impl Endless {
    pub(super) fn csv(head: impl AsRef<[u8]>, piece: impl AsRef<[u8]>) -> Self {
        Self { format: "csv_v2_0", head: head.as_ref().to_vec(), chunk: piece.as_ref().repeat(8192) }
    }

    fn json(head: impl AsRef<[u8]>, piece: impl AsRef<[u8]>) -> Self {
        Self { format: "json_v2_0", ..Self::csv(head, piece) }
    }

    fn html(head: impl AsRef<[u8]>, piece: impl AsRef<[u8]>) -> Self {
        Self { format: "html", ..Self::csv(head, piece) }
    }

    /// Compresses the body with gzip, to a thousandth of its size.
    fn packed(self) -> Self {
        let mut deflate = Compress::new(Compression::best(), false);
        let mut block = |bytes: &[u8]| {
            let mut out = Vec::with_capacity(bytes.len() + 1024);
            deflate.compress_vec(bytes, &mut out, FlushCompress::Full).unwrap();
            out
        };
        let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        Self {
            format: self.format,
            head: [&header[..], &block(&self.head)].concat(),
            chunk: block(&self.chunk.repeat(64)),
        }
    }

    /// Starts a server of one report with this file.
    pub(super) fn server(self) -> ScriptedServer {
        let head = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", &self.head[..]].concat();
        server(self.format, ScriptedResponse::endless(head, self.chunk))
    }
}

/// Starts a server of one report with one file.
pub(super) fn server(format: &str, file: ScriptedResponse) -> ScriptedServer {
    let report = format!(
        r#"{{"id": "{REPORT}", "version": 1, "generation_date": "2026-11-01", "result_action": "save", "parameters": {{
                "kind": "usage_summary", "tenant_id": "{REPORT}", "level": "direct_partners",
                "period": {{"start": "2026-10-01", "end": "2026-10-31"}}, "formats": ["{}"]}}}}"#,
        format
    );
    let stored = format!(
        r#"{{"items": [{{"id": "{REPORT}", "report_format": "{}", "status": "saved", "created_at": "2026-11-01T00:00:00"}}]}}"#,
        format
    );
    ScriptedServer::start(move |request| match request.target.rsplit('/').next() {
        Some("token") => {
            ScriptedResponse::json(200, r#"{"access_token": "t", "token_type": "bearer", "expires_on": 4102444800}"#)
        }
        Some("stored") => ScriptedResponse::json(200, &stored),
        _ if request.target.contains("/stored/") => file.clone(),
        _ => ScriptedResponse::json(200, &report),
    })
}

pub(super) fn run<T>(url: &str, task: impl AsyncFnOnce(Client, StoredFile) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let builder = Client::builder(&url.parse().unwrap(), Credentials::new("id", "hush-secret"));
    let client = builder.http_client(http()).build().unwrap();
    runtime.block_on(async {
        let done = tokio::time::timeout(TIMEOUT, async {
            let report: Uuid = REPORT.parse().unwrap();
            let files = client.report(report).await.unwrap().wait(TIMEOUT).await.unwrap().saved;
            task(client, files[0].clone()).await
        });
        done.await.expect("the task ends in time")
    })
}

/// Returns the number of rows before the error, and the error.
fn read(url: &str) -> (usize, Error) {
    run(url, async |client, file| {
        let mut rows = client.rows(&file).await.unwrap();
        let mut read = 0;
        loop {
            match rows.next().await.expect("no end without an error") {
                Ok(_) => read += 1,
                Err(error) => return (read, error),
            }
        }
    })
}

fn save(url: &str, name: &str) -> Error {
    let folder = tempfile::tempdir().unwrap();
    let error = run(url, async |client, file| client.save_to(&file, folder.path().join(name)).await.unwrap_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    error
}

fn limited(test: &str, input: impl FnOnce() -> Endless, check: impl FnOnce(String)) {
    let server = || {
        let server = input().server();
        (server.url().to_owned(), server)
    };
    limited_process(test, PEAK_MIB, server, check);
}

/// Defines one test per input, because each needs its own process: name, input, rows before the error, and a part of the error.
macro_rules! rows_end {
    ($($name:ident: $input:expr => $rows:expr, $message:expr;)*) => {$(
        #[test]
        fn $name() {
            limited(concat!("memory_files::", stringify!($name)), || $input, |url| {
                let (rows, error) = read(&url);
                assert_eq!((error.kind(), rows), (ErrorKind::Limit, $rows), "{error}");
                assert!(error.message().contains($message), "{error}");
            });
        }
    )*};
}

/// Defines one test per saved file: name, input, file name, and a part of the error.
macro_rules! saving_ends {
    ($($name:ident: $input:expr => $file:expr, $message:expr;)*) => {$(
        #[test]
        fn $name() {
            limited(concat!("memory_files::", stringify!($name)), || $input, |url| {
                let error = save(&url, $file);
                assert!(error.message().contains($message), "{error}");
            });
        }
    )*};
}

fn csv_rows(rest: &str) -> String {
    [CSV_HEADER, CSV_ROW, rest].concat()
}

fn json_rows(rest: &str) -> String {
    format!("{{\"tenants\":[{JSON_ROW}{rest}")
}

/// Returns empty gzip members, repeated indefinitely.
fn empty_members() -> Endless {
    let empty = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    Endless::csv(empty, empty)
}

/// Returns a gzip member whose file name never ends.
fn gzip_name() -> Endless {
    Endless::csv([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255], "name")
}

rows_end! {
    csv_quoted_field_without_end: Endless::csv(csv_rows("\""), "aaaaaaaa") => 1, "row 2 exceeds the limit of 1 MiB";
    csv_quoted_field_without_end_in_gzip: Endless::csv(csv_rows("\""), "aaaaaaaa").packed() => 1, "row 2 exceeds the limit of 1 MiB";
    csv_quoted_lines_without_end: Endless::csv(csv_rows("\""), "a\n,\"\"b") => 1, "row 2 exceeds the limit of 1 MiB";
    csv_line_without_end: Endless::csv(csv_rows(""), "aaaaaaaa") => 1, "row 2 exceeds the limit of 1 MiB";
    csv_row_of_endless_columns: Endless::csv(csv_rows(""), ",") => 1, "row 2 exceeds the limit of 4096 columns";
    csv_header_of_endless_columns: Endless::csv("a", ",a") => 0, "the header exceeds the limit of 4096 columns";
    csv_header_of_endless_columns_in_gzip: Endless::csv("a", ",a").packed() => 0, "the header exceeds the limit of 4096 columns";
    csv_header_of_one_endless_name: Endless::csv("", "aaaaaaaa") => 0, "the header exceeds the limit of 1 MiB";
    csv_blank_lines_without_end: Endless::csv("", "\n\r\n") => 0, "the header exceeds the limit of 1 MiB";
    csv_blank_lines_after_a_row: Endless::csv(csv_rows(""), "\r\n").packed() => 1, "row 2 exceeds the limit of 1 MiB";
    csv_byte_order_marks_without_end: Endless::csv("", "\u{feff}") => 0, "the header exceeds the limit of 1 MiB";
    csv_zero_bytes_without_end: Endless::csv(csv_rows(""), "\0\0\0\0") => 1, "row 2 exceeds the limit of 1 MiB";
    gzip_of_empty_members_without_end: empty_members() => 0, "gzip without content exceeds the limit of 1 MiB";
    gzip_header_without_end: gzip_name() => 0, "gzip without content exceeds the limit of 1 MiB";
    json_keys_without_end: Endless::json(json_rows(",{\"a\":0"), ",\"b\":1") => 1, "row 2 exceeds the limit of 4096 values";
    json_keys_without_end_in_gzip: Endless::json(json_rows(",{\"a\":0"), ",\"b\":1").packed() => 1, "row 2 exceeds the limit of 4096 values";
    json_empty_objects_without_end: Endless::json(json_rows(",{\"a\":{}"), ",\"b\":{}") => 1, "row 2 exceeds the limit of 1 MiB";
    json_values_without_end: Endless::json(json_rows(",{\"a\":[0"), ",1") => 1, "row 2 exceeds the limit of 4096 values";
    json_string_without_end: Endless::json(json_rows(",{\"a\":\""), "aaaaaaaa") => 1, "row 2 exceeds the limit of 1 MiB";
    json_escapes_without_end: Endless::json(json_rows(",{\"a\":\""), "\\u00e9") => 1, "row 2 exceeds the limit of 1 MiB";
    json_key_without_end: Endless::json(json_rows(",{\""), "aaaaaaaa") => 1, "row 2 exceeds the limit of 1 MiB";
    json_number_without_end: Endless::json(json_rows(",{\"a\":1"), "00000000") => 1, "row 2 exceeds the limit of 1 MiB";
    json_whitespace_without_end: Endless::json("", " \n\t\r").packed() => 0, "the file before its first row exceeds the limit of 1 MiB";
    json_whitespace_between_rows: Endless::json(json_rows(","), " \n\t\r") => 1, "row 2 exceeds the limit of 1 MiB";
    json_nesting_without_end: Endless::json(json_rows(",{\"a\":"), "[") => 1, "row 2 exceeds the limit of 64 nested";
    json_nesting_before_the_rows: Endless::json("{\"a\":", "{\"a\":") => 0, "the file before its first row exceeds the limit of 64 nested";
    json_values_before_the_rows: Endless::json("{\"a\":[0", ",0").packed() => 0, "the file before its first row exceeds the limit of 1 MiB";
    json_values_after_the_rows: Endless::json(json_rows("],\"a\":[0"), ",0") => 1, "the file after its last row exceeds the limit of 1 MiB";
    json_long_names_repeated_in_each_value: Endless::json(json_rows(&format!(",{{\"{}\":{{\"a\":0", "k".repeat(500_000))), ",\"b\":1")
        => 1, "row 2 exceeds the limit of 1 MiB";
}

const NAMED_HEADER: &str = "application.name,date,is_range,measurement_unit,name,tenant.id,tenant.kind,tenant.name,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total\n";

/// Returns a file with a row for each number.
fn rows_of(numbers: std::ops::Range<u32>, name: &str, row: impl Fn(u32) -> String) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(NAMED_HEADER.as_bytes()).unwrap();
    for number in numbers {
        writeln!(gzip, "{},{name},,,3,0,3,3,0,3", row(number)).unwrap();
    }
    gzip.finish().unwrap()
}

fn of_tenant(number: u32) -> String {
    format!("backup,2026-10-31,False,bytes,pw_base_storage,41b9e2d0-7c36-4f58-9a0b-{number:012},customer")
}

fn of_item(number: u32) -> String {
    format!("backup,2026-10-31,False,bytes,item_{number},t-1,customer")
}

/// Aggregates the usage of a file in a limited process.
fn aggregate_usage(test: &str, file: impl FnOnce() -> Vec<u8>, check: impl FnOnce(Result<usize, Error>)) {
    let input = || {
        let server = server("csv_v2_0", ScriptedResponse::new(200, &[], file()));
        (server.url().to_owned(), server)
    };
    limited_process(test, PEAK_MIB, input, |url| {
        check(run(&url, async |client, file| client.usage_from_file(&file).await.map(|rows| rows.len())));
    });
}

macro_rules! usage_ends {
    ($($name:ident: $file:expr => $outcome:pat,)*) => {$(
        #[test]
        fn $name() {
            aggregate_usage(concat!("memory_files::", stringify!($name)), || $file, |outcome| {
                let outcome = outcome.map_err(|error| {
                    let advice = " -> request a report of one child tenant at a time, or read the rows of the file one by one; this is file 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73 of report 41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73; to allow more, set the client's `max_usage_bytes`";
                    let line = error.to_string();
                    assert!(line.contains(": the usage up to it exceeds the limit of 64 MiB of memory") && line.ends_with(advice), "{line}");
                    (error.kind(), error.setting())
                });
                assert!(matches!(outcome, $outcome), "{outcome:?}");
            });
        }
    )*};
}

usage_ends! {
    usage_of_many_customers: rows_of(0..1_000_000, "n", of_tenant) => Err((ErrorKind::Limit, Some("max_usage_bytes"))),
    usage_of_many_items: rows_of(0..1_000_000, "n", of_item) => Err((ErrorKind::Limit, Some("max_usage_bytes"))),
    usage_of_long_names: rows_of(0..1_000, &"a".repeat(1_000_000), of_tenant) => Err((ErrorKind::Limit, Some("max_usage_bytes"))),
    usage_of_one_long_name_in_many_rows: rows_of(0..1_000, &"a".repeat(1_000_000), of_item) => Err((ErrorKind::Limit, Some("max_usage_bytes"))),
    usage_of_a_large_partner: rows_of(0..30_000, "Birch Inc.", of_tenant) => Ok(30_000),
}

saving_ends! {
    saving_whitespace_without_end: Endless::csv("", " \n").packed() => "report.csv", "only whitespace";
    saving_a_web_page_without_end: Endless::csv("<html>", "<p>") => "report.csv", "a web page";
    saving_a_login_page_without_end: Endless::html("<html><form>", "<p>").packed() => "report.html", "a web page with a form";
    saving_empty_members_without_end: empty_members() => "report.csv.gz", "gzip without content exceeds the limit of 1 MiB";
    saving_a_gzip_header_without_end: gzip_name() => "report.csv", "gzip without content exceeds the limit of 1 MiB";
}
