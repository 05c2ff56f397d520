//! Settings from the environment.

use std::ffi::OsString;

use crate::{Error, ErrorKind, Result};

/// The values of environment variables, in order, without blanks and line breaks around them. An empty one counts as missing.
///
/// # Errors
/// [`ErrorKind::Config`], naming everything that is missing.
pub fn required<const N: usize>(names: [&str; N]) -> Result<[String; N]> {
    required_from(|name| std::env::var_os(name), names)
}

fn required_from<const N: usize>(lookup: impl Fn(&str) -> Option<OsString>, names: [&str; N]) -> Result<[String; N]> {
    let raw = names.map(|name| lookup(name).unwrap_or_default().into_string());
    if let Some((name, _)) = names.iter().zip(&raw).find(|(_, value)| value.is_err()) {
        return Err(Error::new(ErrorKind::Config, format!("{name} in the environment is not UTF-8")));
    }
    let values = raw.map(|value| value.unwrap_or_default().trim().to_owned());
    let missing: Vec<_> =
        names.iter().zip(&values).filter(|(_, value)| value.is_empty()).map(|(name, _)| *name).collect();
    if missing.is_empty() {
        return Ok(values);
    }
    Err(Error::new(ErrorKind::Config, format!("not set in the environment: {}", missing.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_missing_variables_are_named_at_once() {
        let lookup = |name: &str| (name != "B").then(|| if name == "C" { OsString::new() } else { "x\n".into() });
        assert_eq!(required_from(lookup, ["A"]).unwrap(), ["x"]);
        let error = required_from(lookup, ["A", "B", "C"]).unwrap_err();
        assert_eq!(error.to_string(), "not set in the environment: B, C");
    }
}
