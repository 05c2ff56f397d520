//! No secret in `Debug` or in an error.

use usage_billing_core::{Auth, Credentials, Error, ErrorKind, RetryPolicy, SecretString, SecretText};
use usage_billing_tests::{ScriptedResponse, ScriptedServer, acronis, genesys, http, suger};

const SECRET: &str = "hush-";

#[tokio::test]
async fn debug_of_public_types_hides_secrets() {
    let server = ScriptedServer::start(|request| {
        if request.target.contains("token") {
            ScriptedResponse::json(200, r#"{"access_token":"hush-token","expires_in":600}"#)
        } else {
            ScriptedResponse::json(403, r#"{"message":"not yours"}"#)
        }
    });
    let genesys = genesys(server.url());
    let suger = suger(server.url());
    let acronis = acronis(server.url());
    let mut printed = vec![
        format!("{genesys:?} {suger:?} {acronis:?}"),
        format!("{:?}", Credentials::new("id", "hush-secret")),
        format!("{:?}", Auth::header("Key", "hush-key")),
        format!("{:?}", Auth::client_credentials(server.url(), Credentials::new("id", "hush-secret"))),
        format!("{:?}", SecretText::from("hush-text".to_owned())),
        format!("{:?}", SecretString::from("hush-text")),
    ];
    let (genesys, suger, acronis) = (genesys.build().unwrap(), suger.build().unwrap(), acronis.build().unwrap());
    let error = genesys.get_license_definitions().send().await.unwrap_err();
    // Again after the first call: now a token is cached.
    printed.push(format!("{genesys:?} {:?} {error} {error:?}", genesys.get_license_definitions()));
    let error = suger.list_billable_metrics().org_id("acme").send().await.unwrap_err();
    printed.push(format!("{suger:?} {error} {error:?} {:#?}", std::error::Error::source(&error)));
    let error = acronis.list_applications().send().await.unwrap_err();
    printed.push(format!("{acronis:?} {error} {error:?}"));
    for text in printed {
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[tokio::test]
async fn secret_in_a_response_is_hidden_but_can_be_read() {
    let client =
        r#"{"entities":[{"id":"c-1","name":"App","authorizedGrantType":"CLIENT-CREDENTIALS","secret":"hush-client"}]}"#;
    let server = ScriptedServer::start(move |request| {
        if request.target == "/oauth/token" {
            ScriptedResponse::json(200, r#"{"access_token":"t","expires_in":600}"#)
        } else {
            ScriptedResponse::json(200, client)
        }
    });
    let list = genesys(server.url()).build().unwrap().get_oauth_clients().send().await.unwrap();
    assert!(!format!("{list:?}").contains(SECRET));
    let secret = list.entities[0].secret.as_ref().map(SecretText::expose);
    assert_eq!(secret, Some("hush-client"));
}

/// Returns a secret of more than 1,000 characters, of which any 20 contain `hush`. Real tokens are as long.
pub(super) fn long(secret: &str) -> String {
    format!("{secret}-{}", "hush0123456789abcdef".repeat(60))
}

/// Returns everything that an error displays.
pub(super) fn displayed_text(error: &Error) -> String {
    let accessors = [error.code(), error.request_id(), error.hint(), Some(error.message())];
    let mut text = format!("{error} {error:?} {error:#?} {accessors:?} {}", String::from_utf8_lossy(error.body()));
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text += &format!(" {source} {source:?}");
        cause = source.source();
    }
    text
}

/// Returns whether the text contains `hush` in any of the forms in which it may be echoed.
pub(super) fn is_secret(text: &str) -> bool {
    // "hush" at the three places of a base64 group.
    ["hush", "%68ush", "%68%75%73%68", "\\u0068ush", "\\u0068\\u0075\\u0073\\u0068", "aHVzaC", "h1c2", "odXNo"]
        .iter()
        .any(|form| text.contains(form))
}

const STATUSES: [u16; 6] = [200, 400, 401, 403, 404, 500];

#[tokio::test]
async fn errors_hide_credentials_that_the_server_echoes() {
    // Characters that URLs, JSON and HTML escape.
    let short = "hush/\"key\"&0123456789";
    for (key, status) in
        [short.to_owned(), long(short)].iter().flat_map(|key| STATUSES.map(|status| (key.clone(), status)))
    {
        let secret = key.clone();
        let server = ScriptedServer::start(move |request| {
            let header = request.header("authorization").unwrap_or_default().to_owned();
            let url = format!("https://x/?key={}", key.replace('/', "%2F").replace('"', "%22").replace('&', "%26"));
            let json = serde_json::json!({
                "code": header, "message": format!("bad {key} {header}"), "error_description": key,
                "creationTime": format!("not a time: {header}"),
                &key: { "url": url, "html": key.replace('&', "&amp;").replace('"', "&quot;") },
            });
            let body = json.to_string().replace("hush/", "\\u0068ush\\/");
            ScriptedResponse::new(status, &[("content-type", "application/json"), ("x-correlation-id", &header)], body)
        });
        let client = usage_billing_suger::Client::builder(secret).base_url(server.url()).http_client(http());
        let client = client.retry(RetryPolicy::none()).build().unwrap();
        let error = client.get_billable_metric().org_id("acme").billable_metric_id("m").send().await.unwrap_err();
        assert!(error.status().is_some_and(|found| found == status), "{error}");
        assert!(error.body().windows(3).any(|part| part == b"***"), "the rest of the body stays");
        assert!(!is_secret(&displayed_text(&error)), "{}", displayed_text(&error));
    }
}

#[tokio::test]
async fn errors_hide_credentials_that_the_token_endpoint_echoes() {
    let (id, short) = ("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264".to_owned(), "hush-secret-0123456789".to_owned());
    let long = long(&short);
    // Swapped in the second and the last case.
    for (id, secret) in [(&id, &short), (&short, &id), (&id, &long), (&long, &id)] {
        let (echoed_id, echoed_secret) = (id.clone(), secret.clone());
        let server = ScriptedServer::start(move |request| {
            let header = request.header("authorization").unwrap_or_default().to_owned();
            let message = format!("unknown client {echoed_id}:{echoed_secret} {header}");
            ScriptedResponse::json(400, &serde_json::json!({"error": header, "error_description": message}).to_string())
        });
        let credentials = || Credentials::new(id, secret.as_str());
        let acronis = usage_billing::acronis::Client::builder(&server.url().parse().unwrap(), credentials());
        let acronis = acronis.http_client(http()).build().unwrap();
        let genesys = usage_billing::genesys::Client::builder(&server.url().parse().unwrap(), credentials());
        let genesys = genesys.http_client(http()).build().unwrap();
        let errors = [
            acronis.own_tenant().await.unwrap_err(),
            acronis.api().list_applications().send().await.unwrap_err(),
            genesys.api().get_license_definitions().send().await.unwrap_err(),
        ];
        for error in errors {
            assert!(!is_secret(&displayed_text(&error)), "{}", displayed_text(&error));
        }
        let debug = format!("{acronis:?} {genesys:?} {:?}", credentials());
        assert!(!is_secret(&debug), "{debug}");
    }
}

#[tokio::test]
async fn errors_hide_a_token_that_an_operation_echoes() {
    let short = "hush-token-0123456789".to_owned();
    for token in [short.clone(), long(&short)] {
        let server = ScriptedServer::start(move |request| match request.target.as_str() {
            "/oauth/token" => ScriptedResponse::json(200, &format!(r#"{{"access_token":"{token}","expires_in":600}}"#)),
            _ => {
                let header = request.header("authorization").unwrap_or_default();
                ScriptedResponse::json(
                    403,
                    &format!(r#"{{"code":"{header}","message":"{header} and hush-secret may not"}}"#),
                )
            }
        });
        let client = genesys(server.url()).build().unwrap();
        let error = client.get_license_definitions().send().await.unwrap_err();
        assert!(!is_secret(&displayed_text(&error)), "{}", displayed_text(&error));
        assert_eq!((error.code(), error.message()), (Some("Bearer ***"), "Bearer *** and *** may not"));
    }
}

/// Returns the error of a list whose response is `response`, from a client with this key.
async fn error_of(key: &str, response: ScriptedResponse) -> Error {
    let server = ScriptedServer::in_turn(vec![response]);
    let client = usage_billing_suger::Client::builder(key.to_owned()).base_url(server.url()).http_client(http());
    client.build().unwrap().list_usage_record_groups().org_id("acme").send().await.unwrap_err()
}

#[tokio::test]
async fn secret_is_masked_before_truncation() {
    for key in ["hush-key-0123456789abcdef".to_owned(), long("hush-key")] {
        // The limit of what is displayed falls into the secret.
        for before in [0, 1, 190, 197, 395] {
            let text = format!("{}{key}", &"x ".repeat(before)[..before]);
            let groups = [
                serde_json::json!({ "creationTime": text }),
                serde_json::json!({ "records": { &text: "y" } }),
                serde_json::json!({ "metaInfo": text }),
            ];
            let bodies = groups.map(|group| serde_json::json!({ "usageRecordGroups": [group] }).to_string());
            for body in bodies.into_iter().chain([format!("<html><title>{text}</title>"), format!("{{{text}")]) {
                let error = error_of(&key, ScriptedResponse::json(200, &body)).await;
                assert!(!is_secret(&displayed_text(&error)), "{}", displayed_text(&error));
            }
        }
    }
}

#[tokio::test]
async fn error_body_truncated_within_a_secret_hides_its_prefix() {
    for key in ["hush-key-0123456789abcdef".to_owned(), long("hush-key")] {
        let escaped: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for echo in [key.clone(), format!("Key {key}"), escaped] {
            for kept in [4, 9, 20] {
                // The first 64 KiB are kept.
                let full = format!("{}{echo}", " ".repeat(64 * 1024 - kept));
                let quoted = format!("{{\"message\":\"{}{echo}", &"x ".repeat(32 * 1024)[..64 * 1024 - kept - 12]);
                // The connection is lost.
                for response in [
                    ScriptedResponse::json(400, &full),
                    ScriptedResponse::json(400, &quoted),
                    ScriptedResponse::truncated(400, &echo[..kept]),
                ] {
                    let error = error_of(&key, response).await;
                    assert_eq!(error.status().map(|status| status.as_u16()), Some(400));
                    assert!(!is_secret(&displayed_text(&error)), "{kept}: {:.500}", displayed_text(&error));
                }
            }
        }
    }
}

#[test]
fn http_is_rejected_for_every_url_that_gets_a_secret() {
    let credentials = || Credentials::new("id", "hush-secret");
    let url = "http://api.example.test";
    let errors = [
        usage_billing_suger::Client::builder("hush-key".to_owned()).base_url(url).http_client(http()).build().map(drop),
        usage_billing_genesys::Client::builder(&url.parse().unwrap(), credentials())
            .http_client(http())
            .build()
            .map(drop),
        usage_billing_acronis::Client::builder(&url.parse().unwrap(), credentials())
            .http_client(http())
            .build()
            .map(drop),
        // The token URL alone.
        usage_billing_acronis::Client::builder(&url.parse().unwrap(), credentials())
            .base_url("https://api.example.test")
            .http_client(http())
            .build()
            .map(drop),
    ];
    for outcome in errors {
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains("unencrypted") && error.kind() == ErrorKind::Config, "{error}");
    }
    let builder = usage_billing_genesys::Client::builder(&url.parse().unwrap(), credentials());
    builder.allow_http(true).http_client(http()).build().unwrap();
}
