//! Lists and jobs of the crate of `.ci/features.yaml`: what is sent, and where lists end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use usage_billing_features::{Client, ErrorKind, builder::Styles, types::Entry};

/// A server that responds to one request after the other as in a script, with headers and a body of JSON. It notes what was requested.
async fn scripted(responses: &'static [(&'static str, &'static str)]) -> (Client, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let noted = requests.clone();
    tokio::spawn(async move {
        let mut responses = responses.iter();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                stream.read_buf(&mut request).await.unwrap();
            }
            let text = String::from_utf8(request).unwrap();
            let length = text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let (head, mut body) = text.split_once("\r\n\r\n").map(|(head, body)| (head, body.as_bytes().to_vec())).unwrap();
            while body.len() < length.unwrap_or(0) {
                stream.read_buf(&mut body).await.unwrap();
            }
            assert!(head.to_lowercase().contains("x-k: hush"), "{head}");
            let target = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
            let parameters = head.lines().skip(1).filter(|line| ["x-list", "x-number"].iter().any(|name| line.starts_with(name)));
            let target = parameters.fold(target, |all, line| format!("{all} {line}"));
            noted.lock().unwrap().push(format!("{target} {}", String::from_utf8(body).unwrap()).trim_end().to_owned());
            let Some((headers, body)) = responses.next() else { break };
            let length = body.len();
            let (status, headers) = if *headers == "no content" { (204, "") } else { (200, *headers) };
            let response = format!(
                "HTTP/1.1 {status} OK\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            );
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    let client = Client::builder("hush".to_owned()).base_url(format!("http://{address}/v1")).build().unwrap();
    (client, requests)
}

fn ids(items: Vec<Entry>) -> String {
    items.into_iter().map(|item| item.id).collect()
}

fn sent(requests: &Mutex<Vec<String>>) -> Vec<String> {
    requests.lock().unwrap().clone()
}

#[tokio::test]
async fn list_by_cursor_is_read_to_its_end() {
    let (client, requests) = scripted(&[
        ("", r#"{"data": [{"id": "a"}], "paging": {"next_cursor": "x+/="}}"#),
        ("", r#"{"data": [], "paging": {"next_cursor": "y"}}"#),
        ("", r#"{"data": [{"id": "b"}], "paging": {"next_cursor": ""}}"#),
    ])
    .await;
    assert_eq!(ids(client.list_by_cursor().limit(7).stream().try_collect().await.unwrap()), "ab");
    let expected = ["?limit=7", "?cursor=x%2B%2F%3D&limit=7", "?cursor=y&limit=7"];
    assert_eq!(sent(&requests), expected.map(|query| format!("GET /v1/lists/cursor{query}")));
}

#[tokio::test]
async fn repeated_cursor_and_response_without_the_list_are_errors() {
    const PAGE: (&str, &str) = ("", r#"{"data": [{"id": "a"}], "paging": {"next_cursor": "x"}}"#);
    let (client, _) = scripted(&[PAGE, PAGE, PAGE, PAGE]).await;
    let error = client.list_by_cursor().stream().try_collect().await.unwrap_err();
    assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("was already read"), "{error}");
    let (client, _) = scripted(&[("", r#"{"error": "maintenance"}"#)]).await;
    assert_eq!(client.list_by_cursor().stream().try_collect().await.unwrap_err().kind(), ErrorKind::Decode);
}

#[tokio::test]
async fn optional_list_has_to_be_in_each_page_and_may_be_null() {
    const PAGE: (&str, &str) = ("", r#"{"entries": [{"id": "a"}], "next_cursor": "x"}"#);
    for end in [r#"{"entries": []}"#, r#"{"entries": null}"#] {
        let (client, _) = scripted(Vec::leak(vec![PAGE, ("", end)])).await;
        assert_eq!(ids(client.list_optional().stream().try_collect().await.unwrap()), "a", "{end}");
    }
    for end in ["{}", r#"{"error": "maintenance"}"#] {
        let (client, _) = scripted(Vec::leak(vec![PAGE, ("", end)])).await;
        let error = client.list_optional().stream().try_collect().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("no list `entries`"), "{end}: {error}");
        // Alone it is what the document allows.
        let (client, _) = scripted(Vec::leak(vec![("", end)])).await;
        assert_eq!(client.list_optional().send().await.unwrap().into_inner().entries, None);
    }
}

#[tokio::test]
async fn list_with_a_documented_204_ends_there() {
    const NOTHING: (&str, &str) = ("no content", "");
    let (client, requests) = scripted(&[("", r#"{"entries": [{"id": "a"}], "next": "t&1"}"#), NOTHING]).await;
    let call = client.list_maybe().from("x").tags(vec!["b".to_owned(), "c".to_owned()]).limit(7);
    assert_eq!(ids(call.stream().try_collect().await.unwrap()), "a");
    let expected = ["?tags=b,c&from=x&limit=7", "?token=t%261&limit=7"];
    assert_eq!(sent(&requests), expected.map(|query| format!("GET /v1/lists/maybe{query}")));
    let (client, _) = scripted(&[NOTHING]).await;
    assert_eq!(ids(client.list_maybe().from("x").stream().try_collect().await.unwrap()), "");
}

#[tokio::test]
async fn list_by_the_last_id_ends_where_nothing_more_is_stated() {
    let (client, requests) = scripted(&[
        ("", r#"{"data": [{"id": "a"}, {"id": "b"}], "has_more": true}"#),
        ("", r#"{"data": [{"id": "c"}], "has_more": false}"#),
    ])
    .await;
    assert_eq!(ids(client.list_by_last_id().stream().try_collect().await.unwrap()), "abc");
    assert_eq!(sent(&requests), ["GET /v1/lists/last-id", "GET /v1/lists/last-id?starting_after=b"]);
    let (client, _) = scripted(&[("", r#"{"data": [], "has_more": true}"#)]).await;
    let error = client.list_by_last_id().stream().try_collect().await.unwrap_err();
    assert!(error.to_string().contains("would be incomplete"), "{error}");
}

#[tokio::test]
async fn list_by_offset_ends_with_an_empty_page() {
    let (client, requests) = scripted(&[("", r#"[{"id": "a"}, {"id": "b"}]"#), ("", r#"[{"id": "c"}]"#), ("", "[]")]).await;
    assert_eq!(ids(client.list_by_offset().stream().try_collect().await.unwrap()), "abc");
    let expected = ["0", "2", "3"].map(|offset| format!("GET /v1/lists/offset?limit=2&offset={offset}"));
    assert_eq!(sent(&requests), expected);
    // A server that ignores the offset never ends.
    let (client, _) = scripted(&[
        ("", r#"[{"id": "a"}, {"id": "b"}]"#),
        ("", r#"[{"id": "a"}, {"id": "b"}]"#),
        ("", r#"[{"id": "a"}, {"id": "b"}]"#),
    ])
    .await;
    let error = client.list_by_offset().stream().try_collect().await.unwrap_err();
    assert!(error.to_string().contains("repeats an earlier one"), "{error}");
}

#[tokio::test]
async fn numbered_pages_begin_at_the_documented_number() {
    let (client, requests) = scripted(&[
        ("", r#"{"items": [{"id": "a"}], "total_pages": 2}"#),
        ("", r#"{"items": [{"id": "b"}], "total_pages": 2}"#),
    ])
    .await;
    // A parameter has the name of the method.
    assert_eq!(ids(client.list_by_page().stream("s").stream_().try_collect().await.unwrap()), "ab");
    let expected = ["0", "1"].map(|page| format!("GET /v1/lists/page?page={page}&stream=s"));
    assert_eq!(sent(&requests), expected);
}

#[tokio::test]
async fn links_are_followed_at_the_address_of_the_list_only() {
    let (client, requests) = scripted(&[
        ("link: </v1/lists/link/acme?state=open&page=2>; rel=\"next\", <x>; rel=last\r\n", r#"[{"id": "a"}]"#),
        ("link: <x>; rel=first\r\n", r#"[{"id": "b"}]"#),
    ])
    .await;
    assert_eq!(ids(client.list_by_link().owner("acme").state("open").stream().try_collect().await.unwrap()), "ab");
    let expected = ["?state=open", "?state=open&page=2"].map(|query| format!("GET /v1/lists/link/acme{query}"));
    assert_eq!(sent(&requests), expected);
    for next in [r#"{"results": [], "next": "https://evil.example/v1/lists/next?page=2"}"#, r#"{"results": [], "next": "/v1/tokens?page=2"}"#] {
        let script: &'static [(&str, &str)] = Vec::leak(vec![("", next)]);
        let (client, requests) = scripted(script).await;
        let error = client.list_by_next().stream().try_collect().await.unwrap_err();
        assert!(error.kind() == ErrorKind::Decode && error.to_string().contains("is not at the address"), "{error}");
        assert_eq!(sent(&requests), ["GET /v1/lists/next"]);
    }
}

#[tokio::test]
async fn position_in_a_body_is_sent_with_the_rest_of_it() {
    let (client, requests) = scripted(&[
        ("", r#"{"page": {"entries": [{"id": "a"}], "next": "n"}}"#),
        ("", r#"{"page": {"entries": [{"id": "b"}]}}"#),
    ])
    .await;
    let found = client.search_entries().body_map(|body| body.text("t")).stream().try_collect().await.unwrap();
    assert_eq!(ids(found), "ab");
    let expected = [r#"{"text":"t"}"#, r#"{"cursor":"n","text":"t"}"#].map(|body| format!("POST /v1/lists/search {body}"));
    assert_eq!(sent(&requests), expected);
    // Without the object that has the list, items may be missing.
    let (client, _) = scripted(&[("", "{}")]).await;
    let error = client.search_entries().body_map(|body| body).stream().try_collect().await.unwrap_err();
    assert!(error.to_string().contains("no list `page.entries`"), "{error}");
}

#[tokio::test]
async fn parameters_are_sent_in_their_style() {
    type Set = for<'a> fn(Styles<'a>) -> Styles<'a>;
    let cases: [(Set, &str); 16] = [
        (|call| call, ""),
        (|call| call.each(vec![1_i64, 2]), "?each=1&each=2"),
        (|call| call.each(Vec::<i64>::new()), ""),
        (|call| call.commas(vec!["a,b".to_owned(), "c d".to_owned()]), "?commas=a%2Cb,c%20d"),
        (|call| call.commas(Vec::<String>::new()), ""),
        (|call| call.spaces("a b"), "?spaces=a+b"),
        (|call| call.pipes("a|b"), "?pipes=a%7Cb"),
        (|call| call.each_pipe(vec!["a".to_owned(), "b".to_owned()]), "?each_pipe=a&each_pipe=b"),
        (|call| call.wide(3).tall(false), "?tall=false&wide=3"),
        (|call| call.deep_a_b("x&y").deep_c(true), "?deep%5Ba%5D%5Bb%5D=x%26y&deep%5Bc%5D=true"),
        (|call| call.amount("0.10"), "?amount=0.10"),
        // Reserved characters are not allowed through: the loss report states it.
        (|call| call.raw("a/b?c=d&e#f"), "?raw=a%2Fb%3Fc%3Dd%26e%23f"),
        (|call| call.raw(""), "?raw="),
        (|call| call.raw(None::<String>), ""),
        (|call| call.x_list("a,b").x_number(-7), " x-list: a,b x-number: -7"),
        (|call| call.x_list("").commas(vec!["a".to_owned()]).raw("+"), "?commas=a&raw=%2B x-list:"),
    ];
    for (set, expected) in cases {
        let (client, requests) = scripted(&[("", r#"{"hours": 1}"#)]).await;
        set(client.styles().list("1,2").word("a/b ü")).send().await.unwrap();
        assert_eq!(sent(&requests), [format!("GET /v1/styles/1%2C2/a%2Fb%20%C3%BC{expected}")]);
    }
    for word in ["", ".", ".."] {
        let (client, requests) = scripted(&[]).await;
        let error = client.styles().list("1").word(word).send().await.unwrap_err();
        assert_eq!((error.kind(), sent(&requests).len()), (ErrorKind::Request, 0), "{word:?}: {error}");
    }
}

#[tokio::test]
async fn job_is_started_and_polled_until_a_final_state() {
    let (client, requests) = scripted(&[
        ("", r#"{"id": "7/8"}"#),
        ("", r#"{"state": "RUNNING"}"#),
        ("", r#"{"state": "NEW_STATE"}"#),
        ("", r#"{"state": "DONE", "rows": 3}"#),
    ])
    .await;
    let mut job = client.start_export().tenant("t").start().await.unwrap().poll_every(Duration::ZERO);
    assert_eq!(job.id(), "7/8");
    assert_eq!(job.wait(Duration::from_secs(60)).await.unwrap().rows, Some(3));
    let polls = vec!["GET /v1/tenants/t/exports/7%2F8"; 3];
    assert_eq!(sent(&requests), [vec!["POST /v1/tenants/t/exports"], polls].concat());
    // The id and the state are numbers, and both successes of the start are of one type.
    let (client, requests) = scripted(&[
        ("", r#"{"task": {"number": 7}}"#),
        ("no content", ""),
        ("", r#"{"state": {"code": 1}}"#),
        ("", r#"{"state": {"code": 2}}"#),
    ])
    .await;
    let mut task = client.start_task().start().await.unwrap().poll_every(Duration::ZERO);
    assert!(task.wait(Duration::from_secs(60)).await.unwrap().is_some());
    assert_eq!(sent(&requests), [vec!["POST /v1/tasks"], vec!["GET /v1/task?number=7"; 3]].concat());
    let (client, _) = scripted(&[("", r#"{"state": {"code": 3, "reason": "full"}}"#)]).await;
    let error = client.get_task().number(7).poll().wait(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(error.message(), "the job is 3: full");
    let (client, _) = scripted(&[("", r#"{"state": "LOST", "reason": "too large"}"#)]).await;
    let mut job = client.get_export().tenant("t").export("7").poll();
    let error = job.wait(Duration::from_secs(60)).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Failed, "the job is LOST: too large"));
}
