//! Acronis: what each operation sends, and what every operation withstands.

use usage_billing_tests::{Acronis, robustness};

#[tokio::test]
async fn documented_errors_are_told() {
    robustness::documented_errors_are_told::<Acronis>().await;
}

#[tokio::test]
async fn a_proxys_page_keeps_its_status() {
    robustness::a_proxys_page_keeps_its_status::<Acronis>().await;
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_a_lost_connection() {
    robustness::a_body_that_is_cut_off_is_a_lost_connection::<Acronis>().await;
}

#[tokio::test]
async fn an_error_that_is_cut_off_keeps_its_status() {
    robustness::an_error_that_is_cut_off_keeps_its_status::<Acronis>().await;
}

#[tokio::test]
async fn a_page_that_says_200_is_no_answer() {
    robustness::a_page_that_says_200_is_no_answer::<Acronis>().await;
}

#[tokio::test]
async fn what_a_vendor_may_add_or_leave_out_decodes() {
    robustness::what_a_vendor_may_add_or_leave_out_decodes::<Acronis>().await;
}

