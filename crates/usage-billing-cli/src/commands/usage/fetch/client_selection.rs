//! The client organizations of a Genesys Cloud partner that are fetched.

use std::convert::Infallible;
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
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }
}
