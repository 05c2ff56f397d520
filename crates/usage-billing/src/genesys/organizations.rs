//! The caller's own organization, and the client organizations that trust it.

use std::collections::HashSet;

use usage_billing_core::{Error, ErrorKind, Result};

use super::{Client, types};
use crate::memory_limit::{MemoryLimit, SLOT, value_bytes};
use crate::rows::canonical_id::canonical_id;

/// Organizations on a page. The vendor documents no maximum; public clients request 100.
const PAGE: i32 = 100;
const OPERATION: &str = "getOrgauthorizationTrustors";

/// An organization, as rows and bills name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Organization {
    /// Its id; a UUID in lower case.
    pub id: String,
    /// Its current name.
    pub name: Option<String>,
}

impl Organization {
    /// Creates an organization from its id and its name, if known. A blank name becomes `None`.
    pub fn new(id: impl Into<String>, name: Option<String>) -> Self {
        Self { id: canonical_id(id.into()), name: name.filter(|name| !name.trim().is_empty()) }
    }
}

impl Client {
    /// Returns the organization that the credential belongs to: the one given to [`with_account`](Self::with_account), or else the one that the
    /// vendor returns. It is requested once.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] for a response without an id. Otherwise the errors of the call, which needs no permission.
    pub async fn organization(&self) -> Result<Organization> {
        let fetched = self.organization.get_or_try_init(|| async {
            let organization = self.api.get_organizations_me().send().await?.into_inner();
            let id = organization.id.filter(|id| !id.trim().is_empty()).ok_or_else(|| {
                let error = Error::new(ErrorKind::Decode, "the own organization has no id in the response");
                error.with_operation("getOrganizationsMe").with_hint("set the id of the account")
            })?;
            Ok(Organization::new(id, organization.name))
        });
        fetched.await.cloned()
    }

    /// Lists the client organizations without duplicates. Entries without an id are kept. If the vendor lists an organization twice, another one may
    /// be missing: a warning in the trace states it, and [`client_bills`](Self::client_bills) has an outcome for it.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] if the list is truncated: fewer organizations than the vendor counts. [`ErrorKind::Limit`] if it takes more
    /// memory than [`with_max_usage_bytes`](Self::with_max_usage_bytes) allows. Otherwise the errors of the calls, which need
    /// `authorization:orgTrustor:view`.
    pub async fn client_organizations(&self) -> Result<Vec<types::Trustor>> {
        let (organizations, missing) = self.listed_organizations().await?;
        if let Some(error) = missing {
            tracing::warn!(%error, "a client organization may be missing");
        }
        Ok(organizations)
    }

    /// Returns the client organizations, and an error if the list repeats some of them in the place of others.
    pub(super) async fn listed_organizations(&self) -> Result<(Vec<types::Trustor>, Option<Error>)> {
        let (mut list, mut number) = (TrustorList::default(), 1);
        let mut memory = MemoryLimit::new(self.max_usage_bytes);
        loop {
            let request = self.api.get_orgauthorization_trustors().page_size(PAGE).page_number(number);
            let page = request.send().await?.into_inner();
            // Each id is stored a second time, to detect duplicates.
            let bytes = page.entities.iter().flatten().map(|entity| value_bytes(entity) + SLOT);
            memory.keep(bytes.sum(), || "the list of client organizations")?;
            match list.add(page, number)? {
                Some(next) => number = next,
                None => return list.complete(),
            }
        }
    }
}

/// Client organizations of several pages.
#[derive(Default)]
struct TrustorList {
    trustors: Vec<types::Trustor>,
    seen: HashSet<String>,
    /// Number of entries, with duplicates: the vendor counts these, too.
    listed: usize,
    /// The vendor's latest count: organizations are added and removed.
    total: Option<i64>,
    /// Number of the latest pages that had no new organization.
    pages_without_new: u32,
}

/// Number of pages without a new organization that a list with a count of pages may have in a row.
const PAGES_WITHOUT_NEW: u32 = 3;

impl TrustorList {
    /// Adds a page and returns the number of the next one. Without a count of pages or a link, an empty page is the last one.
    fn add(&mut self, page: types::TrustorEntityListing, number: i32) -> Result<Option<i32>> {
        let Some(entities) = page.entities else {
            return Err(truncated(format!("page {number} of the client organizations has no list `entities`")));
        };
        let has_link = page.next_uri.as_deref().is_some_and(|link| !link.trim().is_empty());
        let more = match page.page_count {
            Some(count) => number < count || has_link,
            None => has_link || !entities.is_empty(),
        };
        let before = self.trustors.len();
        self.total = page.total.or(self.total);
        self.listed += entities.len();
        let is_empty = entities.is_empty();
        let is_new = |trustor: &types::Trustor| id_of(trustor).is_none_or(|id| self.seen.insert(id));
        self.trustors.extend(entities.into_iter().filter(is_new));
        let has_new = self.trustors.len() > before;
        self.pages_without_new = if has_new { 0 } else { self.pages_without_new + 1 };
        // A page count ends the list, unless the count itself is wrong.
        let most = if page.page_count.is_some() && !is_empty { PAGES_WITHOUT_NEW } else { 0 };
        if more && self.pages_without_new > most {
            return Err(truncated(format!(
                "page {number} of the client organizations has no new organization, but other pages follow"
            )));
        }
        Ok(if more { number.checked_add(1) } else { None })
    }

    /// Returns the organizations, and an error if some of them were listed several times, perhaps in the place of others.
    ///
    /// # Errors
    /// [`ErrorKind::Decode`] if entries are missing.
    fn complete(self) -> Result<(Vec<types::Trustor>, Option<Error>)> {
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        let (listed, different) = (count(self.listed), count(self.trustors.len()));
        let total = self.total.unwrap_or(listed);
        if listed < total {
            return Err(truncated(format!("the list has {listed} of {total} client organizations")));
        }
        let message = format!(
            "the list of client organizations has {different} different ones of {total}: a repeated one may be in the place of another"
        );
        Ok((self.trustors, (different < total).then(|| truncated(message))))
    }
}

