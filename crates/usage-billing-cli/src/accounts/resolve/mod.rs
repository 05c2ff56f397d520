//! Accounts from the configuration file and the environment: flags before the environment before the file.

use std::collections::BTreeMap;

use clap::ValueEnum;
use usage_billing::printable;

use super::account::{Account, Setting, Source, Value};
use super::config_file::ConfigFile;
use super::vendor::{Field, Vendor};
use crate::exit::Failure;
use crate::suggestion::did_you_mean;

/// The profile that is used if none is chosen.
const DEFAULT_PROFILE: &str = "default";

/// Profile and accounts that were chosen by flags and by the environment.
#[derive(Debug, Default)]
pub(super) struct Choice<'a> {
    pub(super) profile: Option<&'a str>,
    pub(super) environment_profile: Option<&'a str>,
    pub(super) accounts: &'a [String],
}

/// A function that returns the value of a variable of the environment, unless it is empty.
pub(super) type Environment<'a> = dyn Fn(&str) -> Result<Option<String>, Failure> + 'a;

/// Returns the accounts of the wanted vendors, of all if none is named, in the order of vendors and names.
///
/// A variable of the environment replaces the setting of the file, unless a flag chose the profile or the account: then it only adds what
/// the file lacks.
pub(super) fn resolve(
    choice: &Choice<'_>,
    file: Option<&ConfigFile>,
    wanted: &[Vendor],
    environment: &Environment<'_>,
) -> Result<Vec<Account>, Failure> {
    let of_file = accounts_of_profile(choice, file)?;
    let is_named = |account: &Account| choice.accounts.is_empty() || choice.accounts.contains(&account.name);
    let is_chosen = choice.profile.is_some() || !choice.accounts.is_empty();
    let (mut all, mut names) = (Vec::new(), Vec::new());
    for vendor in Vendor::value_variants().iter().copied() {
        let from_environment = settings_of(vendor, environment)?;
        let mut accounts: Vec<_> = of_file.iter().filter(|account| account.vendor == vendor).cloned().collect();
        if accounts.is_empty() && !from_environment.is_empty() {
            let settings = BTreeMap::new();
            accounts.push(Account { name: vendor.name().to_owned(), vendor, location: None, settings });
        }
        names.extend(accounts.iter().map(|account| account.name.clone()));
        accounts.retain(is_named);
        if let ([one, other, ..], false, Some(setting)) = (&*accounts, is_chosen, from_environment.values().next()) {
            return Err(Failure::Usage(format!(
                "the {} is of one account, but the profile has several of {} ({}, {}): choose one with --account, or unset the variable",
                setting.source,
                vendor.name(),
                printable(&one.name),
                printable(&other.name)
            )));
        }
        for account in &mut accounts {
            for (key, setting) in &from_environment {
                if !is_chosen || !account.settings.contains_key(key) {
                    account.settings.insert(key, setting.clone());
                }
            }
        }
        all.extend(accounts);
    }
    if let Some(unknown) = choice.accounts.iter().find(|name| !names.contains(name)) {
        let expected = match names.is_empty() {
            true => "no account is configured".to_owned(),
            false => did_you_mean(unknown, names.iter().map(String::as_str)),
        };
        return Err(Failure::Usage(format!("unknown account `{}`: {expected}", printable(unknown))));
    }
    all.retain(|account| wanted.is_empty() || wanted.contains(&account.vendor));
    Ok(all)
}

fn accounts_of_profile<'a>(choice: &Choice<'_>, file: Option<&'a ConfigFile>) -> Result<&'a [Account], Failure> {
    let stated = file.and_then(|file| file.default_profile.as_ref());
    let name = choice.profile.or(choice.environment_profile).or(stated.map(|(name, _)| &**name));
    let profiles = file.map(|file| &file.profiles);
    if let Some(accounts) = profiles.and_then(|profiles| profiles.get(name.unwrap_or(DEFAULT_PROFILE))) {
        return Ok(accounts);
    }
    // Without any choice, a file may have no default profile.
    let Some(name) = name else { return Ok(&[]) };
    let source = match (choice.profile, choice.environment_profile, stated) {
        (Some(_), ..) => "--profile: ".to_owned(),
        (None, Some(_), _) => "USAGE_BILLING_PROFILE: ".to_owned(),
        (None, None, Some((_, location))) => format!("{location}: "),
        (None, None, None) => String::new(),
    };
    let expected = match (file, profiles.filter(|profiles| !profiles.is_empty())) {
        (_, Some(profiles)) => did_you_mean(name, profiles.keys().map(String::as_str)),
        (Some(file), None) => format!("{} has no profiles", printable(&file.path.to_string_lossy())),
        (None, None) => match ConfigFile::default_path() {
            Some(path) => format!("there is no {}", printable(&path.to_string_lossy())),
            None => "there is no configuration file".to_owned(),
        },
    };
    Err(Failure::Usage(format!("{source}unknown profile `{}`: {expected}", printable(name))))
}

/// Returns the settings of a vendor in the environment.
fn settings_of(vendor: Vendor, environment: &Environment<'_>) -> Result<BTreeMap<&'static str, Setting>, Failure> {
    let mut settings = BTreeMap::new();
    for field in vendor.fields() {
        if let Some((variable, text)) = variable_of(field, environment)? {
            let value = if field.is_secret { Value::SecretInEnvironment(variable) } else { Value::Text(text) };
            settings.insert(field.key, Setting { value, source: Source::Environment(variable) });
        }
    }
    Ok(settings)
}

/// Returns the variable of a setting. Both names may be set if they agree.
fn variable_of(field: &Field, environment: &Environment<'_>) -> Result<Option<(&'static str, String)>, Failure> {
    let mut found: Option<(&'static str, String)> = None;
    for variable in field.variables {
        let text = match environment(variable)? {
            // The file is read later.
            None if field.is_secret => environment(&format!("{variable}_FILE"))?,
            text => text,
        };
        let Some(text) = text else { continue };
        match &found {
            Some((first, other)) if *other != text => {
                return Err(Failure::Usage(format!("{first} and {variable} in the environment differ: unset one")));
            }
            Some(_) => {}
            None => found = Some((variable, text)),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
