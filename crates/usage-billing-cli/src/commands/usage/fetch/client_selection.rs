//! The client organizations of a Genesys Cloud partner that are fetched.

use std::fmt;
use std::str::FromStr;

use usage_billing::printable;
use usage_billing::uuid::Uuid;

/// The value of `--clients`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientSelection {
    All,
    None,
    Ids(Vec<String>),
}

impl FromStr for ClientSelection {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = |id: &str| match id.parse::<Uuid>() {
            Ok(_) => Ok(id.to_owned()),
            Err(_) => {
                let id = printable(id);
                Err(format!(
                    "`{id}` is not a valid id of an organization: expected all, none, or UUIDs separated by commas"
                ))
            }
        };
        Ok(match text {
            "all" => Self::All,
            "none" => Self::None,
            _ => Self::Ids(text.split(',').map(str::trim).map(id).collect::<Result<_, _>>()?),
        })
    }
}

impl fmt::Display for ClientSelection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::None => f.write_str("none"),
            Self::Ids(ids) => f.write_str(&ids.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_all_none_or_ids() {
        let (one, other) = ("0d2f7c55-8a41-4b7e-9b0c-6a3f9e1d2c11", "41b9e2d0-7c36-4f58-9a0b-5d8e1f6c2a73");
        let ids = format!("{one}, {other}");
        for (text, expected) in [
            ("all", ClientSelection::All),
            ("none", ClientSelection::None),
            (&*ids, ClientSelection::Ids(vec![one.to_owned(), other.to_owned()])),
        ] {
            let selection: ClientSelection = text.parse().unwrap();
            assert_eq!(selection, expected, "{text}");
            assert_eq!(selection.to_string().parse(), Ok(selection));
        }
        for text in ["", "foo", "All", &format!("{one},")] {
            let error = text.parse::<ClientSelection>().unwrap_err();
            assert!(error.ends_with("expected all, none, or UUIDs separated by commas"), "{error}");
        }
    }
}
