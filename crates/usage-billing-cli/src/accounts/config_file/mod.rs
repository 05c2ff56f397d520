//! The configuration file: profiles of accounts.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use usage_billing::printable;

use super::account::{Account, Location, Setting, Source, Value};
use super::vendor::{Field, Vendor};
use crate::exit::Failure;
use crate::suggestion::did_you_mean;

/// A larger file has no settings.
const MAX_BYTES: u64 = 1 << 20;

/// The content of a configuration file.
#[derive(Debug)]
pub(crate) struct ConfigFile {
    pub(crate) path: Arc<PathBuf>,
    /// `profile`: the profile that is used if none is chosen.
    pub(crate) default_profile: Option<(String, Location)>,
    /// The accounts of each profile, in the order of vendors and names.
    pub(crate) profiles: BTreeMap<String, Vec<Account>>,
}

impl ConfigFile {
    /// Returns the path in the configuration folder of the platform.
    pub(crate) fn default_path() -> Option<PathBuf> {
        use etcetera::BaseStrategy as _;
        let folders = etcetera::choose_base_strategy().ok()?;
        Some(folders.config_dir().join("usage-billing").join("config.toml"))
    }

    /// Reads a file; `None` if it does not exist.
    pub(crate) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let failed = |reason: &dyn std::fmt::Display| {
            Failure::Usage(format!("the configuration {} {reason}", printable(&path.to_string_lossy())))
        };
        let unreadable = |error: std::io::Error| failed(&format_args!("cannot be read: {error}"));
        // Checked before it is opened: opening a pipe would wait for a writer.
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(failed(&"is not a regular file")),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(failed(&"is larger than 1 MiB"));
        }
        let text = String::from_utf8(bytes).map_err(|_| failed(&"is not UTF-8"))?;
        Self::parse(path, &text).map(Some)
    }

    pub(crate) fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let reader = Reader { path: Arc::new(path.to_owned()), text };
        let document = DeTable::parse(text).map_err(|error| {
            let message = error.message().replace('\n', ", ");
            reader.wrong(&error.span().unwrap_or(0..0), &format!("invalid TOML: {}", printable(&message)))
        })?;
        let mut file = Self { path: reader.path.clone(), default_profile: None, profiles: BTreeMap::new() };
        for (key, value) in document.get_ref() {
            match key.get_ref().as_ref() {
                "profile" => {
                    file.default_profile = Some((reader.string(key, value)?, reader.location(&key.span())));
                }
                "profiles" => {
                    for (name, accounts) in reader.table(key, value)? {
                        let accounts = reader.profile(name, accounts)?;
                        file.profiles.insert(name.get_ref().to_string(), accounts);
                    }
                }
                unknown => {
                    let expected = did_you_mean(unknown, ["profile", "profiles"]);
                    return Err(reader.wrong(&key.span(), &format!("unknown key `{}`: {expected}", printable(unknown))));
                }
            }
        }
        Ok(file)
    }
}

/// The file while it is parsed.
struct Reader<'a> {
    path: Arc<PathBuf>,
    text: &'a str,
}

