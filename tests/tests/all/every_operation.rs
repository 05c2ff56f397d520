//! Checks of every operation of every vendor.

use usage_billing_tests::{Acronis, Genesys, Suger, robustness};

macro_rules! tests_of {
    ($vendor:ident in $module:ident: $($check:ident),+) => {
        mod $module {
            use super::*;

            $(
                #[tokio::test]
                async fn $check() {
                    robustness::$check::<$vendor>().await;
                }
            )+
        }
    };
}

macro_rules! tests_of_every_vendor {
    ($($check:ident),+ $(,)?) => {
        tests_of!(Acronis in acronis: $($check),+);
        tests_of!(Genesys in genesys: $($check),+);
        tests_of!(Suger in suger: $($check),+);
    };
}

tests_of_every_vendor! {
    examples_round_trip,
    documented_errors_are_reported,
    proxy_page_keeps_its_status,
    status_500_is_retried_where_safe,
    truncated_body_is_a_lost_connection,
    truncated_error_keeps_its_status,
    html_with_status_200_is_rejected,
    empty_success_is_rejected,
    added_and_missing_fields_decode,
    unnamed_list_may_be_null,
}
