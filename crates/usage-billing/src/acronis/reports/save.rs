//! Saves of report files to disk.

use std::io::{self, Write};
use std::path::Path;

use flate2::write::MultiGzDecoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use usage_billing_core::{Error, ErrorKind, Result, printable};

use crate::acronis::report_file::limits::{IDLE_GZIP_BYTES, exceeded};
use crate::acronis::reports::download::{Reader, ReportBody, unreadable};
use crate::acronis::reports::save_target::{PartFile, SaveTarget};
use crate::acronis::reports::saved_content::SavedContent;
use crate::acronis::{Client, StoredFile, types};

/// The size of a write.
const CHUNK_BYTES: usize = 64 * 1024;

impl Client {
    /// Downloads a file of any format to `path`, unpacked, or as gzip if the path ends with `.gz`. Returns the number of bytes written.
    ///
    /// The save is atomic: a partial file beside the target replaces it once it is complete and on disk. If the future is dropped, the partial
    /// file is removed. If the process is killed, the next save to the same path removes it; partial files of running processes are kept. A
    /// truncated download is restarted at most twice.
    ///
    /// - An existing file is replaced and keeps its mode, without set-user-id, set-group-id and sticky bits. Its owner becomes the user of this
    ///   process. Access control lists, extended attributes and other hard links stay with the old content.
    /// - A symbolic link is followed and stays a link: its target is replaced, or created if it does not exist.
    /// - A path that ends in a slash, directories, devices, pipes and sockets are rejected before the download, and so is a directory in which
    ///   no file can be created.
    /// - A body that is empty or blank, or that is not in the file's format (a proxy's login page, an error message), is rejected. `csv_v2_0` and
    ///   `json_v2_0` must have the columns and the array that [`rows`](Self::rows) requires. Human-readable formats are checked less
    ///   strictly: `html` is HTML without a form, a redirect or a title such as `502 Bad Gateway`; `csv` is text with a comma, a semicolon or a
    ///   tab and without a web page; `json_v1` is an object or an array; UTF-16 is rejected. An error page or message that satisfies these checks
    ///   is saved.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be written; [`ErrorKind::Decode`] if it is not a report or not complete gzip; otherwise the
    /// errors of the call.
    pub async fn save_to(&self, file: &StoredFile, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let part = open_part(path)?;
        let form = |body: ReportBody| if is_packed(path) { body.compressed() } else { body.decompressed() };
        let written = self.read_with_restart(file, |body| write(form(body), &part, path, &file.format)).await?;
        part.persist().map_err(|error| write_error(path, error))?;
        Ok(written)
    }
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

/// Opens the partial file. It blocks no longer than a write that tokio would move to a thread.
fn open_part(path: &Path) -> Result<PartFile> {
    let open = || {
        let target = SaveTarget::new(path)?;
        target.remove_abandoned_parts();
        target.create_part()
    };
    open().map_err(|error| write_error(path, error))
}

fn write_error(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::File, format!("{} cannot be written: {error}", printable(&path.to_string_lossy())))
        .with_source(error)
}

/// Writes all of `from` into the partial file, and checks that it is a report.
async fn write(mut from: Reader, part: &PartFile, path: &Path, format: &types::ReportFormat) -> Result<u64> {
    let failed = |error| write_error(path, error);
    let mut to = part.restart().map_err(failed)?;
    let mut content = ContentCheck::new(is_packed(path), format);
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut written = 0;
    loop {
        let read = from.read(&mut chunk).await.map_err(unreadable)?;
        if read == 0 {
            break;
        }
        content.add(&chunk[..read]).await?;
        to.write_all(&chunk[..read]).await.map_err(failed)?;
        written += read as u64;
    }
    content.finish().await?;
    to.flush().await.map_err(failed)?;
    to.sync_all().await.map_err(failed)?;
    Ok(written)
}

/// Checks the unpacked content of the file. Gzip that is saved as received is not read by anything else.
enum ContentCheck {
    Packed(Box<Packed>),
    Plain(SavedContent),
}

struct Packed {
    unpacked: MultiGzDecoder<SavedContent>,
    is_empty: bool,
    /// Packed bytes since the last unpacked byte.
    idle: u64,
}

impl ContentCheck {
    fn new(is_packed: bool, format: &types::ReportFormat) -> Self {
        let content = SavedContent::new(format.clone());
        if is_packed {
            let unpacked = MultiGzDecoder::new(content);
            Self::Packed(Box::new(Packed { unpacked, is_empty: true, idle: 0 }))
        } else {
            Self::Plain(content)
        }
    }

    /// Fails once it is clear that this is not a report.
    async fn add(&mut self, chunk: &[u8]) -> Result<()> {
        match self {
            Self::Plain(content) => {
                content.write_all(chunk).map_err(unreadable)?;
                content.check_early().await
            }
            Self::Packed(packed) => packed.add(chunk).await,
        }
    }

    async fn finish(self) -> Result<()> {
        match self {
            Self::Plain(mut content) => content.check().await,
            Self::Packed(packed) => packed.finish().await,
        }
    }
}

impl Packed {
    async fn add(&mut self, chunk: &[u8]) -> Result<()> {
        let before = self.unpacked.get_ref().length();
        self.unpacked.write_all(chunk).map_err(unreadable)?;
        self.is_empty = false;
        self.idle = if self.unpacked.get_ref().length() > before { 0 } else { self.idle + chunk.len() as u64 };
        if self.idle > IDLE_GZIP_BYTES {
            return Err(exceeded("gzip without content", "1 MiB"));
        }
        self.unpacked.get_mut().check_early().await
    }

