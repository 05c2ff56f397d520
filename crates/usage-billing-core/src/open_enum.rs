//! Enums that a vendor may extend at any time.

use std::fmt;

/// The text of a value that the curated document does not list.
///
/// Cannot be made from a listed value, so that a `match` on the listed ones never misses.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    #[doc(hidden)]
    pub fn __new(text: &str) -> Self {
        Self(text.into())
    }

    /// As it came.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Completes an enum of the vendor's values: text both ways, with what is not listed kept as it came.
#[doc(hidden)]
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $(#[$value_meta:meta])* $value:ident = $text:literal, )+
        }
    ) => {
        $(#[$meta])*
        ///
        /// The vendor may add values: what is not listed here decodes as `Unknown`, prints and goes back as it came.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$value_meta])* #[doc = concat!("`", $text, "`")] $value, )+
            /// A value that the curated document does not list.
            Unknown($crate::UnknownValue),
        }

        impl $name {
            /// All listed values.
            pub const KNOWN: &'static [Self] = &[$( Self::$value ),+];

            /// The value as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$value => $text, )+
                    Self::Unknown(value) => value.as_str(),
                }
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $( $text => Self::$value, )+
                    other => Self::Unknown($crate::UnknownValue::__new(other)),
                }
            }
        }

        $crate::open_enum_impls!($name);
    };
}

/// The part of [`open_enum!`] that does not depend on the values.
#[doc(hidden)]
#[macro_export]
macro_rules! __open_enum_impls {
    ($name:ident) => {
        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                ::std::result::Result::Ok(Self::from(text))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                struct __Text;
                impl $crate::serde::de::Visitor<'_> for __Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str("a string")
                    }
                    fn visit_str<__E>(self, text: &str) -> ::std::result::Result<$name, __E> {
                        ::std::result::Result::Ok($name::from(text))
                    }
                }
                deserializer.deserialize_str(__Text)
            }
        }
    };
}
#[doc(hidden)]
pub use __open_enum_impls as open_enum_impls;

#[cfg(test)]
#[allow(unreachable_pub)]
mod tests {
    open_enum! {
        /// State.
        pub enum State {
            /// Being made.
            InProgress = "InProgress",
            /// Nothing said.
            Empty = "",
        }
    }

    #[test]
    fn an_unlisted_value_decodes_prints_and_goes_back_as_it_came() {
        let state: State = serde_json::from_str("\"Paused: \\u00fc\"").unwrap();
        assert_eq!(state.to_string(), "Paused: ü");
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"Paused: ü\"");
        assert!(matches!(state, State::Unknown(_)));
    }

    #[test]
    fn a_listed_value_is_never_unknown() {
        assert_eq!(serde_json::from_str::<State>("\"InProgress\"").unwrap(), State::InProgress);
        assert_eq!(State::from("InProgress".to_owned()), State::InProgress);
        assert_eq!("".parse(), Ok(State::Empty));
        assert_eq!(State::KNOWN.len(), 2);
        assert!(serde_json::from_str::<State>("7").is_err());
    }
}
