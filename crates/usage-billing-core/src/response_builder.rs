//! Builders of the types of responses, for mocks.

/// Defines the builder of a type of the module `types`, and its function `builder`. A field is `required`, `optional` (its type is an
/// `Option` of the one here), or has a `default`.
#[doc(hidden)]
#[macro_export]
macro_rules! response_builder {
    ($name:ident { $($kind:ident $field:ident: $of:ty,)* }) => {
        #[doc = concat!("Builds a [`", stringify!($name), "`](crate::types::", stringify!($name), ").")]
        #[derive(Clone, Debug)]
        pub struct $name {
            $($field: ::std::result::Result<$crate::response_builder!(@of $kind $of), ::std::string::String>,)*
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $($field: $crate::response_builder!(@start $kind $field),)* }
            }
        }

        impl $name {
            $($crate::response_builder!(@setter $kind $field $of);)*
        }

        impl ::std::convert::TryFrom<$name> for types::$name {
            type Error = $crate::BuildError;
            #[allow(unused_variables)]
            fn try_from(builder: $name) -> ::std::result::Result<Self, $crate::BuildError> {
                ::std::result::Result::Ok(Self { $($field: builder.$field?,)* })
            }
        }

        impl types::$name {
            /// Starts to build a value of this type.
            pub fn builder() -> $name {
                ::std::default::Default::default()
            }
        }
    };
    (@of optional $of:ty) => { ::std::option::Option<$of> };
    (@of $kind:ident $of:ty) => { $of };
    (@start required $field:ident) => {
        ::std::result::Result::Err(concat!("no value supplied for ", stringify!($field)).to_owned())
    };
    (@start $kind:ident $field:ident) => { ::std::result::Result::Ok(::std::default::Default::default()) };
    (@setter optional $field:ident $of:ty) => {
        #[doc = concat!("Sets `", stringify!($field), "`.")]
        pub fn $field<V: $crate::IntoOptional<$of, K>, K>(mut self, value: V) -> Self {
            self.$field = $crate::__private::in_field(stringify!($field), value.into_optional());
            self
        }
    };
    (@setter $kind:ident $field:ident $of:ty) => {
        #[doc = concat!("Sets `", stringify!($field), "`.")]
        pub fn $field<V: $crate::IntoRequired<$of>>(mut self, value: V) -> Self {
            self.$field = $crate::__private::in_field(stringify!($field), value.into_required());
            self
        }
    };
}

#[cfg(test)]
mod tests {
    mod types {
        #[derive(Debug, PartialEq)]
        pub(super) struct Page {
            pub(super) id: u8,
            pub(super) next: Option<String>,
            pub(super) items: Vec<u8>,
        }
    }

    #[allow(unreachable_pub, private_interfaces)]
    mod builder {
        use super::types;

        response_builder!(Page {
            required id: u8,
            optional next: ::std::string::String,
            default items: ::std::vec::Vec<u8>,
        });
    }

    #[test]
    fn builder_requires_only_required_fields() {
        let page = types::Page::builder().id(7_u64).next("a").items([1]);
        assert_eq!(types::Page::try_from(page), Ok(types::Page { id: 7, next: Some("a".to_owned()), items: vec![1] }));
        let reason = |page: builder::Page| types::Page::try_from(page).unwrap_err().to_string();
        assert_eq!(reason(types::Page::builder()), "no value supplied for id");
        assert!(reason(types::Page::builder().id(999_u64)).starts_with("id: invalid value 999: "));
    }
}
