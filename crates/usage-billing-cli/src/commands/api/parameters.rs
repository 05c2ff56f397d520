//! Parameters of an operation: those in its path, and the others in the query.

use std::str::FromStr;

use usage_billing::printable;
use usage_billing_core::Operation;

use crate::suggestion::did_you_mean;

/// `NAME=VALUE` of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Parameter {
    pub(super) name: String,
    pub(super) value: String,
}

impl FromStr for Parameter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok(Self { name: name.to_owned(), value: value.to_owned() }),
            _ => Err("expected NAME=VALUE".to_owned()),
        }
    }
}

/// The parameters of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split {
    pub(super) path: Vec<Parameter>,
    pub(super) query: Vec<Parameter>,
}

/// Returns the parameters of the path, each once, and those of the query.
pub(super) fn split(operation: &Operation, given: Vec<Parameter>) -> Result<Split, String> {
    let names: Vec<_> = path_names(operation).collect();
    let (path, query): (Vec<_>, Vec<_>) = given.into_iter().partition(|one| names.contains(&one.name.as_str()));
    for name in &names {
        match path.iter().filter(|one| one.name == *name).count() {
            0 => {
                let similar = query.iter().find(|one| crate::suggestion::similar(&one.name, [*name]).is_some());
                let similar = similar.map_or_else(String::new, |one| {
                    format!(": `{}` is not one of its path, {}", printable(&one.name), did_you_mean(&one.name, [*name]))
                });
                return Err(format!("{} needs --param {name}=…{similar}", operation.name));
            }
            1 => {}
            _ => return Err(format!("--param {name} is there twice")),
        }
    }
    Ok(Split { path, query })
}

pub(super) fn path_names(operation: &Operation) -> impl Iterator<Item = &str> {
    operation.path.split('{').skip(1).filter_map(|rest| rest.split('}').next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Vendor;

    fn split_of(id: &str, given: &[&str]) -> Result<Split, String> {
        let operation = Vendor::Suger.operations().iter().find(|one| one.id == id).unwrap();
        split(operation, given.iter().map(|text| text.parse().unwrap()).collect())
    }

    #[test]
    fn parameters_are_split_by_the_path_of_the_operation() {
        let found = split_of("get_buyer", &["orgId=o", "buyerId=a=b", "limit=", "limit=2"]).unwrap();
        let shown = |parameters: &[Parameter]| {
            parameters.iter().map(|one| format!("{}={}", one.name, one.value)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&found.path), ["orgId=o", "buyerId=a=b"]);
        assert_eq!(shown(&found.query), ["limit=", "limit=2"]);
    }

    #[test]
    fn missing_repeated_and_malformed_parameters_are_reported() {
        assert_eq!(split_of("get_buyer", &["orgId=o"]).unwrap_err(), "getBuyer needs --param buyerId=…");
        assert_eq!(
            split_of("get_buyer", &["orgId=o", "buyerID=b"]).unwrap_err(),
            "getBuyer needs --param buyerId=…: `buyerID` is not one of its path, did you mean `buyerId`?"
        );
        assert_eq!(
            split_of("get_buyer", &["orgId=o", "orgId=p", "buyerId=b"]).unwrap_err(),
            "--param orgId is there twice"
        );
        for text in ["", "=x", "x"] {
            assert_eq!(text.parse::<Parameter>().unwrap_err(), "expected NAME=VALUE", "{text}");
        }
    }
}
