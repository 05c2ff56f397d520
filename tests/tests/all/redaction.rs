//! No secret in `Debug` or in an error.

use usage_billing_core::{Auth, Credentials, SecretString, SecretText};
use usage_billing_tests::{Reply, ScriptedServer, acronis, genesys, suger};

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
