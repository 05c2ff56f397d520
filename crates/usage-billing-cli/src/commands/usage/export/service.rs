//! FOCUS names of services and units. The categories are this program's classification: no vendor states one.

use usage_billing::{UsageRow, Vendor};

/// A service with its category and subcategory in FOCUS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) category: &'static str,
    pub(super) subcategory: &'static str,
}

/// Returns the service of a row. One name has one category, as validators require.
pub(super) fn service(row: &UsageRow) -> Service {
    let service = |name, category, subcategory| Service { name, category, subcategory };
    if row.vendor == Vendor::Genesys {
        return service("Genesys Cloud", "Business Applications", "Other (Business Applications)");
    }
    match (row.service.as_deref(), row.unit.as_str()) {
        (Some("files_cloud"), _) => {
            service("Acronis File Sync and Share", "Business Applications", "Productivity and Collaboration")
        }
        (Some("notary"), _) => service("Acronis Notary", "Security", "Other (Security)"),
        (Some("physical_data_shipping"), _) => service("Acronis Physical Data Shipping", "Migration", "Data Migration"),
        (_, "compute points") => service("Acronis Disaster Recovery", "Management and Governance", "Disaster Recovery"),
        (_, "GiB") => service("Acronis Storage", "Storage", "Backup Storage"),
        _ => service("Acronis Cyber Protection", "Security", "Other (Security)"),
    }
}

/// Returns a unit as FOCUS writes it: capitalized words, countable ones in the plural.
pub(super) fn unit(unit: &str) -> String {
    let words = unit.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let name = words.map(capitalized).collect::<Vec<_>>().join(" ");
    match &*name {
        "" => "Units".to_owned(),
        "GiB" => name,
        _ if name.ends_with(|letter: char| letter == 's' || !letter.is_ascii_lowercase()) => name,
        _ => name + "s",
    }
}

/// Returns a word with a capital first letter.
pub(super) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::tests::row;

    #[test]
    fn units_are_written_as_focus_writes_them() {
        for (of_row, expected) in [
            ("GiB", "GiB"),
            ("compute points", "Compute Points"),
            ("units", "Units"),
            ("seat", "Seats"),
            ("genesys-cloud-3-user", "Genesys Cloud 3 Users"),
            ("1000 tokens", "1000 Tokens"),
            ("MB", "MB"),
            ("…", "Units"),
        ] {
            assert_eq!(unit(of_row), expected);
        }
    }

    #[test]
    fn one_service_has_one_category() {
        let mut known = std::collections::HashMap::new();
        for vendor in [Vendor::Acronis, Vendor::Genesys] {
            for name in [None, Some("backup"), Some("files_cloud"), Some("notary"), Some("physical_data_shipping")] {
                for unit in ["GiB", "units", "compute points"] {
                    let mut row = row("1");
                    (row.vendor, row.service, row.unit) = (vendor, name.map(str::to_owned), unit.to_owned());
                    let service = service(&row);
                    assert_eq!(*known.entry(service.name).or_insert(service), service);
                }
            }
        }
        assert_eq!(known.len(), 7);
    }
}
