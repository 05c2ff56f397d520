//! Any document: the conversion ends without a panic.

use proptest::prelude::*;

use super::*;

/// Words that specifications are made of, so that what is made at random means something now and then.
fn word() -> impl Strategy<Value = String> {
    const WORDS: &str = "
        type string object array number $ref #/components/schemas/A #/definitions/A # properties items allOf
        oneOf anyOf enum required parameters name in query path body schema content application/json
        application/x-www-form-urlencoded responses 200 204 default requestBody style deepObject null nullable
        additionalProperties format servers url security operationId
    ";
    let words = WORDS.split_whitespace().chain(["", "a\nb"]).map(str::to_owned);
    prop::sample::select(words.collect::<Vec<_>>())
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(word(), inner, 0..5).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn no_document_makes_it_panic(operation in anything(), a in anything(), b in anything(), old in any::<bool>()) {
        let version = if old { json!({"swagger": "2.0"}) } else { json!({"openapi": "3.1.0"}) };
        let mut root = version;
        root["paths"] = json!({"/a/{id}": {"get": operation, "post": {"requestBody": {"content": {"application/json": {"schema": a.clone()}}}, "responses": {"200": {"content": {"application/json": {"schema": b.clone()}}}}}}});
        root["components"] = json!({"schemas": {"A": a.clone(), "B": b}});
        root["definitions"] = json!({"A": a});
        // What is drafted keeps our rules; what is not has a reason of one line.
        match drafted(root) {
            Ok(draft) => {
                let document = openapi_document::Document { name: "x".to_owned(), sha256: String::new(), root: draft.document() };
                let broken = crate::lint::lint(&document);
                let broken = broken.iter().filter(|finding| finding.rule.level == crate::lint::Level::Error).map(ToString::to_string).collect::<Vec<_>>();
                prop_assert!(broken.is_empty(), "{broken:?}");
            }
            Err(reason) => prop_assert_eq!(reason.lines().count(), 1, "{}", reason),
        }
    }
}
