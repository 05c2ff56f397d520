//! Enums that a vendor may extend.

use std::fmt;

/// An enum value that the OpenAPI document does not list.
///
/// It cannot be created from a listed value, so that a `match` on listed values finds all of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnknownValue(Box<str>);

impl UnknownValue {
    /// Returns the value as the vendor sent it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Defines an enum of strings that keeps values that are not listed.
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
        /// The vendor may add values: a value that is not listed here decodes as `Unknown`, and is printed and sent unchanged.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $( $(#[$value_meta])* #[doc = concat!("`", $text, "`")] $value, )+
            /// A value that the OpenAPI document does not list.
            Unknown($crate::UnknownValue),
        }

        impl $name {
            /// All listed values.
            pub const KNOWN: &'static [Self] = &[$( Self::$value ),+];

            /// Returns the value in its wire format.
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
                    other => Self::Unknown($crate::__private::unknown_value(other)),
                }
            }
        }

        $crate::__private::open_enum_impls!($name);
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
            // Not `Self::Err`: a value may be called so.
            fn from_str(text: &str) -> ::std::result::Result<Self, ::std::convert::Infallible> {
                ::std::result::Result::Ok(Self::from(text))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S: $crate::__private::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::std::result::Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<Self, D::Error> {
                struct __Text;
                impl $crate::__private::serde::de::Visitor<'_> for __Text {
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
pub use __open_enum_impls as open_enum_impls;

/// Creates an unlisted value; for [`open_enum!`], which has checked that it is not listed.
pub fn unknown_value(text: &str) -> UnknownValue {
    UnknownValue(text.into())
}

#[cfg(test)]
#[allow(unreachable_pub)]
mod tests {
    open_enum! {
        /// State.
        pub enum State {
            /// Under way.
            InProgress = "InProgress",
            /// Not stated.
            Empty = "",
            /// Called like an associated type of std.
            Err = "Err",
        }
    }

    #[test]
    fn unlisted_value_decodes_prints_and_encodes_unchanged() {
        let state: State = serde_json::from_str("\"Paused: \\u00fc\"").unwrap();
        assert_eq!(state.to_string(), "Paused: ü");
        assert_eq!(serde_json::to_string(&state).unwrap(), "\"Paused: ü\"");
        assert!(matches!(state, State::Unknown(_)));
    }

    #[test]
    fn listed_value_is_never_unknown() {
        assert_eq!(serde_json::from_str::<State>("\"InProgress\"").unwrap(), State::InProgress);
        assert_eq!(State::from("InProgress".to_owned()), State::InProgress);
        assert_eq!("".parse(), Ok(State::Empty));
        assert_eq!(State::KNOWN, [State::InProgress, State::Empty, State::Err]);
        assert!(serde_json::from_str::<State>("7").is_err());
    }
}
