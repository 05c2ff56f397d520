//! Checks that a saved body can be a report of its format.
//!
//! `csv_v2_0` and `json_v2_0` must begin as their row readers require. Little is known of the other formats: web pages and messages of
//! intermediaries are recognised by content that no report has.

use std::io;

use usage_billing_core::{Error, ErrorKind, Result};

use crate::acronis::report_file::csv;
use crate::acronis::report_file::json;
use crate::acronis::report_file::limits::RECORD_BYTES;
use crate::acronis::reports::download::Reader;
use crate::acronis::types::ReportFormat;

/// The size of the kept prefix in unpacked bytes: one more than the row readers accept before the first row.
const KEPT: usize = RECORD_BYTES as usize + 1;
/// The searched part of the prefix, from the first byte that is not whitespace; the form of a page is near its start.
const SEARCHED: usize = 64 * 1024;

const GZIP: &[u8] = &[0x1f, 0x8b];
const UTF_16: [&[u8]; 2] = [&[0xff, 0xfe], &[0xfe, 0xff]];
/// Signatures of other formats: Acronis documents none of them, but a report may list any.
const SIGNATURES: [(&str, &[u8]); 2] = [("xlsx", b"PK\x03\x04"), ("pdf", b"%PDF-")];

/// Tags that only a web page has, on a line that begins with `<`. (Elsewhere they may be the name of a customer.)
const PAGE: [&str; 4] = ["<!doctype html", "<html", "<head", "<body"];
/// Elements of login and redirect pages, which a static report does not have.
const INTERACTIVE: [&str; 4] = ["<form", "type=\"password\"", "type='password'", "http-equiv=\"refresh\""];
/// Prefixes of the titles of servers' error pages.
const FAILURES: [&str; 11] = [
    "400 bad",
    "401 authorization",
    "401 unauthorized",
    "403 forbidden",
    "404 not",
    "407 proxy",
    "429 too",
    "500 internal",
    "502 bad",
    "503 service",
    "504 gateway",
];

/// The unpacked content, checked while it is written.
#[derive(Debug)]
pub(crate) struct SavedContent {
    format: ReportFormat,
    /// At most [`KEPT`] bytes, until they are checked.
    prefix: Vec<u8>,
    length: u64,
    /// The last byte that is not whitespace.
    last: Option<u8>,
    is_checked: bool,
}

impl SavedContent {
    pub(crate) fn new(format: ReportFormat) -> Self {
        Self { format, prefix: Vec::new(), length: 0, last: None, is_checked: false }
    }

