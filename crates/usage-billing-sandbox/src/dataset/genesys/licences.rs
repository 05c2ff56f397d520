//! Licences and their holders: the people who worked in the last finished month, so that their number equals the billed seats.

use chrono::NaiveDate;
use usage_billing_genesys::types;

use super::Partner;
use super::billable_usage::{CHARGES, UsageKind, is_active};
use crate::dataset::{id, month_of, months_before};

/// A person who may log in.
pub(super) struct Person {
    pub(super) group: u64,
    pub(super) number: u64,
}

impl Person {
    pub(super) fn email(&self) -> String {
        format!("agent-{}{:02}@northwind.example", self.group, self.number)
    }

    pub(super) fn id(&self) -> String {
        id(&format!("genesys/user/{}", self.email())).to_string()
    }
}

struct Licence {
    id: &'static str,
    name: &'static str,
    permissions: &'static [&'static str],
    needs: Option<&'static str>,
    contains: Option<&'static str>,
}

const LICENCES: [Licence; 4] = [
    Licence {
        id: "cloudCX1",
        name: "Genesys Cloud CX 1",
        permissions: &["conversation:call:accept", "routing:queue:view"],
        needs: None,
        contains: None,
    },
    Licence {
        id: "cloudCX2",
        name: "Genesys Cloud CX 2",
        permissions: &["conversation:message:accept", "routing:queue:view"],
        needs: None,
        contains: Some("cloudCX1"),
    },
    Licence {
        id: "cloudCX3",
        name: "Genesys Cloud CX 3",
        permissions: &["quality:evaluation:view", "routing:queue:view", "wfm:schedule:view"],
        needs: None,
        contains: Some("cloudCX2"),
    },
    Licence {
        id: "gc2DigitalUpgrade",
        name: "Genesys Cloud CX 2 Digital Add-on",
        permissions: &["conversation:webmessaging:view"],
        needs: Some("cloudCX2"),
        contains: None,
    },
];

pub(crate) fn licences() -> Vec<types::LicenseDefinition> {
    LICENCES.iter().map(Licence::definition).collect()
}

pub(crate) fn licence(id: &str) -> Option<types::LicenseDefinition> {
    LICENCES.iter().find(|licence| licence.id == id).map(Licence::definition)
}

impl Licence {
    fn definition(&self) -> types::LicenseDefinition {
        let path = |id: &str| Some(format!("/api/v2/license/definitions/{id}"));
        let needs =
            self.needs.map(|id| types::AddressableLicenseDefinition { id: Some(id.to_owned()), self_uri: path(id) });
        // Only id and name, because a tree of definitions would repeat itself.
        let contained = LICENCES.iter().filter(|licence| Some(licence.id) == self.contains);
        let comprises = contained.map(|licence| types::LicenseDefinition {
            id: Some(licence.id.to_owned()),
            description: Some(licence.name.to_owned()),
            self_uri: path(licence.id),
            ..Default::default()
        });
        types::LicenseDefinition {
            id: Some(self.id.to_owned()),
            description: Some(self.name.to_owned()),
            permissions: Some(types::Permissions {
                ids: self.permissions.iter().map(|permission| (*permission).to_owned()).collect(),
            }),
            prerequisites: needs.into_iter().collect(),
            comprises: comprises.collect(),
            self_uri: path(self.id),
        }
    }
}

impl Partner {
    /// Returns all people with their licences. People who did not work in the last finished month have none.
    pub(crate) fn users(&self, today: NaiveDate) -> Vec<types::UserLicenses> {
        let month = months_before(month_of(today), 1);
        let seats: Vec<_> = CHARGES
            .iter()
            .filter_map(|(_, how)| match how {
                UsageKind::People { licence, group, count } => Some((*licence, *group, *count)),
                UsageKind::Devices(_) | UsageKind::Measured(..) => None,
            })
            .collect();
        let largest = |group| seats.iter().filter(|seat| seat.1 == group).map(|seat| seat.2).max().unwrap_or_default();
        let last = seats.iter().map(|seat| seat.1).max().unwrap_or_default();
        (0..=last)
            .flat_map(|group| (0..largest(group)).map(move |number| Person { group, number }))
            .map(|person| {
                let held = seats.iter().filter(|(_, group, count)| *group == person.group && person.number < *count);
                let id = person.id();
                types::UserLicenses {
                    self_uri: Some(format!("/api/v2/license/users/{id}")),
                    id: Some(id),
                    licenses: held
                        .filter(|_| is_active(self.seed, &person, month))
                        .map(|(licence, ..)| (*licence).to_owned())
                        .collect(),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{midnight, months_after};

    #[test]
    fn licence_holders_equal_billed_seats() {
        let partner = Partner::of_tests();
        for today in ["2026-11-21", "2026-03-01", "2024-02-29"] {
            let today: NaiveDate = today.parse().unwrap();
            let month = months_before(month_of(today), 1);
            let end = midnight(months_after(month, 1)) - chrono::TimeDelta::milliseconds(1);
            let billed = partner.billable_usages(today, midnight(month), end);
            let users = partner.users(today);
            assert_eq!(users.len(), 12 + 31 + 9);
            for licence in &LICENCES {
                let seats = users.iter().filter(|user| user.licenses.iter().any(|held| held == licence.id)).count();
                let total = billed.iter().find(|usage| usage.name == licence.name).unwrap().total_usage.0;
                assert_eq!(total, seats.into(), "{today} {}", licence.id);
            }
        }
    }
}
