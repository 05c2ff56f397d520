//! Builders of types and of calls: a setter for each field or parameter, which converts its value.

/// Defines the builder of a type of the module `types`, and its function `builder`. A field is `required`, `optional` (its type is an
/// `Option` of the one here), `boxed` (an `Option` of a box), or has a `default`.
#[doc(hidden)]
#[macro_export]
macro_rules! builder {
    ($name:ident { $( $(#[$meta:meta])* $kind:ident $field:ident: $of:ty, )* }) => {
        #[doc = concat!("Builds a [`", stringify!($name), "`](crate::types::", stringify!($name), ").")]
        #[derive(Clone, Debug)]
        pub struct $name {
            $( $field: ::std::result::Result<$crate::builder!(@of $kind $of), ::std::string::String>, )*
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $( $field: $crate::builder!(@start $kind $field), )* }
            }
        }

        impl $name {
            $( $crate::builder!(@setter [$(#[$meta])*] $kind $field $of); )*
        }

        impl ::std::convert::TryFrom<$name> for types::$name {
            type Error = $crate::BuildError;
            #[allow(deprecated, unused_variables)]
            fn try_from(builder: $name) -> ::std::result::Result<Self, $crate::BuildError> {
                ::std::result::Result::Ok(Self { $( $field: builder.$field?, )* })
            }
        }

        impl ::std::convert::From<types::$name> for $name {
            #[allow(deprecated, unused_variables)]
            fn from(value: types::$name) -> Self {
                Self { $( $field: ::std::result::Result::Ok(value.$field), )* }
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
    (@of boxed $of:ty) => { ::std::option::Option<::std::boxed::Box<$of>> };
    (@of $kind:ident $of:ty) => { $of };
    (@start required $field:ident) => {
        ::std::result::Result::Err(concat!("no value supplied for ", stringify!($field)).to_owned())
    };
    (@start $kind:ident $field:ident) => { ::std::result::Result::Ok(::std::default::Default::default()) };
    (@setter [] $kind:ident $field:ident $of:ty) => {
        $crate::builder!(@setter [#[doc = concat!("Sets `", stringify!($field), "`.")]] $kind $field $of);
    };
    (@setter [$(#[$meta:meta])+] optional $field:ident $of:ty) => {
        $(#[$meta])+
        pub fn $field<V: $crate::IntoOptional<$of, K>, K>(mut self, value: V) -> Self {
            self.$field = $crate::__private::in_field(stringify!($field), value.into_optional());
            self
        }
    };
    (@setter [$(#[$meta:meta])+] boxed $field:ident $of:ty) => {
        $(#[$meta])+
        pub fn $field<V: $crate::IntoOptional<$of, K>, K>(mut self, value: V) -> Self {
            let value = value.into_optional().map(|object| object.map(::std::boxed::Box::new));
            self.$field = $crate::__private::in_field(stringify!($field), value);
            self
        }
    };
    (@setter [$(#[$meta:meta])+] $kind:ident $field:ident $of:ty) => {
        $(#[$meta])+
        pub fn $field<V: $crate::IntoRequired<$of>>(mut self, value: V) -> Self {
            self.$field = $crate::__private::in_field(stringify!($field), value.into_required());
            self
        }
    };
}

/// Defines a call, with a setter for each parameter. A parameter is `required`, `optional` (its type is an `Option` of the one here), or
/// `json` (an optional one of any JSON, of which `None` is null). After `@body` comes a body with a builder, and its type.
#[doc(hidden)]
#[macro_export]
macro_rules! call {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $( $(#[$field_meta:meta])* $kind:ident $field:ident: $of:ty, )*
            $( @body $(#[$body_meta:meta])* $body:ident: $body_of:ident, )?
        }
    ) => {
        $(#[$meta])*
        pub struct $name<'a> {
            __client: ::std::borrow::Cow<'a, super::Client>,
            $( $field: ::std::result::Result<$crate::call!(@of $kind $of), ::std::string::String>, )*
            $( $body: ::std::result::Result<types::builder::$body_of, ::std::string::String>, )?
        }

        impl<'a> $name<'a> {
            /// Returns a call of this client, with no parameter set.
            pub fn new(client: &'a super::Client) -> Self {
                Self {
                    __client: ::std::borrow::Cow::Borrowed(client),
                    $( $field: $crate::call!(@start $kind), )*
                    $( $body: ::std::result::Result::Ok(::std::default::Default::default()), )?
                }
            }

            $( $crate::call!(@setter [$(#[$field_meta])*] $kind $field $of); )*

            $(
                $(#[$body_meta])*
                pub fn $body<V: $crate::IntoRequired<types::$body_of>>(mut self, value: V) -> Self {
                    self.$body = value.into_required().map(::std::convert::From::from);
                    self
                }

                /// Changes the body with its builder.
                pub fn body_map<F>(mut self, f: F) -> Self
                where
                    F: ::std::ops::FnOnce(types::builder::$body_of) -> types::builder::$body_of,
                {
                    self.$body = self.$body.map(f);
                    self
                }
            )?

            /// Returns the client and the parameters in their order.
            #[allow(dead_code)]
            #[allow(clippy::type_complexity)]
            fn __parameters(
                self,
                operation: &'static str,
            ) -> $crate::Result<(
                ::std::borrow::Cow<'a, super::Client>,
                $( $crate::call!(@of $kind $of), )*
                $( types::$body_of, )?
            )> {
                let client = self.__client;
                $( let $field = client.inner.parameter(operation, stringify!($field), self.$field)?; )*
                $( let $body = client.inner.body(operation, stringify!($body), self.$body)?; )?
                ::std::result::Result::Ok((client, $( $field, )* $( $body, )?))
            }

            /// Has the call own its client, to outlive the method that sends it.
            #[allow(dead_code)]
            fn __into_owned(self) -> $name<'static> {
                $name {
                    __client: ::std::borrow::Cow::Owned(self.__client.into_owned()),
                    $( $field: self.$field, )*
                    $( $body: self.$body, )?
                }
            }
        }
    };
    (@of optional $of:ty) => { ::std::option::Option<$of> };
    (@of json $of:ty) => { ::std::option::Option<$of> };
    (@of required $of:ty) => { $of };
    // The reason is written only if the parameter is still missing when the call is sent.
    (@start required) => { ::std::result::Result::Err(::std::string::String::new()) };
    (@start $kind:ident) => { ::std::result::Result::Ok(::std::default::Default::default()) };
    (@setter [$(#[$meta:meta])*] required $field:ident $of:ty) => {
        $(#[$meta])*
        pub fn $field<V: $crate::IntoRequired<$of>>(mut self, value: V) -> Self {
            self.$field = value.into_required();
            self
        }
    };
    (@setter [$(#[$meta:meta])*] optional $field:ident $of:ty) => {
        $(#[$meta])*
        pub fn $field<V: $crate::IntoOptional<$of, K>, K>(mut self, value: V) -> Self {
            self.$field = value.into_optional();
            self
        }
    };
    (@setter [$(#[$meta:meta])*] json $field:ident $of:ty) => {
        $(#[$meta])*
        pub fn $field<V: $crate::IntoRequired<$of>>(mut self, value: V) -> Self {
            self.$field = value.into_required().map(::std::option::Option::Some);
            self
        }
    };
}

#[cfg(test)]
#[allow(unreachable_pub, private_interfaces)]
mod tests {
    use crate::{BuildError, Error, ErrorKind};

    #[derive(Clone, Debug)]
    struct Client {
        inner: Inner,
    }

    #[derive(Clone, Debug)]
    struct Inner;

    impl Inner {
        fn parameter<T>(&self, operation: &'static str, name: &str, value: Result<T, String>) -> crate::Result<T> {
            value.map_err(|reason| Error::new(ErrorKind::Request, format!("{operation} {name}: {reason}")))
        }

        fn body<T, B: TryInto<T, Error = BuildError>>(
            &self,
            operation: &'static str,
            name: &str,
            body: Result<B, String>,
        ) -> crate::Result<T> {
            self.parameter(operation, name, body.and_then(|body| body.try_into().map_err(|error| error.to_string())))
        }
    }

    mod types {
        #[derive(Clone, Debug, PartialEq)]
        pub struct Page {
            pub id: u8,
            pub next: Option<String>,
            pub items: Vec<u8>,
        }

        #[derive(Clone, Debug, PartialEq)]
        pub struct Book {
            pub first: Option<Box<Page>>,
        }

        pub mod builder {
            use super::super::types;

            builder!(Page {
                required id: u8,
                /// The next page.
                optional next: ::std::string::String,
                default items: ::std::vec::Vec<u8>,
            });

            builder!(Book { boxed first: types::Page, });
        }
    }

    mod calls {
        use super::types;

        call! {
            /// Replaces a page.
            #[derive(Clone, Debug)]
            pub struct Replace {
                /// Which.
                required id: u8,
                /// If it is older.
                optional before: ::std::string::String,
                /// Any JSON.
                json any: ::serde_json::Value,
                @body
                /// The page.
                body: Page,
            }
        }

        impl Replace<'_> {
            pub fn parts(self) -> crate::Result<(u8, Option<String>, Option<serde_json::Value>, types::Page)> {
                let (_, id, before, any, body) = self.__into_owned().__parameters("replace")?;
                Ok((id, before, any, body))
            }
        }
    }

    #[test]
    fn builder_requires_only_required_fields() {
        let page = types::Page::builder().id(7_u64).next("a").items([1]);
        let built = types::Page { id: 7, next: Some("a".to_owned()), items: vec![1] };
        assert_eq!(types::Page::try_from(page), Ok(built.clone()));
        assert_eq!(types::Page::try_from(types::builder::Page::from(built.clone())), Ok(built));
        let reason = |page: types::builder::Page| types::Page::try_from(page).unwrap_err().to_string();
        assert_eq!(reason(types::Page::builder()), "no value supplied for id");
        assert!(reason(types::Page::builder().id(999_u64)).starts_with("id: invalid value 999: "));
    }

    #[test]
    fn setter_of_a_boxed_field_boxes_a_value_and_takes_none() {
        let page = types::Page { id: 7, next: None, items: Vec::new() };
        let built = |book: types::builder::Book| types::Book::try_from(book).map(|book| book.first);
        assert_eq!(built(types::Book::builder()), Ok(None));
        assert_eq!(built(types::Book::builder().first(page.clone())), Ok(Some(Box::new(page.clone()))));
        assert_eq!(built(types::Book::builder().first(Some(page))).map(|first| first.is_some()), Ok(true));
    }

    #[test]
    fn call_converts_its_parameters_and_requires_the_required_ones() {
        let client = Client { inner: Inner };
        let call = calls::Replace::new(&client).before(Some("a")).any(()).body(types::Page::builder().id(1));
        let call = call.body_map(|body| body.next("b"));
        let reason = |call: calls::Replace<'_>| call.parts().unwrap_err().to_string();
        assert!(reason(call.clone()).ends_with("replace id: "));
        assert!(reason(call.clone().id(999)).contains("replace id: invalid value 999: "));
        assert!(reason(calls::Replace::new(&client).id(1)).contains("replace body: no value supplied for id"));
        let (id, before, any, body) = call.id(7).parts().unwrap();
        assert_eq!((id, before.as_deref(), any), (7, Some("a"), Some(serde_json::Value::Null)));
        assert_eq!(body, types::Page { id: 1, next: Some("b".to_owned()), items: Vec::new() });
    }
}
