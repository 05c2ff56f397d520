//! Requests to the public API, and the OAuth clients that send them.

use chrono::{NaiveDate, TimeDelta};
use usage_billing_genesys::types;

use super::licences::Person;
use super::{HISTORY, Partner};
use crate::dataset::{day_key, days, days_before, id, midnight, month_of, months_before};
use crate::demo_credentials::{GENESYS_CLIENT_ID, GENESYS_LIMITED_CLIENT_ID};

/// A client that sends requests.
pub(crate) struct ApiClient {
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) user: String,
    pub(crate) platform: &'static str,
    /// Whether it is the vendor's own: only jobs count it, and the organization does not list it.
    pub(crate) builtin: bool,
}

/// Requests of one day, one client (hence one user), and one path and method.
pub(crate) struct Requests<'a> {
    pub(crate) day: NaiveDate,
    pub(crate) client: &'a ApiClient,
    pub(crate) template: &'static str,
    pub(crate) method: &'static str,
    pub(crate) ok: i64,
    /// Includes those with 429.
    pub(crate) rejected: i64,
    pub(crate) limited: i64,
    pub(crate) failed: i64,
}

/// Path, method and average number of requests per day.
pub(crate) const PATHS: [(&str, &str, u64); 3] = [
    ("api/v2/billing/reports/billableusage", "GET", 12),
    ("api/v2/users/{userId}", "GET", 310),
    ("api/v2/usage/query", "POST", 5),
];

/// Returns the demo client, a client of a person, and a client of the vendor.
pub(crate) fn clients() -> [ApiClient; 3] {
    let user = |number| Person { group: 2, number }.id();
    let public = "public-api";
    [
        ApiClient {
            id: GENESYS_CLIENT_ID.to_owned(),
            name: "billing-sync, nightly",
            user: user(0),
            platform: public,
            builtin: false,
        },
        ApiClient {
            id: id("genesys/client/1").to_string(),
            name: "運輸ポータル",
            user: user(1),
            platform: public,
            builtin: false,
        },
        ApiClient {
            id: id("genesys/client/builtin").to_string(),
            name: "Genesys Cloud Admin",
            user: user(2),
            platform: "purecloud-builtin",
            builtin: true,
        },
    ]
}

impl Partner {
    /// Iterates over the API requests between two days, both included, as far as they are known the day before `today`.
    pub(crate) fn requests<'a>(
        &self,
        clients: &'a [ApiClient],
        today: NaiveDate,
        first: NaiveDate,
        last: NaiveDate,
    ) -> impl Iterator<Item = Requests<'a>> {
        let seed = self.seed;
        let first = first.max(months_before(month_of(today), HISTORY));
        let last = last.min(days_before(today, 1));
        days(first, last).flat_map(move |day| {
            clients.iter().zip(0u64..).flat_map(move |(client, number)| {
                PATHS.into_iter().zip(0u64..).map(move |((template, method, average), path)| {
                    let index = |what| [41, number, path, day_key(day), what];
                    let limited = seed.chance(&index(1), 3);
                    Requests {
                        day,
                        client,
                        template,
                        method,
                        ok: seed.about(&index(0), average),
                        rejected: limited + seed.chance(&index(2), 4),
                        limited,
                        failed: seed.chance(&index(3), 2),
                    }
                })
            })
        })
    }
}

/// Returns the partner's own organization.
pub(crate) fn organization_id() -> String {
    id("genesys/organization").to_string()
}

/// Returns the organization's clients, without their secrets: those that send requests, the limited one, and a disabled one.
pub(crate) fn oauth_clients(today: NaiveDate) -> Vec<types::OAuthClient> {
    let own = clients().into_iter().filter(|client| !client.builtin).map(|client| (client.id, client.name));
    let off = (id("genesys/client/off").to_string(), "Wallboard \"Øst\"");
    let limited = (GENESYS_LIMITED_CLIENT_ID.to_owned(), "licence-report");
    own.chain([limited, off])
        .zip(1u32..)
        .map(|((id, name), index)| {
            let (grant, state) = match index {
                1 | 3 => (types::OAuthGrantType::ClientCredentials, types::OAuthClientState::Active),
                2 => (types::OAuthGrantType::Code, types::OAuthClientState::Active),
                _ => (types::OAuthGrantType::Token, types::OAuthClientState::Disabled),
            };
            let by_itself = grant == types::OAuthGrantType::ClientCredentials;
            let role = || crate::dataset::id("genesys/role/billing").to_string();
            let division = || crate::dataset::id("genesys/division/home").to_string();
            let user = Person { group: 2, number: 0 }.id();
            let created = midnight(months_before(today, HISTORY + 1)) + TimeDelta::hours(9 + i64::from(index));
            types::OAuthClient {
                self_uri: Some(format!("/api/v2/oauth/clients/{id}")),
                id: Some(id),
                name: name.to_owned(),
                access_token_validity_seconds: Some(86_400),
                authorized_grant_type: grant,
                created_by: Some(types::DomainEntityRef {
                    self_uri: Some(format!("/api/v2/users/{user}")),
                    id: Some(user),
                    name: None,
                }),
                modified_by: None,
                date_created: Some(created),
                date_modified: Some(created),
                date_to_delete: None,
                description: by_itself.then(|| "runs at night".to_owned()),
                registered_redirect_uri: (!by_itself)
                    .then(|| "https://portal.northwind.example/callback".to_owned())
                    .into_iter()
                    .collect(),
                role_divisions: by_itself
                    .then(|| types::RoleDivision { role_id: role(), division_id: division() })
                    .into_iter()
                    .collect(),
                role_ids: by_itself.then(role).into_iter().collect(),
                scope: (!by_itself).then(|| "license:readonly".to_owned()).into_iter().collect(),
                secret: None,
                state: Some(state),
            }
        })
        .collect()
}