    /// Bytes so far.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Checks the prefix once it is complete, so that an endless page is not saved first.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub(crate) async fn check_early(&mut self) -> Result<()> {
        if self.is_checked || self.length < KEPT as u64 { Ok(()) } else { self.check_prefix().await }
    }

    /// Checks the complete content.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for empty or blank content, and for a page or message of an intermediary.
    pub(crate) async fn check(&mut self) -> Result<()> {
        if !self.is_checked {
            self.check_prefix().await?;
        }
        match (&self.format, self.last) {
            (_, Some(b'}' | b']')) => Ok(()),
            (ReportFormat::JsonV1 | ReportFormat::JsonV20, _) => Err(self.not_a_report("truncated JSON")),
            _ => Ok(()),
        }
    }

    async fn check_prefix(&mut self) -> Result<()> {
        self.is_checked = true;
        let prefix = std::mem::take(&mut self.prefix);
        let blank = prefix.iter().take_while(|byte| is_blank(**byte)).count();
        let start = &prefix[blank..];
        let start = &start[..start.len().min(SEARCHED)];
        match start.first() {
            None if self.length == 0 => return Err(invalid("the report's file is empty")),
            None => return Err(invalid("the report's file is only whitespace")),
            Some(_) => {}
        }
        let mismatch = self.mismatch(start);
        let prefix: Reader = Box::pin(io::Cursor::new(prefix));
        // The name of a customer may look like a page in a readable file.
        let rows = match &self.format {
            ReportFormat::CsvV20 => csv::check_prefix(prefix).await,
            ReportFormat::JsonV20 => json::check_prefix(prefix).await,
            _ => return mismatch.map_or(Ok(()), |found| Err(self.not_a_report(found))),
        };
        match (rows, mismatch) {
            (Err(_), Some(found)) => Err(self.not_a_report(found)),
            (Err(error), None) if error.hint().is_none() => Err(error.with_hint(HINT)),
            (rows, _) => rows,
        }
    }

    /// Returns what the content seems to be, if it is not a report.
    fn mismatch(&self, start: &[u8]) -> Option<&'static str> {
        let text = searchable(start);
        let has = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
        let is_page =
            text.lines().map(trimmed).any(|line| line.starts_with('<') && PAGE.iter().any(|tag| line.contains(tag)));
        let is_json = text.starts_with(['{', '[']);
        if let Some((_, signature)) = SIGNATURES.iter().find(|(format, _)| *format == self.format.as_str()) {
            let found = if is_page { "a web page" } else { "other data" };
            return (!start.starts_with(signature)).then_some(found);
        }
        match &self.format {
            ReportFormat::Unknown(_) if start.iter().all(|byte| *byte == 0) => Some("only NUL bytes"),
            ReportFormat::Unknown(_) => is_page.then_some("a web page"),
            _ if start.starts_with(GZIP) => Some("gzip within gzip"),
            _ if UTF_16.iter().any(|mark| start.starts_with(mark)) => Some("text in UTF-16"),
            _ if start.contains(&0) => Some("binary data"),
            ReportFormat::Html if is_json => Some("JSON"),
            ReportFormat::Html if !text.starts_with('<') => Some("text that is not HTML"),
            ReportFormat::Html if has(&INTERACTIVE) => Some("a web page with a form or a redirect"),
            ReportFormat::Html => is_error_page(&text).then_some("a server's error page"),
            _ if is_page || text.starts_with('<') => Some("a web page"),
            ReportFormat::JsonV1 | ReportFormat::JsonV20 => (!is_json).then_some("text that is not JSON"),
            ReportFormat::Csv | ReportFormat::CsvV20 if is_json => Some("JSON"),
            // Its columns are not known; a single one would hold no usage.
            ReportFormat::Csv if !text.contains([',', ';', '\t']) => Some("text that is not a table"),
            _ => None,
        }
    }

    fn not_a_report(&self, found: &str) -> Error {
        invalid(&format!("the report's file is {found}, not a report in the format {}", self.format)).with_hint(HINT)
    }
}

const HINT: &str =
    "a proxy or a login page may have responded in place of Acronis: download the file with `download` to look at it";

impl io::Write for SavedContent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_checked {
            let kept = bytes.len().min(KEPT - self.prefix.len());
            self.prefix.extend_from_slice(&bytes[..kept]);
        }
        self.length += bytes.len() as u64;
        self.last = bytes.iter().rfind(|byte| !byte.is_ascii_whitespace()).copied().or(self.last);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns whether a byte is whitespace or part of a byte order mark.
fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf)
}

/// Returns the prefix in lower case; the NUL bytes of UTF-16 are removed.
fn searchable(start: &[u8]) -> String {
    let start: Vec<u8> = start.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    trimmed(&String::from_utf8_lossy(&start)).to_owned()
}

