//! A report that was made is found, named and read later; it is not made twice.

use usage_billing::acronis::types::ReportFormat;
use usage_billing::acronis::{ReportFiles, StoredFile};
use usage_billing::{PollResult, Poller};

use super::{PATIENCE, client, files, inject, reports, sandbox, september, summary, tenant, told};

#[tokio::test(start_paused = true)]
async fn a_report_whose_creation_was_not_answered_is_found_and_not_made_again() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let today = "2026-11-21".parse().unwrap();
    for (fault, is_made) in
        [("reset_before", false), ("503", false), ("reset_after", true), ("503; after_effect", true)]
    {
        inject(&sandbox, &format!("{fault}; times=1; operation=create_report"));
        let error = client.create_report(&summary()).await.unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains("among the tenant's reports")), "{fault}: {error}");
        assert_eq!(reports(&sandbox).await, usize::from(is_made), "{fault}");
        let found = client.find_report(&summary(), today).await.unwrap();
        assert_eq!(found.is_some(), is_made, "{fault}");
        if let Some(mut report) = found {
            let files = report.wait(PATIENCE).await.unwrap().saved;
            assert!(!client.usage_from_file(&files[0]).await.unwrap().is_empty());
            assert!(client.find_report(&summary().show_skus(false), today).await.unwrap().is_none());
            assert!(client.find_report(&summary(), "2026-11-22".parse().unwrap()).await.unwrap().is_none());
            client.delete_report(files[0].report_id).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_was_made_is_named_by_whatever_fails_afterwards_and_can_be_read_later() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = told(&client.usage(september(), PATIENCE).await.unwrap());
    for (fault, words) in [
        ("404; operation=list_stored_reports", "404"),
        ("cut_body; operation=download_stored_report", ""),
        ("403; operation=download_stored_report", "needs one of the permissions"),
    ] {
        inject(&sandbox, fault);
        let error = client.usage(september(), PATIENCE).await.unwrap_err().to_string();
        sandbox.clear_faults();
        let (before, after) = error.split_once("report ").expect("a report");
        assert!(before.contains(words) && after.ends_with(" is stored at Acronis: resume it by its id"), "{error}");
        let id = after.split(' ').next().unwrap().parse().unwrap();
        let again = client.usage_from_report(&mut client.report(id).await.unwrap(), PATIENCE).await.unwrap();
        assert_eq!(told(&again), undisturbed, "{fault}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_cannot_be_asked_for_to_the_end_of_the_wait_may_still_come() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    inject(&sandbox, "500; operation=list_stored_reports");
    let error = client.usage(september(), std::time::Duration::from_secs(600)).await.unwrap_err();
    assert_eq!(error.kind(), usage_billing::ErrorKind::WaitTimeout);
    assert!(error.message().contains("the last poll failed: list_stored_reports: 500 Internal"), "{error}");
    sandbox.clear_faults();
    let id = error.message().split(' ').nth(2).unwrap().parse().unwrap();
    assert!(!client.usage_from_report(&mut client.report(id).await.unwrap(), PATIENCE).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_several_formats_the_first_that_holds_rows_is_read() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let undisturbed = told(&client.usage(september(), PATIENCE).await.unwrap());
    let file = files(&client, &summary()).await.remove(0);
    let mut for_people = file.clone();
    for_people.format = ReportFormat::Csv;
    let done_with = |files: Vec<StoredFile>| {
        Poller::new("report", file.report_id.to_string(), move || {
            std::future::ready(Ok(PollResult::Ready(ReportFiles::from(files.clone()))))
        })
    };
    let mut report = done_with(vec![for_people.clone(), file.clone()]);
    assert_eq!(told(&client.usage_from_report(&mut report, PATIENCE).await.unwrap()), undisturbed);
    let error = client.usage_from_report(&mut done_with(vec![for_people]), PATIENCE).await.unwrap_err();
    let expected = format!(
        "rows are read from csv_v2_0 and json_v2_0 files; csv is a human-readable format -> this is report {}",
        file.report_id
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn usage_goes_on_with_the_report_whose_creation_was_not_answered_and_makes_no_other() {
    let sandbox = sandbox().await;
    let client = client(&sandbox);
    let month = usage_billing::Period::last_month(usage_billing_tests::now());
    let undisturbed = told(&client.usage(month, PATIENCE).await.unwrap());
    for old in client.api().list_tenant_reports().tenant_id(tenant()).send().await.unwrap().items.clone() {
        client.delete_report(old).await.unwrap();
    }
    for (fault, is_made) in [
        ("reset_after; times=1", true),
        ("503; after_effect; times=1", true),
        ("504; after_effect; times=1", true),
        ("cut_body; times=1", true),
        // Not created, and listed by nobody: created again, twice at most.
        ("reset_before; times=1", true),
        ("503; times=2", true),
        ("502; times=3", false),
        // Whether the server behind the gateway still creates it is unknown.
        ("504; times=1", false),
    ] {
        let before = reports(&sandbox).await;
        sandbox.clear_faults();
        inject(&sandbox, &format!("{fault}; operation=create_report"));
        let usage = client.usage(month, PATIENCE).await;
        assert_eq!(reports(&sandbox).await, before + usize::from(is_made), "{fault}");
        assert_eq!(usage.is_ok(), is_made, "{fault}: {usage:?}");
        if let Ok(rows) = usage {
            assert_eq!(told(&rows), undisturbed, "{fault}");
            client.delete_report(rows[0].source_report_id.as_deref().unwrap().parse().unwrap()).await.unwrap();
        }
    }
}
