//! Documents are parsed within limits: a file of a few kilobytes can otherwise expand to more memory than a machine has.
//!
//! A YAML alias repeats the value that it names, pointers grow with the names above a value, and converting a specification copies
//! nested values once for each level. So the estimate of a document's memory counts each value with its pointer and each string
//! once for each level.

#[cfg(feature = "yaml")]
mod yaml;

use std::{
    cell::{Cell, RefCell},
    fmt,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

#[cfg(feature = "yaml")]
pub use self::yaml::YamlError;

/// Raises the limits.
const VARIABLE: &str = "OPENAPI_MAX_DOCUMENT_MIB";
/// The largest file, unless the variable states otherwise.
const FILE_MIB: usize = 32;
/// The factor by which an expanded document may exceed the largest file.
const EXPANSION: usize = 8;
/// The approximate size of a value besides its text.
const VALUE: usize = 128;

/// Returns whether the value under some keys, the outermost first, is not read: it is null then. Indices of arrays do not count.
pub type Unread = fn(&[String]) -> bool;

/// The remaining part of the limits while the files of one specification are read.
pub struct Budget {
    /// The limit of a file.
    mib: usize,
    /// Of all files together.
    bytes: Cell<usize>,
    /// Of all documents, expanded.
    memory: Cell<usize>,
    exceeded: Cell<bool>,
    /// The error if the environment does not have a number.
    invalid: Option<String>,
}

impl Budget {
    /// Returns the limits of the environment, or the usual ones.
    #[must_use]
    pub fn from_env() -> Self {
        Self::of_setting(std::env::var(VARIABLE).ok().as_deref())
    }

    fn of_setting(setting: Option<&str>) -> Self {
        let Some(text) = setting.map(str::trim).filter(|text| !text.is_empty()) else { return Self::of_mib(FILE_MIB) };
        match text.parse::<usize>().ok().filter(|mib| *mib > 0) {
            Some(mib) => Self::of_mib(mib),
            None => Self { invalid: Some(text.chars().take(40).collect()), ..Self::of_mib(FILE_MIB) },
        }
    }

    fn of_mib(mib: usize) -> Self {
        let bytes = mib.saturating_mul(1 << 20);
        let memory = bytes.saturating_mul(EXPANSION);
        Self { mib, bytes: Cell::new(bytes), memory: Cell::new(memory), exceeded: Cell::new(false), invalid: None }
    }

    /// Returns whether the last error was a limit: no repair of the document helps.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.exceeded.get()
    }

    /// Reads a file, also one whose size is not known beforehand.
    ///
    /// # Errors
    /// The file cannot be read or is larger than what is left of the limit.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.read_stream(File::open(path)?)
    }

    /// Reads a stream up to its end.
    ///
    /// # Errors
    /// The stream cannot be read or is longer than what is left of the limit.
    pub fn read_stream(&self, stream: impl io::Read) -> io::Result<Vec<u8>> {
        if let Some(text) = &self.invalid {
            return Err(io::Error::other(format!("{VARIABLE}={text:?} is not a valid number of MiB, such as 64")));
        }
        let left = self.bytes.get();
        let mut bytes = Vec::new();
        stream.take(left.saturating_add(1) as u64).read_to_end(&mut bytes)?;
        match left.checked_sub(bytes.len()) {
            Some(rest) => self.bytes.set(rest),
            None => return Err(io::Error::other(self.too_large())),
        }
        Ok(bytes)
    }

    /// Reads a file of text.
    ///
    /// # Errors
    /// Those of [`read`](Self::read); the file is not UTF-8.
    pub fn read_text(&self, path: &Path) -> io::Result<String> {
        String::from_utf8(self.read(path)?)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
    }

    /// Returns how many bytes are left for further files.
    #[must_use]
    pub fn bytes_left(&self) -> usize {
        self.bytes.get()
    }

    fn too_large(&self) -> String {
        self.exceeded.set(true);
        format!("larger than the limit of {} MiB for a document and its files; {VARIABLE} raises it", self.mib)
    }

    fn charge(&self, bytes: usize) -> Result<(), String> {
        match self.memory.get().checked_sub(bytes) {
            Some(rest) => self.memory.set(rest),
            None => return Err(self.too_much()),
        }
        Ok(())
    }

    fn too_much(&self) -> String {
        self.exceeded.set(true);
        format!(
            "the document would take more than the limit of {} MiB with all aliases expanded; {VARIABLE}={} doubles it",
            self.mib.saturating_mul(EXPANSION),
            self.mib.saturating_mul(2)
        )
    }

    /// Parses JSON.
    ///
    /// # Errors
    /// The text is not JSON, has a key twice, is nested too deeply, or takes more memory than what is left of the limit.
    pub fn json(&self, text: &str) -> serde_json::Result<Value> {
        self.json_without(text, |_| false)
    }

    /// Parses JSON, except for the values that are not to be read.
    ///
    /// # Errors
    /// Those of [`json`](Self::json).
    pub fn json_without(&self, text: &str, unread: Unread) -> serde_json::Result<Value> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let keys = RefCell::default();
        let value = Seed { is_unique: true, ..self.seed(unread, &keys) }.deserialize(&mut deserializer)?;
        deserializer.end().map(|()| value)
    }

    fn seed<'a>(&'a self, unread: Unread, keys: &'a RefCell<Vec<String>>) -> Seed<'a> {
        Seed { budget: self, unread, keys, depth: 1, pointer: 0, is_unique: false }
    }
}

