//! Targets of saved files, and paths that are rejected before the download.

use usage_billing::ErrorKind;

use super::{client, files, inject, sandbox, summary};

#[tokio::test(start_paused = true)]
async fn an_unsuitable_path_is_rejected_before_the_download() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let file = files(&client, &summary()).await.remove(0);
    let folder = tempfile::tempdir().unwrap();
    let folder_path = folder.path().to_str().unwrap();
    // A download would fail with another kind of error.
    inject(&sandbox, "500; operation=download_stored_report");
    for path in [folder_path, &format!("{folder_path}/"), &format!("{folder_path}/none/report.csv"), "/dev/null"] {
        let error = client.save_to(&file, path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File, "{error}");
        assert!(error.message().starts_with(&format!("{path} cannot be written: ")), "{error}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
