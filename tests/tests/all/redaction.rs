//! No secret in `Debug` or in an error.

use usage_billing_core::{Auth, Credentials, Error, ErrorKind, SecretString, SecretText};
use usage_billing_tests::{Reply, ScriptedServer, acronis, genesys, http, suger};

const SECRET: &str = "hush-";

#[tokio::test]
async fn no_public_type_that_holds_a_secret_prints_it() {
    let server = ScriptedServer::start(|request| {
        if request.target.contains("token") {
            Reply::json(200, r#"{"access_token":"hush-token","expires_in":600}"#)
        } else {
            Reply::json(403, r#"{"message":"not yours"}"#)
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
async fn a_secret_in_an_answer_is_hidden_but_can_be_read() {
    let client =
        r#"{"entities":[{"id":"c-1","name":"App","authorizedGrantType":"CLIENT-CREDENTIALS","secret":"hush-client"}]}"#;
    let server = ScriptedServer::start(move |request| {
        if request.target == "/oauth/token" {
            Reply::json(200, r#"{"access_token":"t","expires_in":600}"#)
        } else {
            Reply::json(200, client)
        }
    });
    let list = genesys(server.url()).build().unwrap().get_oauth_clients().send().await.unwrap();
    assert!(!format!("{list:?}").contains(SECRET));
    let secret = list.entities[0].secret.as_ref().map(SecretText::expose);
    assert_eq!(secret, Some("hush-client"));
}

/// All that an error shows.
fn shown(error: &Error) -> String {
    let accessors = [error.code(), error.request_id(), error.hint(), Some(error.message())];
    let mut text = format!("{error} {error:?} {error:#?} {accessors:?} {}", String::from_utf8_lossy(error.body()));
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text += &format!(" {source} {source:?}");
        cause = source.source();
    }
    text
}

/// `hush` in the forms in which it may come back.
fn is_secret(text: &str) -> bool {
    // "hush" at the three places of a base64 group.
    ["hush", "%68ush", "\\u0068ush", "aHVzaC", "h1c2", "odXNo"].iter().any(|form| text.contains(form))
}

#[tokio::test]
async fn a_server_that_echoes_credentials_does_not_get_them_into_errors() {
    // A character that URLs, JSON and HTML escape.
    const KEY: &str = "hush/\"key\"&0123456789";
    for status in [200, 400, 401, 403, 404, 500] {
        let server = ScriptedServer::start(move |request| {
            let header = request.header("authorization").unwrap_or_default().to_owned();
            let json = serde_json::json!({
                "code": header, "message": format!("bad {KEY} {header}"), "error_description": KEY,
                "creationTime": format!("not a time: {header}"),
                KEY: { "url": "https://x/?key=hush%2F%22key%22%260123456789", "html": "hush/&quot;key&quot;&amp;0123456789" },
            });
            let body = json.to_string().replace("hush/", "\\u0068ush\\/");
            Reply::new(status, &[("content-type", "application/json"), ("x-correlation-id", &header)], body)
        });
        let client = usage_billing_suger::Client::builder(KEY.to_owned()).base_url(server.url()).http_client(http());
        let client = client.build().unwrap();
        let error = client.get_billable_metric().org_id("acme").billable_metric_id("m").send().await.unwrap_err();
        assert!(error.status().is_some_and(|found| found == status), "{error}");
        assert!(error.body().windows(3).any(|part| part == b"***"), "the rest of the body stays");
        assert!(!is_secret(&shown(&error)), "{}", shown(&error));
    }
}

#[tokio::test]
async fn a_token_endpoint_that_echoes_does_not_get_credentials_into_errors() {
    for (id, secret) in [
        ("6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264", "hush-secret-0123456789"),
        // Swapped.
        ("hush-secret-0123456789", "6be1f0c9-2d47-4c83-b5a9-7e3f10d8c264"),
    ] {
        let server = ScriptedServer::start(move |request| {
            let header = request.header("authorization").unwrap_or_default().to_owned();
            let message = format!("unknown client {id}:{secret} {header}");
            Reply::json(400, &serde_json::json!({"error": header, "error_description": message}).to_string())
        });
        let credentials = || Credentials::new(id, secret);
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
            assert!(!is_secret(&shown(&error)), "{}", shown(&error));
        }
        let debug = format!("{acronis:?} {genesys:?} {:?}", credentials());
        assert!(!is_secret(&debug), "{debug}");
    }
}

#[tokio::test]
async fn an_operation_that_echoes_the_token_does_not_get_it_into_errors() {
    let server = ScriptedServer::start(|request| match request.target.as_str() {
        "/oauth/token" => Reply::json(200, r#"{"access_token":"hush-token-0123456789","expires_in":600}"#),
        _ => {
            let header = request.header("authorization").unwrap_or_default();
            Reply::json(403, &format!(r#"{{"code":"{header}","message":"{header} and hush-secret may not"}}"#))
        }
    });
    let client = genesys(server.url()).build().unwrap();
    let error = client.get_license_definitions().send().await.unwrap_err();
    assert!(!is_secret(&shown(&error)), "{}", shown(&error));
    assert_eq!((error.code(), error.message()), (Some("Bearer ***"), "Bearer *** and *** may not"));
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