/// Reads one value.
#[derive(Clone, Copy)]
struct Seed<'a> {
    budget: &'a Budget,
    unread: Unread,
    /// The keys above the value.
    keys: &'a RefCell<Vec<String>>,
    depth: usize,
    /// The length of the value's pointer.
    pointer: usize,
    /// Whether a key that is there twice is an error. The parser of YAML checks that itself.
    is_unique: bool,
}

impl Seed<'_> {
    fn charge<E: Error>(self, text: usize) -> Result<(), E> {
        let bytes = VALUE.saturating_add(self.pointer).saturating_add(text.saturating_mul(self.depth));
        self.budget.charge(bytes).map_err(E::custom)
    }

    fn below(self, name: usize) -> Self {
        Self { depth: self.depth + 1, pointer: self.pointer + name + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        self.charge(0).map(|()| Value::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        self.charge(0).map(|()| value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        self.charge(0).map(|()| value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        self.charge(0).map(|()| value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        self.charge(0).map(|()| value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.charge(value.len()).map(|()| value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        self.charge(value.len()).map(|()| value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.charge(0)?;
        let mut list = Vec::new();
        while let Some(value) = entries.next_element_seed(self.below(8))? {
            list.push(value);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        self.charge(0)?;
        let mut map = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            self.charge(key.len())?;
            if self.is_unique && map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("duplicate key {key:?}")));
            }
            let below = self.below(key.len());
            self.keys.borrow_mut().push(key);
            let is_unread = (self.unread)(&self.keys.borrow());
            let value = match is_unread {
                true => entries.next_value::<IgnoredAny>().map(|_| Value::Null)?,
                false => entries.next_value_seed(below)?,
            };
            let key = self.keys.borrow_mut().pop().unwrap_or_default();
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_up_to_its_end() {
        let text = r#"{"a": [1, -2, 0.5, "x", null, true]}"#;
        assert_eq!(Budget::of_mib(1).json(text).unwrap(), json!({"a": [1, -2, 0.5, "x", null, true]}));
        assert!(Budget::of_mib(1).json("{} x").is_err());
        let error = Budget::of_mib(1).json("{\"a\": {\n\"b\": 1, \"b\": 2}}").unwrap_err();
        assert!(error.to_string().starts_with("duplicate key \"b\" at line 2 column "), "{error}");
    }

    #[test]
    fn unread_values_are_null_and_not_counted() {
        let text = format!("{{\"a\": {{\"b\": [{{\"c\": {:?}}}, 1]}}, \"c\": 2}}", "x".repeat(9 << 20));
        let read = Budget::of_mib(1).json_without(&text, |keys| keys == ["a", "b", "c"]).unwrap();
        assert_eq!(read, json!({"a": {"b": [{"c": null}, 1]}, "c": 2}));
        assert!(Budget::of_mib(1).json_without("{\"a\": [}", |_| true).is_err());
    }

    #[test]
    fn pointer_and_value_lengths_count_toward_the_budget() {
        let keys = format!("{{{:?}: [{}0]}}", "k".repeat(100_000), "0,".repeat(100));
        let deep = format!("{}{:?}{}", "[".repeat(100), "x".repeat(100_000), "]".repeat(100));
        for text in [keys, deep] {
            let budget = Budget::of_mib(1);
            assert!(budget.json(&text).is_err(), "{}", text.len());
            assert!(budget.is_exceeded());
        }
    }

    #[test]
    fn a_limit_names_itself_and_how_to_raise_it() -> io::Result<()> {
        let budget = Budget::of_mib(1);
        let error = budget.json(&format!("{:?}", "x".repeat(9 << 20))).map(|_| ()).unwrap_err().to_string();
        let expected = "the document would take more than the limit of 8 MiB with all aliases expanded; OPENAPI_MAX_DOCUMENT_MIB=2 doubles it";
        assert!(error.starts_with(expected), "{error}");
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "x".repeat((1 << 20) + 1))?;
        let error = budget.read(file.path()).unwrap_err().to_string();
        assert_eq!(
            error,
            "larger than the limit of 1 MiB for a document and its files; OPENAPI_MAX_DOCUMENT_MIB raises it"
        );
        Ok(())
    }

    #[test]
    fn a_setting_that_is_not_a_number_is_an_error() -> io::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        for (setting, mib) in [(None, 32), (Some(""), 32), (Some(" 64 "), 64)] {
            let budget = Budget::of_setting(setting);
            assert_eq!(budget.mib, mib, "{setting:?}");
            assert!(budget.read(file.path()).is_ok());
        }
        for setting in ["lots", "0", "-1", "1.5"] {
            let error = Budget::of_setting(Some(setting)).read(file.path()).unwrap_err().to_string();
            assert!(error.ends_with("is not a valid number of MiB, such as 64"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn files_share_a_limit() -> io::Result<()> {
        let budget = Budget::of_mib(1);
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), "x".repeat(600 << 10))?;
        assert!(budget.read(file.path()).is_ok());
        assert!(budget.read(file.path()).is_err());
        Ok(())
    }
}