type Key<'a> = Spanned<toml::de::DeString<'a>>;
type Node<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn location(&self, span: &Range<usize>) -> Location {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        Location { path: self.path.clone(), line: before.matches('\n').count() + 1 }
    }

    fn wrong(&self, span: &Range<usize>, problem: &str) -> Failure {
        Failure::Usage(format!("{}: {problem}", self.location(span)))
    }

    fn table<'t, 'i>(&self, key: &Key<'_>, value: &'t Node<'i>) -> Result<&'t DeTable<'i>, Failure> {
        value.get_ref().as_table().ok_or_else(|| {
            let found = value.get_ref().type_str();
            self.wrong(&key.span(), &format!("`{}` is not a table but of the type {found}", printable(key.get_ref())))
        })
    }

    /// Returns a string that is not empty.
    fn string(&self, key: &Key<'_>, value: &Node<'_>) -> Result<String, Failure> {
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Some(_) => Err(self.wrong(&key.span(), &format!("`{}` is empty", key.get_ref()))),
            None => {
                let found = value.get_ref().type_str();
                Err(self.wrong(
                    &key.span(),
                    &format!("`{}` is not a string but of the type {found}", printable(key.get_ref())),
                ))
            }
        }
    }

    fn profile(&self, name: &Key<'_>, accounts: &Node<'_>) -> Result<Vec<Account>, Failure> {
        let mut all = Vec::new();
        for (name, account) in self.table(name, accounts)? {
            all.push(self.account(name, self.table(name, account)?)?);
        }
        all.sort_by(|one, other| (one.vendor, &one.name).cmp(&(other.vendor, &other.name)));
        Ok(all)
    }

    fn account(&self, name: &Key<'_>, table: &DeTable<'_>) -> Result<Account, Failure> {
        let stated = table.iter().find(|(key, _)| key.get_ref() == "vendor");
        let (text, span) = match stated {
            Some((key, value)) => (self.string(key, value)?, key.span()),
            None => (name.get_ref().to_string(), name.span()),
        };
        let names = || Vendor::value_variants().iter().map(|vendor| vendor.name());
        let Some(vendor) = Vendor::value_variants().iter().copied().find(|vendor| vendor.name() == text) else {
            let problem = match stated {
                Some(_) => format!("unknown vendor `{}`: {}", printable(&text), did_you_mean(&text, names())),
                None => format!(
                    "the account `{0}` has no vendor: add vendor = \"…\" ({1})",
                    printable(&text),
                    names().collect::<Vec<_>>().join(", ")
                ),
            };
            return Err(self.wrong(&span, &problem));
        };
        let mut account = Account {
            name: name.get_ref().to_string(),
            vendor,
            location: Some(self.location(&name.span())),
            settings: BTreeMap::new(),
        };
        for (key, value) in table.iter().filter(|(key, _)| key.get_ref() != "vendor") {
            let (field, value) = self.setting(vendor, key, value)?;
            let location = self.location(&key.span());
            let setting = Setting { value, source: Source::File(location) };
            if account.settings.insert(field.key, setting).is_some() {
                return Err(self.wrong(
                    &key.span(),
                    &format!("{0} has several sources: keep one of {0}_file, {0}_command, {0}_keyring", field.key),
                ));
            }
        }
        Ok(account)
    }

    fn setting(&self, vendor: Vendor, key: &Key<'_>, value: &Node<'_>) -> Result<(&'static Field, Value), Failure> {
        let name = key.get_ref().as_ref();
        for field in vendor.fields() {
            if !field.is_secret && name == field.key {
                let text = self.string(key, value)?;
                let is_relative = field.is_path && !text.contains("://");
                let text = if is_relative { self.path_beside(&text).to_string_lossy().into_owned() } else { text };
                return Ok((field, Value::Text(text)));
            }
            let suffix = name.strip_prefix(field.key).filter(|_| field.is_secret);
            match suffix {
                Some("_file") => return Ok((field, Value::SecretInFile(self.path_beside(&self.string(key, value)?)))),
                Some("_command") => return Ok((field, Value::SecretOfCommand(self.command(key, value)?))),
                Some("_keyring") => return Ok((field, Value::SecretInKeyring(self.string(key, value)?))),
                Some("") => {
                    let problem = format!(
                        "{name} does not belong in this file: name a file with {name}_file, a command with {name}_command, or an entry of the keyring with {name}_keyring"
                    );
                    return Err(self.wrong(&key.span(), &problem));
                }
                _ => {}
            }
        }
        let names: Vec<_> = keys(vendor).collect();
        let expected = did_you_mean(name, names.iter().map(String::as_str));
        let problem = format!("unknown setting `{}` of a {} account: {expected}", printable(name), vendor.name());
        Err(self.wrong(&key.span(), &problem))
    }

    /// Returns a path of the file. Relative ones are relative to the folder of the configuration file.
    fn path_beside(&self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    fn command(&self, key: &Key<'_>, value: &Node<'_>) -> Result<Vec<String>, Failure> {
        let words = value.get_ref().as_array().map(|words| {
            words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        match words.flatten() {
            Some(words) if !words.is_empty() => Ok(words),
            _ => {
                let problem = format!(
                    "`{}` is not a command: expected an array of the program and its arguments, such as [\"op\", \"read\", \"op://…\"]",
                    key.get_ref()
                );
                Err(self.wrong(&key.span(), &problem))
            }
        }
    }
}

/// Returns the keys of an account in the file.
fn keys(vendor: Vendor) -> impl Iterator<Item = String> {
    let keys = vendor.fields().iter().flat_map(|field| match field.is_secret {
        true => ["_file", "_command", "_keyring"].map(|suffix| format!("{}{suffix}", field.key)).into(),
        false => vec![field.key.to_owned()],
    });
    keys.chain(["vendor".to_owned()])
}

#[cfg(test)]
mod tests;
