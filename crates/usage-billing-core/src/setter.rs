//! Conversions of values that setters of calls and of builders take.

use std::any::TypeId;
use std::convert::Infallible;
use std::fmt::{self, Debug, Display, Write as _};

use crate::foreign_text::MAX_VALUE_CHARS;

/// A value of an optional parameter or field: a `T`, a value that converts to one, or an `Option` of either. `None` leaves it out.
///
/// `Kind` follows from the value.
pub trait IntoOptional<T, Kind> {
    /// Converts the value.
    ///
    /// # Errors
    /// The value with the reason, if it does not convert.
    fn into_optional(self) -> Result<Option<T>, String>;
}

/// The kind of values that are not an `Option`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Plain {}

/// The kind of an `Option`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Optional {}

impl<T, V: IntoRequired<T>> IntoOptional<T, Plain> for V {
    fn into_optional(self) -> Result<Option<T>, String> {
        self.into_required().map(Some)
    }
}

impl<T, V: IntoRequired<T>> IntoOptional<T, Optional> for Option<V> {
    fn into_optional(self) -> Result<Option<T>, String> {
        self.map(IntoRequired::into_required).transpose()
    }
}

/// A value of a required parameter or field: a `T`, or a value that converts to one.
pub trait IntoRequired<T> {
    /// Converts the value.
    ///
    /// # Errors
    /// The value with the reason, if it does not convert.
    fn into_required(self) -> Result<T, String>;
}

impl<T, V> IntoRequired<T> for V
where
    V: TryInto<T, Error: Display + 'static> + Debug,
{
    fn into_required(self) -> Result<T, String> {
        // Most conversions cannot fail. The error of a builder names the field and its value.
        let needs_value = ![TypeId::of::<Infallible>(), TypeId::of::<BuildError>()].contains(&TypeId::of::<V::Error>());
        let shown = needs_value.then(|| Prefix::format(&self));
        self.try_into().map_err(|reason| match shown {
            Some(shown) => format!("invalid value {shown}: {reason}"),
            None => reason.to_string(),
        })
    }
}

/// Adds the name of a field to the reason why its value does not convert. Generated code calls it.
pub fn in_field<T>(name: &str, value: Result<T, String>) -> Result<T, String> {
    value.map_err(|reason| format!("{name}: {reason}"))
}

/// The error of a builder: a field is missing or invalid.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildError(String);

impl From<String> for BuildError {
    fn from(reason: String) -> Self {
        Self(reason)
    }
}

impl Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for BuildError {}

/// The first characters of a value in its `Debug` form. The rest is not formatted: a value may be large.
struct Prefix {
    text: String,
    room: usize,
}

impl Prefix {
    fn format(value: &impl Debug) -> String {
        let mut prefix = Self { text: String::new(), room: MAX_VALUE_CHARS };
        if write!(prefix, "{value:?}").is_err() {
            prefix.text.push('…');
        }
        prefix.text
    }
}

impl fmt::Write for Prefix {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.char_indices().nth(self.room).map_or(text.len(), |(end, _)| end);
        self.text += &text[..end];
        self.room -= text[..end].chars().count();
        if end < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn optional<T, K>(value: impl IntoOptional<T, K>) -> Result<Option<T>, String> {
        value.into_optional()
    }

    #[test]
    fn values_and_options_of_values_convert() {
        let text = Ok(Some("a".to_owned()));
        assert_eq!(optional::<String, _>("a"), text);
        assert_eq!(optional::<String, _>("a".to_owned()), text);
        assert_eq!(optional::<String, _>(Some("a")), text);
        assert_eq!(optional::<String, _>(Some("a".to_owned())), text);
        assert_eq!(optional::<String, _>(None::<&str>), Ok(None));
        assert_eq!(optional::<i64, _>(7_u32), Ok(Some(7)));
        assert_eq!(optional::<i64, _>(Some(7)), Ok(Some(7)));
    }

    #[test]
    fn failed_conversion_reports_value_and_reason() {
        let error = |value: u64| in_field("limit", IntoRequired::<i8>::into_required(value)).unwrap_err();
        assert_eq!(error(1234), "limit: invalid value 1234: out of range integral type conversion attempted");
        let long = vec![1; 9000];
        let reason = IntoRequired::<[u8; 2]>::into_required(&*long).unwrap_err();
        assert!(reason.starts_with("invalid value [1, 1") && reason.contains("…: "), "{reason}");
        assert!(reason.chars().count() < 300, "{reason}");
    }

    #[test]
    fn error_of_a_builder_names_the_field_once() {
        #[derive(Debug)]
        struct Builder;
        #[derive(Debug)]
        struct Built;
        impl TryFrom<Builder> for Built {
            type Error = BuildError;
            fn try_from(_: Builder) -> Result<Self, BuildError> {
                Err("limit: invalid value 9: too large".to_owned().into())
            }
        }
        assert_eq!(IntoRequired::<Built>::into_required(Builder).unwrap_err(), "limit: invalid value 9: too large");
    }
}
