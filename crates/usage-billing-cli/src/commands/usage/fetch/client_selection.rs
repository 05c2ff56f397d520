//! The client organizations of a Genesys Cloud partner that are fetched.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

/// The value of `--clients`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientSelection {
    All,
    None,
    Ids(Vec<String>),
}

impl FromStr for ClientSelection {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(match text {
            "all" => Self::All,
            "none" => Self::None,
            _ => Self::Ids(ids.collect()),
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
        for (text, expected) in [
            ("all", ClientSelection::All),
            ("none", ClientSelection::None),
            ("a, b,", ClientSelection::Ids(vec!["a".to_owned(), "b".to_owned()])),
        ] {
            let selection: ClientSelection = text.parse().unwrap();
            assert_eq!(selection, expected, "{text}");
            assert_eq!(selection.to_string().parse(), Ok(selection));
        }
    }
}