/// Returns the id of a client organization.
pub(super) fn id_of(trustor: &types::Trustor) -> Option<String> {
    let nested_id = trustor.organization.as_ref().and_then(|organization| organization.id.as_deref());
    let ids = [trustor.id.as_deref(), nested_id].into_iter().flatten();
    ids.map(|id| canonical_id(id.to_owned())).find(|id| !id.is_empty())
}

fn truncated(message: String) -> Error {
    let error = Error::new(ErrorKind::Decode, message).with_operation(OPERATION);
    error.with_hint("the list changed while it was read, or is truncated: list the organizations again, or name them")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn page(json: Value) -> types::TrustorEntityListing {
        serde_json::from_value(json).unwrap()
    }

    fn add(json: &Value, number: i32) -> Result<Option<i32>> {
        TrustorList::default().add(page(json.clone()), number)
    }

    #[test]
    fn last_page_is_detected_by_count_link_or_emptiness() {
        let one = json!([{"id": "o-1"}]);
        for (json, number, next) in [
            (json!({"entities": one, "pageCount": 3}), 2, Some(3)),
            (json!({"entities": one, "pageCount": 3}), 3, None),
            (json!({"entities": one, "pageCount": 3, "nextUri": ""}), 3, None),
            (json!({"entities": one, "pageCount": 1, "nextUri": "/x?pageNumber=2"}), 1, Some(2)),
            (json!({"entities": one}), 1, Some(2)),
            (json!({"entities": []}), 2, None),
            (json!({"entities": [], "total": 0, "pageCount": 0}), 1, None),
        ] {
            assert_eq!(add(&json, number).unwrap(), next, "{json}");
        }
    }

    #[test]
    fn page_without_organizations_before_the_end_is_an_error() {
        for json in [
            json!({"entities": [], "pageCount": 3}),
            json!({"entities": null, "pageCount": 3}),
            json!({"pageCount": 1, "trustors": [{"id": "o-1"}]}),
        ] {
            assert_eq!(add(&json, 1).unwrap_err().kind(), ErrorKind::Decode, "{json}");
        }
        let mut list = TrustorList::default();
        let again = || page(json!({"entities": [{"id": "o-1"}], "nextUri": "/x"}));
        assert_eq!(list.add(again(), 1).unwrap(), Some(2));
        assert!(list.add(again(), 2).is_err(), "the same page indefinitely");
    }

    #[test]
    fn list_with_fewer_organizations_than_counted_is_an_error() {
        let listed = |ids: &[&str], total: i64| {
            let entities: Vec<_> = ids.iter().map(|id| json!({"organization": {"id": id}})).collect();
            let mut list = TrustorList::default();
            list.add(page(json!({"entities": entities, "total": total, "pageCount": 1})), 1).unwrap();
            list.complete()
                .map(|(organizations, missing)| (organizations.len(), missing.map(|error| error.to_string())))
        };
        let complete = |count: usize| (count, None);
        assert_eq!(listed(&["a", "b"], 2).unwrap(), complete(2));
        let (id, again) = ("0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11", " 0D2F7C55-8A41-4B7E-9B0C-6A3F9E1D2C11");
        assert_eq!(listed(&["a", id, again], 2).unwrap(), complete(2), "listed twice, counted once");
        assert_eq!(listed(&["a", "A"], 2).unwrap(), complete(2), "ids that are not UUIDs differ by case");
        let (count, missing) = listed(&["a", "b", "b", "d"], 4).unwrap();
        let expected = "has 3 different ones of 4: a repeated one may be in the place of another";
        assert!(count == 3 && missing.is_some_and(|error| error.contains(expected)));
        let error = listed(&["a", "a"], 3).unwrap_err();
        assert!(error.to_string().contains("the list has 2 of 3 client organizations"), "{error}");
        assert_eq!(listed(&["", "", "a"], 3).unwrap(), complete(3), "entries without an id are kept");
        let pages = [json!([{"id": "a"}, {"id": "b"}]), json!([{"id": "b"}]), json!([{"id": "c"}])];
        let mut list = TrustorList::default();
        for (entities, number) in pages.into_iter().zip(1..) {
            let next = list.add(page(json!({"entities": entities, "pageCount": 3, "total": 4})), number).unwrap();
            assert_eq!(next, Some(number + 1).filter(|next| *next <= 3), "a page without a new one is not the end");
        }
        assert!(matches!(list.complete(), Ok((organizations, Some(_))) if organizations.len() == 3));
        let mut uncounted = TrustorList::default();
        for (ids, number) in [["a", "b"], ["b", "d"]].into_iter().zip(1..) {
            let entities = ids.map(|id| json!({"id": id}));
            uncounted.add(page(json!({"entities": entities, "pageCount": 2})), number).unwrap();
        }
        let (organizations, missing) = uncounted.complete().unwrap();
        assert!(organizations.len() == 3 && missing.is_some(), "a repetition is reported without a total as well");
    }

    #[test]
    fn wrong_count_of_pages_does_not_repeat_a_page_indefinitely() {
        let mut list = TrustorList::default();
        let again = || page(json!({"entities": [{"id": "o-1"}], "pageCount": 2_000_000_000}));
        let outcomes: Vec<_> = (1..=9).map(|number| list.add(again(), number).is_ok()).collect();
        assert_eq!(outcomes.iter().position(|is_ok| !is_ok), Some(4), "{outcomes:?}");
    }
}
