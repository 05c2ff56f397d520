//! Text from a vendor cannot forge a line of output, in any part of a response.

use std::time::Duration;

use usage_billing::{PollResult, Poller};
use usage_billing_core::Error;
use usage_billing_tests::{ScriptedResponse, ScriptedServer, suger};

/// A value, in JSON, that would forge a line, control a terminal and reorder text.
const HOSTILE: &str = r"RUN\nerror: forged line\r\u001b[2K\u0007\u0000\u202e\u2066\u2028\u0085\ufeff\u200b";

fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Checks everything that an error may print.
fn check(error: &Error, context: &str) {
    let mut outputs = vec![error.to_string(), format!("{error:?}"), format!("{error:#?}")];
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        outputs.extend([source.to_string(), format!("{source:?}"), format!("{source:#?}")]);
        cause = source.source();
    }
    for text in outputs {
        assert!(!text.contains(is_hostile), "{context}: {text:?}");
        assert!(text.chars().count() <= 2000, "{context}: {} characters", text.chars().count());
    }
}

async fn error_of(response: ScriptedResponse) -> Error {
    let server = ScriptedServer::in_turn(vec![response]);
    let client = suger(server.url()).build().unwrap();
    client.get_billable_metric().org_id("acme").billable_metric_id("m-1").send().await.unwrap_err()
}

#[tokio::test]
async fn error_response_is_one_bounded_line() {
    let long = "x".repeat(5_000_000);
    for value in [HOSTILE.to_owned(), format!("{HOSTILE}{long}"), long.clone()] {
        for body in [
            format!(r#"{{"code":"{value}","message":"no"}}"#),
            format!(r#"{{"code":"c","message":"{value}"}}"#),
            format!(r#"{{"error":{{"code":"{value}","details":{{"info":"{value}"}}}}}}"#),
            format!(r#"{{"error":"{value}","error_description":"{value}"}}"#),
            format!(r#""{value}""#),
            format!("<html><title>a\u{1b}[2K\u{202e}{value}</title>"),
            format!("a\n\u{1b}[2K\u{202e}error: forged {value}"),
        ] {
            let error = error_of(ScriptedResponse::json(400, &body)).await;
            check(&error, &body.chars().take(80).collect::<String>());
        }
    }
    let id = format!("\t{}", "i".repeat(5000));
    let error = error_of(ScriptedResponse::new(400, &[("x-correlation-id", &id)], "{}")).await;
    check(&error, "request id");
    assert!(error.request_id().is_some_and(|id| id.len() == 5000), "unchanged");
}

#[tokio::test]
async fn decode_error_is_one_bounded_line() {
    for value in [HOSTILE.to_owned(), "x".repeat(1_000_000)] {
        for body in [
            format!(r#"{{"creationTime":"{value}"}}"#),
            format!(r#"{{"id":{{"{value}":1}}}}"#),
            format!(r#"{{"{value}":"#),
            format!(r#"["{value}"]"#),
            format!("<title>{value}"),
        ] {
            let error = error_of(ScriptedResponse::json(200, &body)).await;
            check(&error, &body.chars().take(80).collect::<String>());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn status_and_id_of_a_report_are_escaped() {
    let status: String = serde_json::from_str(&format!(r#""{HOSTILE}""#)).unwrap();
    let mut report = Poller::<()>::new("report", "q-\u{202e}1\n".to_owned(), move || {
        let status = Some(status.clone());
        async { Ok(PollResult::Pending { status, retry_after: None }) }
    });
    let error = report.wait(Duration::from_secs(5)).await.unwrap_err();
    check(&error, "status");
    assert!(error.to_string().contains(r"RUN\nerror: forged line\r\u{1b}[2K\u{7}\u{0}\u{202e}"), "{error}");
}

#[test]
fn quoted_settings_are_escaped() {
    let text = format!("a b\n\u{1b}\u{202e}{}", "x".repeat(100_000));
    check(&text.parse::<usage_billing_genesys::Region>().unwrap_err(), "region");
    check(&text.parse::<usage_billing_acronis::DataCenter>().unwrap_err(), "data centre");
    check(&text.parse::<usage_billing::Period>().unwrap_err(), "period");
    check(&suger(&text).build().unwrap_err(), "base URL");
}