    async fn finish(mut self) -> Result<()> {
        // An empty body is not gzip; it is reported as empty.
        if !self.is_empty {
            self.unpacked.try_finish().map_err(unreadable)?;
        }
        self.unpacked.get_mut().check().await
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

    use super::*;
    use types::ReportFormat::{self, CsvV20};

    fn reader(bytes: impl tokio::io::AsyncRead + Send + 'static) -> Reader {
        Box::pin(bytes)
    }

    /// Saves in a format whose content is not checked.
    async fn save(from: Reader, path: &Path) -> Result<u64> {
        save_as(&"text".parse().unwrap(), from, path).await
    }

    async fn save_as(format: &ReportFormat, from: Reader, path: &Path) -> Result<u64> {
        let part = open_part(path)?;
        let written = write(from, &part, path, format).await?;
        part.persist().map_err(|error| write_error(path, error))?;
        Ok(written)
    }

    async fn body(chunks: Vec<Result<Bytes>>) -> ReportBody {
        ReportBody::new(stream::iter(chunks)).await.unwrap()
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn left(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn a_file_is_replaced_only_by_a_complete_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        assert_eq!(save(reader(&b"first"[..]), &path).await.unwrap(), 5);
        let lost = Error::new(ErrorKind::Connection, "connection lost");
        let truncated = body(vec![Ok(Bytes::from("second")), Err(lost)]).await.decompressed();
        assert_eq!(save(truncated, &path).await.unwrap_err().kind(), ErrorKind::Connection);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(left(folder.path()), ["report.csv"], "no partial file is left");
    }

    #[tokio::test]
    async fn restarted_attempt_overwrites_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let part = open_part(&path).unwrap();
        let format = "text".parse().unwrap();
        write(reader(&b"a longer first attempt"[..]), &part, &path, &format).await.unwrap();
        write(reader(&b"second"[..]), &part, &path, &format).await.unwrap();
        part.persist().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"second");
    }

    #[tokio::test]
    async fn gzip_that_is_kept_as_received_is_kept_only_if_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv.gz");
        let packed = gzip(b"a,b\n1,2\n");
        let save = async |bytes: Vec<u8>| save(body(vec![Ok(Bytes::from(bytes))]).await.compressed(), &path).await;
        for length in 2..packed.len() {
            assert_eq!(save(packed[..length].to_vec()).await.unwrap_err().kind(), ErrorKind::Decode, "{length}");
        }
        let mut corrupt = packed.clone();
        corrupt[12] ^= 1;
        assert_eq!(save(corrupt).await.unwrap_err().kind(), ErrorKind::Decode);
        assert!(left(folder.path()).is_empty());
        assert_eq!(save(packed.clone()).await.unwrap(), packed.len() as u64);
        assert_eq!(save(packed.repeat(2)).await.unwrap(), 2 * packed.len() as u64);
        assert_eq!(std::fs::read(&path).unwrap(), packed.repeat(2));
    }

    #[tokio::test]
    async fn empty_blank_and_web_page_bodies_are_rejected_packed_or_not() {
        let folder = tempfile::tempdir().unwrap();
        for (content, message) in [
            ("", "the report's file is empty"),
            (" \n", "the report's file is only whitespace"),
            ("<html>Sign in</html>", "the report's file is a web page, not a report in the format csv_v2_0"),
        ] {
            for stored in [content.as_bytes().to_vec(), gzip(content.as_bytes())] {
                let body = async || body(vec![Ok(Bytes::from(stored.clone()))]).await;
                let plain = save_as(&CsvV20, body().await.decompressed(), &folder.path().join("report.csv")).await;
                let packed = save_as(&CsvV20, body().await.compressed(), &folder.path().join("report.csv.gz")).await;
                for error in [plain.unwrap_err(), packed.unwrap_err()] {
                    assert_eq!((error.kind(), error.message()), (ErrorKind::Decode, message));
                }
            }
        }
        assert!(left(folder.path()).is_empty());
        let path = folder.path().join("report.html");
        let html = save_as(&ReportFormat::Html, reader(&b"<html>Usage</html>"[..]), &path);
        assert_eq!(html.await.unwrap(), 18);
    }

    #[tokio::test]
    async fn gzip_without_content_is_not_saved_without_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv.gz");
        let member = Bytes::from(gzip(b"").repeat(1000));
        let endless = stream::iter(std::iter::repeat_with(move || Ok(member.clone())));
        let error = save(ReportBody::new(endless).await.unwrap().compressed(), &path).await.unwrap_err();
        assert!(error.message().ends_with("gzip without content exceeds the limit of 1 MiB"), "{error}");
    }

    #[tokio::test]
    async fn a_dropped_save_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let (never, _held) = tokio::io::simplex(16);
        tokio::select! {
            biased;
            _ = save(reader(never), &path) => unreachable!("it never ends"),
            () = tokio::task::yield_now() => {}
        }
        assert!(left(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn a_missing_directory_is_named() {
        let error = save(reader(&b"x"[..]), Path::new("/nowhere/at all/report.csv")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        let message = "/nowhere/at all/report.csv cannot be written: the directory /nowhere/at all does not exist";
        assert_eq!(error.message(), message);
    }

    #[test]
    fn full_disk_error_names_the_path_on_one_line() {
        let error = write_error(Path::new("/data/report.csv"), io::ErrorKind::StorageFull.into());
        assert_eq!(error.to_string(), "/data/report.csv cannot be written: no storage space");
    }
}
