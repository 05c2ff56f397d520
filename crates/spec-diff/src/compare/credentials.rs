//! The credentials of security schemes, which are compared by what clients send.

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use openapi_document::{DocumentTree, Node};

/// The key of a scheme's credential that is the same on both sides, by the scheme's name.
pub(super) type Keys<'a> = HashMap<&'a str, Rc<str>>;

/// Returns the credential that a client sends for a scheme, with the addresses from which it gets it.
fn credential(scheme: &Node<'_>) -> String {
    let text = |key| scheme.text(key).unwrap_or_default();
    match text("type") {
        "apiKey" if text("in") == "header" => format!("header {}", text("name").to_lowercase()),
        "apiKey" => format!("{} {}", text("in"), text("name")),
        "http" => format!("http {}", text("scheme").to_lowercase()),
        "oauth2" => {
            let url = |(name, flow): (&str, Node<'_>)| {
                let urls = ["authorizationUrl", "deviceAuthorizationUrl", "tokenUrl"]
                    .map(|key| flow.text(key).unwrap_or_default());
                format!("{name} {}", urls.join(" "))
            };
            let flows: BTreeSet<_> = scheme.get("flows").iter().flat_map(Node::without_extensions).map(url).collect();
            format!("oauth2 {}", flows.into_iter().collect::<Vec<_>>().join(", "))
        }
        kind => format!("{kind} {}", text("openIdConnectUrl")),
    }
}

/// Returns the keys of both sides' schemes. A scheme keeps its key under another name as long as clients send the same; one that
/// both sides have under one name keeps it whatever else changed, which is a finding of its own.
pub(super) fn keys<'a>(base: &DocumentTree<'a>, revision: &DocumentTree<'a>) -> [Keys<'a>; 2] {
    let credentials = |document: &DocumentTree<'a>| {
        let schemes = document.at(&["components", "securitySchemes"]);
        let schemes = schemes.iter().flat_map(Node::entries);
        schemes.map(|(name, scheme)| (name, credential(&document.resolve(scheme)))).collect::<HashMap<_, _>>()
    };
    let (olds, news) = (credentials(base), credentials(revision));
    let key = |old: &str, new: &str| Rc::from(format!("{old} → {new}"));
    let old_key = |(name, own): (&&'a str, &String)| (*name, key(own, news.get(name).unwrap_or(own)));
    let new_key = |(name, own): (&&'a str, &String)| (*name, key(olds.get(name).unwrap_or(own), own));
    [olds.iter().map(old_key).collect(), news.iter().map(new_key).collect()]
}