/// Trims invisible and invalid characters at the start.
fn trimmed(text: &str) -> &str {
    let is_invisible = |character: char| {
        let is_other = matches!(character, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{fffd}');
        character.is_whitespace() || character.is_control() || is_other
    };
    text.trim_start_matches(is_invisible)
}

fn is_error_page(text: &str) -> bool {
    let title = text.split_once("<title").and_then(|(_, rest)| rest.split_once('>'));
    title.is_some_and(|(_, title)| FAILURES.iter().any(|failure| title.trim_start().starts_with(failure)))
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Decode, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use ReportFormat::{Csv, CsvV20, Html, JsonV1, JsonV20};

    const LOGIN: &str = "\u{feff}\n<!DOCTYPE html><title>Sign in</title><FORM action=/login><input type=\"password\">";
    const REPORT: &str = "<!DOCTYPE html><html><table><tr><td>Storage</td></tr></table></html>";
    const HEADER: &str = "tenant.id,tenant.kind,application.name,name,measurement_unit,is_range,infra.id,infra.owner_id,usage.absolute.production,usage.absolute.trial,usage.absolute.total,usage.delta.production,usage.delta.trial,usage.delta.total";

    async fn check(format: &ReportFormat, content: impl AsRef<[u8]>) -> Result<()> {
        let mut saved = SavedContent::new(format.clone());
        // Byte by byte: chunks may have any size.
        for byte in content.as_ref() {
            saved.write_all(&[*byte]).unwrap();
        }
        saved.check().await
    }

    fn other(format: &str) -> ReportFormat {
        format.parse().unwrap()
    }

    fn all_formats() -> [ReportFormat; 8] {
        [Csv, CsvV20, Html, JsonV1, JsonV20, other("xlsx"), other("pdf"), other("xml")]
    }

    fn utf_16(mark: &str, text: &str, bytes: impl Fn(u16) -> [u8; 2]) -> Vec<u8> {
        mark.encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[tokio::test]
    async fn login_page_in_any_encoding_is_rejected_for_every_format() {
        let mut pages = vec![LOGIN.as_bytes().to_vec()];
        for before in ["\u{b}", "\u{a0}", "\u{200b}", "\0", "\u{feff}\u{feff}", "Error\n", "<!-- -->"] {
            pages.push([before, LOGIN].concat().into_bytes());
        }
        for mark in ["", "\u{feff}"] {
            pages.push(utf_16(mark, LOGIN, u16::to_le_bytes));
            pages.push(utf_16(mark, LOGIN, u16::to_be_bytes));
        }
        for format in all_formats() {
            for page in &pages {
                let error = check(&format, page).await.unwrap_err();
                assert!(error.message().contains(" not a report in the format "), "{format}: {error}");
                assert_eq!(error.hint(), Some(HINT));
            }
        }
        assert!(check(&Html, REPORT).await.is_ok());
        for page in [REPORT, "<h1>Bad Gateway</h1>", "<head></head>", "<!-- --><body>"] {
            let error = check(&CsvV20, page).await.unwrap_err();
            assert!(error.message().contains("is a web page"), "{page}: {error}");
            assert!(check(&other("xlsx"), page).await.is_err(), "{page}");
        }
    }

    #[tokio::test]
    async fn reports_of_each_format_pass() {
        let quoted = HEADER.split(',').map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(",");
        let named = "t-1,customer,backup,<html>,,1,2,3,4,5,6";
        for (format, content) in [
            (Csv, "Tenant,Storage\n"),
            (Csv, "Usage in October\n\nTenant;Storage\n"),
            (CsvV20, HEADER),
            (CsvV20, &format!("\u{feff}{HEADER},new column\r\n")),
            (CsvV20, &format!("{quoted}\n")),
            (CsvV20, &format!("{HEADER}\n{named}\n<html>{named}\n")),
            (JsonV20, "\u{feff} {\"tenants\": []}\n"),
            (JsonV20, "{\"params\": {}, \"tenants\": [{\"tenant\": {\"name\": \"\\n<html>\"}}]}"),
            (JsonV1, "[]"),
            (JsonV1, "{\n\"name\": \"<html>\"}"),
            (Html, "<table><tr><td>404 Not Found, Inc.</td></tr></table>"),
            (Html, "<title>404 Labs</title>"),
            (other("xlsx"), "PK\u{3}\u{4}\0\0<html>"),
            (other("pdf"), "%PDF-1.7\n"),
            (other("xml"), "<?xml version=\"1.0\"?><report/>"),
            (other("binary"), "\0\0\u{1}"),
        ] {
            let outcome = check(&format, content).await;
            assert!(outcome.is_ok(), "{format}: {content}: {outcome:?}");
        }
    }

    #[tokio::test]
    async fn messages_and_blank_bodies_are_not_reports() {
        let gzip = "\u{1f}\u{8b}\u{8}".chars().map(|byte| byte as u8).collect::<Vec<_>>();
        let packed = String::from_utf8_lossy(&gzip).into_owned();
        for (format, content, message) in [
            (CsvV20, "", "is empty"),
            (CsvV20, " \r\n\t\u{feff}\n", "is only whitespace"),
            (CsvV20, "{\"error\": \"maintenance\"}", "is JSON, not a report in the format csv_v2_0"),
            (CsvV20, "Service Unavailable", "lacks tenant.id, "),
            (CsvV20, "Error, try again\n", "lacks tenant.id, "),
            (CsvV20, HEADER.trim_end_matches("usage.delta.total"), "the report lacks usage.delta.total"),
            (CsvV20, &"\0".repeat(100), "is binary data, "),
            (CsvV20, &packed, "lacks tenant.id, "),
            (Csv, "Service Unavailable", "is text that is not a table, "),
            (Csv, "Error, code 7\n <html>", "is a web page, "),
            (Html, "Service Unavailable", "is text that is not HTML, "),
            (Html, "{\"error\": \"maintenance\"}", "is JSON, "),
            (Html, "<html><head><title>502 Bad Gateway</title></head></html>", "is a server's error page, "),
            (JsonV20, "Service Unavailable", "is text that is not JSON, not a report in the format json_v2_0"),
            (JsonV20, "{\"a\":", "cannot be read: "),
            (JsonV20, "{\"error\":\"maintenance\"}", "it has no array `tenants`"),
            (JsonV20, "{\"tenants\":[", "is truncated JSON, "),
            (JsonV1, "{\"a\":", "is truncated JSON, "),
            (other("xlsx"), "Service Unavailable", "is other data, "),
            (other("binary"), &"\0".repeat(100), "is only NUL bytes, "),
        ] {
            let error = check(&format, content).await.unwrap_err();
            assert!(error.message().contains(message), "{format}: {content}: {error}");
        }
        for format in [Csv, CsvV20, Html, JsonV1, JsonV20] {
            let error = check(&format, &gzip).await.unwrap_err();
            assert!(error.message().contains("is gzip within gzip, "), "{format}: {error}");
        }
    }

    #[tokio::test]
    async fn endless_content_is_rejected_early() {
        let header = [HEADER, ","].concat();
        for (format, prefix, piece, message) in [
            (Html, LOGIN, "x", "is a web page with a form"),
            (CsvV20, "", " ", "is only whitespace"),
            (CsvV20, &header, "x", "exceeds the limit"),
            (JsonV20, "{\"a\":\"", "x", "exceeds the limit"),
        ] {
            let mut saved = SavedContent::new(format);
            saved.write_all(prefix.as_bytes()).unwrap();
            let error = loop {
                match saved.check_early().await {
                    Ok(()) => saved.write_all(piece.repeat(4096).as_bytes()).unwrap(),
                    Err(error) => break error,
                }
                assert!(saved.length() < 2 * KEPT as u64, "{message}");
            };
            assert!(error.message().contains(message), "{error}");
        }
    }

    #[tokio::test]
    async fn only_the_prefix_is_kept() {
        let mut saved = SavedContent::new(CsvV20);
        saved.write_all(format!("{HEADER}\n").as_bytes()).unwrap();
        for _ in 0..3 * KEPT / 4096 {
            saved.write_all(&[b'x'; 4096]).unwrap();
            assert!(saved.prefix.capacity() <= 2 * KEPT);
            saved.check_early().await.unwrap();
        }
        assert_eq!(saved.prefix.capacity(), 0);
        assert!(saved.check().await.is_ok());
    }
}
