//! A created report is found, named and read later, and not created twice.

use usage_billing::acronis::types::ReportFormat;
use usage_billing::acronis::{ReportFiles, StoredFile};
use usage_billing::{PollResult, Poller};

use super::{UNLIMITED, client, files, inject, quantities_by_key, reports, sandbox, september, summary, tenant};

#[tokio::test(start_paused = true)]
async fn report_is_found_after_a_lost_response_to_its_creation() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let today = "2026-11-21".parse().unwrap();
    for (fault, is_created) in
        [("reset_before", false), ("503", false), ("reset_after", true), ("503; after_effect", true)]
    {
        inject(&sandbox, &format!("{fault}; times=1; operation=create_report"));
        let error = client.create_report(&summary()).await.unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("among the tenant's reports")), "{fault}: {error}");
        assert_eq!(reports(&sandbox).await, usize::from(is_created), "{fault}");
        let found = client.find_report(&summary(), today).await.unwrap();
        assert_eq!(found.is_some(), is_created, "{fault}");
        if let Some(mut report) = found {
            let files = report.wait(UNLIMITED).await.unwrap().saved;
            assert!(!client.usage_from_file(&files[0]).await.unwrap().is_empty());
            assert!(client.find_report(&summary().show_skus(false), today).await.unwrap().is_none());
            assert!(client.find_report(&summary(), "2026-11-22".parse().unwrap()).await.unwrap().is_none());
            client.delete_report(files[0].report_id).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn later_failures_name_the_created_report() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = quantities_by_key(&client.usage(september(), UNLIMITED).await.unwrap());
    for (fault, words) in [
        ("404; operation=list_stored_reports", "404"),
        ("cut_body; operation=download_stored_report", ""),
        ("403; operation=download_stored_report", "needs one of the permissions"),
    ] {
        inject(&sandbox, fault);
        let error = client.usage(september(), UNLIMITED).await.unwrap_err().to_string();
        sandbox.clear_faults();
        let (before, after) = error.split_once("report ").expect("a report");
        assert!(before.contains(words) && after.ends_with(" is stored at Acronis: resume it by its id"), "{error}");
        let id = after.split(' ').next().unwrap().parse().unwrap();
        let again = client.usage_from_report(&mut client.report(id).await.unwrap(), UNLIMITED).await.unwrap();
        assert_eq!(quantities_by_key(&again), undisturbed, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn report_can_be_resumed_after_polls_failed_until_timeout() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    inject(&sandbox, "500; operation=list_stored_reports");
    let error = client.usage(september(), std::time::Duration::from_secs(600)).await.unwrap_err();
    assert_eq!(error.kind(), usage_billing::ErrorKind::WaitTimeout);
    assert!(error.message().contains("the last poll failed: list_stored_reports: 500 Internal"), "{error}");
    sandbox.clear_faults();
    let id = error.message().split(' ').nth(2).unwrap().parse().unwrap();
    assert!(!client.usage_from_report(&mut client.report(id).await.unwrap(), UNLIMITED).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn first_format_with_rows_is_read() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = quantities_by_key(&client.usage(september(), UNLIMITED).await.unwrap());
    let file = files(&client, &summary()).await.remove(0);
    let mut human_readable = file.clone();
    human_readable.format = ReportFormat::Csv;
    let done_with = |files: Vec<StoredFile>| {
        Poller::new("report", file.report_id.to_string(), move || {
            std::future::ready(Ok(PollResult::Ready(ReportFiles::from(files.clone()))))
        })
    };
    let mut report = done_with(vec![human_readable.clone(), file.clone()]);
    assert_eq!(quantities_by_key(&client.usage_from_report(&mut report, UNLIMITED).await.unwrap()), undisturbed);
    let error = client.usage_from_report(&mut done_with(vec![human_readable]), UNLIMITED).await.unwrap_err();
    let expected = format!(
        "rows are read from csv_v2_0 and json_v2_0 files; csv is a human-readable format -> this is report {}",
        file.report_id
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn usage_continues_with_report_after_lost_response() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let month = usage_billing::Period::last_month(usage_billing_tests::now());
    let undisturbed = quantities_by_key(&client.usage(month, UNLIMITED).await.unwrap());
    for old in client.api().list_tenant_reports().tenant_id(tenant()).send().await.unwrap().items.clone() {
        client.delete_report(old).await.unwrap();
    }
    for (fault, is_created) in [
        ("reset_after; times=1", true),
        ("503; after_effect; times=1", true),
        ("504; after_effect; times=1", true),
        ("cut_body; times=1", true),
        // Neither created nor listed: it is created again, at most twice.
        ("reset_before; times=1", true),
        ("503; times=2", true),
        ("502; times=3", false),
        // Whether the server behind the gateway still creates it is unknown.
        ("504; times=1", false),
    ] {
        let before = reports(&sandbox).await;
        sandbox.clear_faults();
        inject(&sandbox, &format!("{fault}; operation=create_report"));
        let usage = client.usage(month, UNLIMITED).await;
        assert_eq!(reports(&sandbox).await, before + usize::from(is_created), "{fault}");
        assert_eq!(usage.is_ok(), is_created, "{fault}: {usage:?}");
        if let Ok(rows) = usage {
            assert_eq!(quantities_by_key(&rows), undisturbed, "{fault}");
            client.delete_report(rows[0].source_report_id.as_deref().unwrap().parse().unwrap()).await.unwrap();
        }
    }
}
