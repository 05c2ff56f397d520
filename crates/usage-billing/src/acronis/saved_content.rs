//! Whether what is saved can be a report of its format.

use std::io;

use usage_billing_core::{Error, ErrorKind, Result};

use super::types::ReportFormat;

/// Unpacked bytes at the beginning that are examined; a page's form comes early.
const EXAMINED: usize = 64 * 1024;
/// Unpacked bytes within which a report begins.
const MAX_BLANK: u64 = 1 << 20;
/// What login and redirect pages have, and a report, which is only read, has not.
const INTERACTIVE: [&str; 4] = ["<form", "type=\"password\"", "type='password'", "http-equiv=\"refresh\""];

/// The unpacked content as it goes by.
#[derive(Debug)]
pub(super) struct SavedContent {
    format: ReportFormat,
    /// From the first byte that is not whitespace.
    beginning: Vec<u8>,
    length: u64,
    is_checked: bool,
}

impl SavedContent {
    pub(super) fn new(format: ReportFormat) -> Self {
        Self { format, beginning: Vec::new(), length: 0, is_checked: false }
    }

    /// Bytes so far.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// [Checks](Self::check) the content once enough of it is there, so that an endless page is not saved first.
    pub(super) fn check_early(&mut self) -> Result<()> {
        let is_decided = self.beginning.len() >= EXAMINED || (self.beginning.is_empty() && self.length >= MAX_BLANK);
        if self.is_checked || !is_decided {
            return Ok(());
        }
        self.is_checked = true;
        self.check()
    }

    /// # Errors
    /// [`ErrorKind::Decode`] if this is not a report: nothing, whitespace, or a page or message of something on the way.
    pub(super) fn check(&self) -> Result<()> {
        let found = match (self.beginning.first(), &self.format) {
            (None, _) if self.length == 0 => return Err(invalid("the report's file is empty")),
            (None, _) => return Err(invalid("the report's file has nothing but whitespace")),
            (Some(b'<'), ReportFormat::Html) if self.is_interactive() => "a web page with a form or a redirect",
            (Some(b'<'), ReportFormat::Html) => return Ok(()),
            (Some(b'<'), _) if self.is_html() || self.is_known() => "a web page",
            (Some(b'{' | b'['), ReportFormat::JsonV1 | ReportFormat::JsonV20) => return Ok(()),
            (Some(b'{' | b'['), ReportFormat::Csv | ReportFormat::CsvV20 | ReportFormat::Html) => "JSON",
            (Some(_), ReportFormat::JsonV1 | ReportFormat::JsonV20) => "other text than JSON",
            _ => return Ok(()),
        };
        Err(invalid(&format!("the report's file is {found}, not a report in the format {}", self.format)).with_hint(
            "a proxy or a login page may have responded in place of Acronis: download the file with `download` to look at it",
        ))
    }

    fn is_known(&self) -> bool {
        !matches!(self.format, ReportFormat::Unknown(_))
    }

    fn is_html(&self) -> bool {
        let beginning = self.lowercase();
        ["<!doctype html", "<html"].iter().any(|tag| beginning.contains(tag))
    }

    fn is_interactive(&self) -> bool {
        let beginning = self.lowercase();
        INTERACTIVE.iter().any(|mark| beginning.contains(mark))
    }

    fn lowercase(&self) -> String {
        String::from_utf8_lossy(&self.beginning).to_ascii_lowercase()
    }
}

impl io::Write for SavedContent {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut rest = bytes;
        if self.beginning.is_empty() {
            // Also the bytes of a byte order mark, in whatever pieces they come.
            let is_blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf);
            rest = &rest[rest.iter().take_while(|byte| is_blank(byte)).count()..];
        }
        let kept = rest.len().min(EXAMINED - self.beginning.len());
        self.beginning.extend_from_slice(&rest[..kept]);
        self.length += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorKind::Decode, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn check(format: &ReportFormat, content: &str) -> Result<()> {
        let mut saved = SavedContent::new(format.clone());
        // Byte by byte, as bytes may come.
        for byte in content.as_bytes() {
            saved.write_all(&[*byte]).unwrap();
        }
        saved.check()
    }

    const LOGIN: &str = "\u{feff}\n<!DOCTYPE html><title>Sign in</title><FORM action=/login><input type=\"password\">";
    const REPORT: &str = "<!DOCTYPE html><html><table><tr><td>Storage</td></tr></table></html>";

    #[test]
    fn a_login_page_is_not_a_report_of_any_format() {
        use ReportFormat::{Csv, CsvV20, Html, JsonV1, JsonV20};
        for format in [Csv, CsvV20, Html, JsonV1, JsonV20, "xlsx".parse().unwrap()] {
            let error = check(&format, LOGIN).unwrap_err();
            assert!(error.message().contains("a web page"), "{format}: {error}");
        }
        assert!(check(&Html, REPORT).is_ok());
        assert!(check(&CsvV20, REPORT).is_err());
        assert!(check(&CsvV20, "<h1>Bad Gateway</h1>").is_err());
    }

    #[test]
    fn reports_of_each_format_pass() {
        use ReportFormat::{Csv, CsvV20, JsonV1, JsonV20};
        for (format, content) in [
            (Csv, "Tenant,Storage\n"),
            (CsvV20, "\u{feff}tenant.id,name\n"),
            (CsvV20, "\"tenant.id\",name\n"),
            (JsonV20, "\u{feff} {\"tenants\": []}"),
            (JsonV1, "[]"),
            ("xlsx".parse().unwrap(), "PK\u{3}\u{4}"),
            ("xml".parse().unwrap(), "<?xml version=\"1.0\"?><report/>"),
        ] {
            assert!(check(&format, content).is_ok(), "{format}: {content}");
        }
    }

    #[test]
    fn messages_and_blank_bodies_are_not_reports() {
        use ReportFormat::{CsvV20, JsonV20};
        for (format, content, message) in [
            (CsvV20, "", "the report's file is empty"),
            (CsvV20, " \r\n\t\u{feff}\n", "the report's file has nothing but whitespace"),
            (CsvV20, "{\"error\": \"maintenance\"}", "the report's file is JSON, not a report in the format csv_v2_0"),
            (
                JsonV20,
                "Service Unavailable",
                "the report's file is other text than JSON, not a report in the format json_v2_0",
            ),
        ] {
            assert_eq!(check(&format, content).unwrap_err().message(), message);
        }
    }

    #[test]
    fn an_endless_page_is_decided_early() {
        let mut saved = SavedContent::new(ReportFormat::Html);
        saved.write_all(LOGIN.as_bytes()).unwrap();
        while saved.check_early().is_ok() {
            saved.write_all(&[b'x'; 4096]).unwrap();
        }
        assert!(saved.length() < 2 * EXAMINED as u64);
    }

    #[test]
    fn endless_whitespace_is_decided_early() {
        let mut saved = SavedContent::new(ReportFormat::CsvV20);
        while saved.check_early().is_ok() {
            saved.write_all(&[b' '; 4096]).unwrap();
        }
        assert_eq!(saved.length(), MAX_BLANK);
    }
}
