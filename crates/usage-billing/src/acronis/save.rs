//! A report's file kept on disk.

use std::io::Write;
use std::path::Path;

use flate2::write::MultiGzDecoder;
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use usage_billing_core::{Error, ErrorKind, Result};

use super::download::{Arriving, Reader, unreadable};
use super::{Client, StoredFile};

/// Bytes that are written at a time.
const PIECE: usize = 64 * 1024;

impl Client {
    /// Downloads a file of any format to `path`, unpacked, or as gzip if the path ends with `.gz`. Gives the bytes written.
    ///
    /// The file is there as a whole or not at all: a temporary one beside it takes its place once it is complete and on disk. It goes
    /// with the future if that is dropped. A file that was there before is replaced. A download that is cut off is begun anew, twice at most.
    ///
    /// # Errors
    /// [`ErrorKind::File`] if it cannot be written; [`ErrorKind::Decode`] if it is empty or no whole gzip; those of the call.
    pub async fn save_to(&self, file: &StoredFile, path: impl AsRef<Path>) -> Result<u64> {
        let path = path.as_ref();
        let form = |arriving: Arriving| if is_packed(path) { arriving.gzip() } else { arriving.plain() };
        self.read_whole(file, |arriving| write(form(arriving), path)).await
    }
}

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"))
}

async fn write(mut from: Reader, path: &Path) -> Result<u64> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::File, format!("{} cannot be written: {error}", path.display())).with_source(error)
    };
    // Opening and renaming block for no longer than a write that tokio would hand to a thread.
    let (to, place) = temporary(path).map_err(failed)?.into_parts();
    let mut to = File::from_std(to);
    // Nothing else has looked at gzip that is kept as it came.
    let mut unpacked = is_packed(path).then(|| MultiGzDecoder::new(std::io::sink()));
    let mut piece = vec![0; PIECE];
    let mut written = 0;
    loop {
        let read = from.read(&mut piece).await.map_err(unreadable)?;
        if read == 0 {
            break;
        }
        if let Some(unpacked) = &mut unpacked {
            unpacked.write_all(&piece[..read]).map_err(unreadable)?;
        }
        to.write_all(&piece[..read]).await.map_err(failed)?;
        written += read as u64;
    }
    if let Some(mut unpacked) = unpacked {
        unpacked.try_finish().map_err(unreadable)?;
    }
    if written == 0 {
        return Err(Error::new(ErrorKind::Decode, "the report's file is empty"));
    }
    to.flush().await.map_err(failed)?;
    to.sync_all().await.map_err(failed)?;
    place.persist(path).map_err(|error| failed(error.error))?;
    Ok(written)
}

/// Beside the place, for a rename works within one file system only; with the rights of any new file, not the narrow ones of a temporary one.
fn temporary(path: &Path) -> std::io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".usage-billing-").suffix(".part");
    #[cfg(unix)]
    let everyone: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(everyone);
    match path.parent() {
        Some(folder) if folder != Path::new("") => builder.tempfile_in(folder),
        _ => builder.tempfile_in("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(bytes: impl tokio::io::AsyncRead + Send + 'static) -> Reader {
        Box::pin(bytes)
    }

    fn left(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn a_file_is_replaced_only_by_a_whole_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        assert_eq!(write(reader(&b"first"[..]), &path).await.unwrap(), 5);
        let lost = Error::new(ErrorKind::Connection, "connection lost");
        let chunks = [Ok(bytes::Bytes::from("second")), Err(lost)];
        let cut = Arriving::new(futures_util::stream::iter(chunks)).await.unwrap().plain();
        assert_eq!(write(cut, &path).await.unwrap_err().kind(), ErrorKind::Connection);
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        assert_eq!(left(folder.path()), ["report.csv"], "no temporary file is left");
    }

    #[tokio::test]
    async fn gzip_that_is_kept_as_it_came_is_kept_only_if_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv.gz");
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(b"a,b\n1,2\n").unwrap();
        let whole = encoder.finish().unwrap();
        let save = async |bytes: Vec<u8>| {
            let chunks = [Ok(bytes::Bytes::from(bytes))];
            write(Arriving::new(futures_util::stream::iter(chunks)).await.unwrap().gzip(), &path).await
        };
        for length in 2..whole.len() {
            assert_eq!(save(whole[..length].to_vec()).await.unwrap_err().kind(), ErrorKind::Decode, "{length}");
        }
        let mut spoilt = whole.clone();
        spoilt[12] ^= 1;
        assert_eq!(save(spoilt).await.unwrap_err().kind(), ErrorKind::Decode);
        assert!(left(folder.path()).is_empty());
        assert_eq!(save(whole.clone()).await.unwrap(), whole.len() as u64);
        assert_eq!(save(whole.repeat(2)).await.unwrap(), 2 * whole.len() as u64);
        assert_eq!(std::fs::read(&path).unwrap(), whole.repeat(2));
    }

    #[tokio::test]
    async fn an_empty_file_is_no_report() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(reader(&b""[..]), &folder.path().join("report.csv")).await.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Decode, "the report's file is empty"));
        assert!(left(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn a_save_that_is_given_up_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.csv");
        let (never, _held) = tokio::io::simplex(16);
        let save = write(reader(never), &path);
        assert!(tokio::time::timeout(std::time::Duration::from_millis(20), save).await.is_err());
        assert!(left(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn a_place_that_cannot_be_written_is_named() {
        let error = write(reader(&b"x"[..]), Path::new("/nowhere/at all/report.csv")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        assert!(error.message().starts_with("/nowhere/at all/report.csv cannot be written: "), "{error}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn others_may_read_the_file_as_they_may_any_other() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, usual) = (folder.path().join("a"), folder.path().join("b"));
        write(reader(&b"x"[..]), &ours).await.unwrap();
        std::fs::write(&usual, "x").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&usual));
    }
}
