//! The calls and types of generated code, as far as the code of other calls uses them.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::{Fields, File, Ident, ImplItem, ImplItemFn, Item, ItemStruct, Path, ReturnType, Type, visit_mut::VisitMut};

use super::{argument, each_option, foreign_name, last_name, module};

/// All calls and types by their Rust names.
pub(super) struct CallModel {
    calls: BTreeMap<String, Call>,
    types: BTreeMap<String, ItemStruct>,
}

/// The builder of a call.
pub(super) struct Call {
    pub(super) name: Ident,
    pub(super) parameters: Vec<Parameter>,
    methods: Vec<String>,
    /// The type of the success response; `None` if it is not one type.
    response: Option<Type>,
    /// Whether all parameters can be sent again.
    pub(super) is_clone: bool,
}

/// A field of a call.
pub(super) struct Parameter {
    pub(super) name: Ident,
    /// The type of the value.
    pub(super) of: Type,
    pub(super) is_required: bool,
    /// The type of the field.
    pub(super) field: Type,
}

/// A value in a response: an expression for an `Option` of it, and its type.
pub(super) struct Found {
    pub(super) code: TokenStream,
    pub(super) of: Type,
}

impl CallModel {
    pub(super) fn new(file: &mut File) -> Self {
        let mut calls = BTreeMap::new();
        let builder = module(&mut file.items, "builder").map(|items| items.clone()).unwrap_or_default();
        for item in &builder {
            if let Item::Struct(item) = item
                && let Some(call) = Call::new(item, &builder)
            {
                calls.insert(item.ident.to_string(), call);
            }
        }
        let all = module(&mut file.items, "types").into_iter().flatten();
        let types = all.filter_map(|item| match item {
            Item::Struct(item) => Some((item.ident.to_string(), item.clone())),
            _ => None,
        });
        let types = types.collect();
        Self { calls, types }
    }

    pub(super) fn call(&self, name: &str) -> Option<&Call> {
        self.calls.get(name)
    }

    /// Returns the setter and the type of a field of a request body.
    pub(super) fn body_field(&self, body: &Type, name: &str) -> Option<(Ident, Type)> {
        let (setter, of) = self.field(self.types.get(&last_name(body)?)?, name)?;
        Some((setter, option_of(&of).cloned().unwrap_or(of)))
    }

    /// Returns the value at a path below `start`, an expression of the type `of`: borrowed, or moved out.
    ///
    /// # Errors
    /// The first field that does not exist.
    pub(super) fn value(&self, start: &TokenStream, of: &Type, path: &str, borrowed: bool) -> Result<Found, String> {
        let (by, by_option) = if borrowed { (quote!(&), quote!(.as_ref())) } else { (quote!(), quote!()) };
        let mut found = match option_of(of) {
            Some(inner) => Found { code: quote!(#start #by_option), of: inner.clone() },
            None => Found { code: quote!(::std::option::Option::Some(#by #start)), of: of.clone() },
        };
        for name in path.split('.').filter(|name| !name.is_empty()) {
            self.unwrap(&mut found, &by);
            let owner = if foreign_name(&found.of).is_some() { None } else { last_name(&found.of) };
            let owner = owner.and_then(|owner| self.types.get(&owner));
            let (field, of) = owner
                .and_then(|owner| self.field(owner, name))
                .ok_or_else(|| format!("the response's type has no field {name:?} (of {path:?})"))?;
            let code = found.code;
            found = match option_of(&of) {
                Some(inner) => {
                    Found { code: quote!(#code.and_then(|value| value.#field #by_option)), of: inner.clone() }
                }
                None => Found { code: quote!(#code.map(|value| #by value.#field)), of },
            };
        }
        self.unwrap(&mut found, &by);
        Ok(found)
    }

    /// Returns the type that has the last field of a path below `of`, and the Rust name of that field.
    pub(super) fn owner(&self, of: &Type, path: &str) -> Option<(String, String)> {
        let (above, last) = path.rsplit_once('.').unwrap_or(("", path));
        let owner = self.value(&TokenStream::new(), of, above, true).ok()?.of;
        let name = last_name(&owner).filter(|_| foreign_name(&owner).is_none())?;
        let (field, _) = self.field(self.types.get(&name)?, last)?;
        Some((name, field.to_string()))
    }

    /// Goes into a type that wraps another without a name.
    fn unwrap(&self, found: &mut Found, by: &TokenStream) {
        while let Some(Fields::Unnamed(fields)) = last_name(&found.of)
            .filter(|_| foreign_name(&found.of).is_none())
            .and_then(|name| Some(&self.types.get(&name)?.fields))
            && let Some(inner) = fields.unnamed.first()
        {
            let code = &found.code;
            *found = Found { code: quote!(#code.map(|value| #by value.0)), of: inner.ty.clone() };
        }
    }

    /// Returns the Rust name and the type of a field by its name in JSON.
    fn field(&self, owner: &ItemStruct, name: &str) -> Option<(Ident, Type)> {
        owner.fields.iter().find_map(|field| {
            let ident = field.ident.clone()?;
            let mut stated = None;
            each_option(&field.attrs, |option, value| {
                if option.is_ident("rename") {
                    stated = value.map(syn::LitStr::value);
                }
            });
            let known = stated.unwrap_or_else(|| ident.to_string().trim_start_matches("r#").to_owned());
            (known == name).then(|| (ident, field.ty.clone()))
        })
    }

    /// Returns the type of a field as the code of calls names it.
    pub(super) fn outside(&self, of: &Type) -> Type {
        let mut of = of.clone();
        Outside(self).visit_type_mut(&mut of);
        of
    }

    /// Returns whether values of a type have one form as text: no objects, arrays and any JSON.
    pub(super) fn is_text(&self, of: &Type) -> bool {
        match foreign_name(of) {
            Some(name) => !["Value", "Map", "Vec", "BTreeMap", "HashMap", "Option", "Box"].contains(&name.as_str()),
            None => last_name(of).is_some_and(|name| !self.types.contains_key(&name)),
        }
    }
}

impl Call {
    fn new(item: &ItemStruct, all: &[Item]) -> Option<Self> {
        // The first one is the client.
        let parameters = item.fields.iter().skip(1).map(|field| {
            let value = argument(&field.ty, 0)?;
            let (of, is_required) =
                match argument(value, 0).filter(|_| last_name(value).is_some_and(|name| name == "Option")) {
                    Some(inner) => (inner.clone(), false),
                    None => (value.clone(), true),
                };
            Some(Parameter { name: field.ident.clone()?, of, is_required, field: field.ty.clone() })
        });
        let own = || {
            all.iter().filter(|other| {
                matches!(other, Item::Impl(_)) && item_owner(other).is_some_and(|name| item.ident == name)
            })
        };
        let derives = |attribute: &syn::Attribute| {
            attribute.path().is_ident("derive") && attribute.to_token_stream().to_string().contains("Clone")
        };
        Some(Self {
            name: item.ident.clone(),
            parameters: parameters.collect::<Option<_>>()?,
            methods: own().flat_map(methods).collect(),
            response: own().find_map(response),
            is_clone: item.attrs.iter().any(derives),
        })
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Returns the type of the success response.
    ///
    /// # Errors
    /// The reason, if there is not one type.
    pub(super) fn response(&self) -> Result<&Type, String> {
        self.response.as_ref().ok_or_else(|| "its success responses are not of one type".to_owned())
    }

    /// Returns a name for a method that no setter has.
    pub(super) fn free_name(&self, wanted: &str) -> Ident {
        let taken = self.methods.iter().any(|known| known == wanted);
        Ident::new(&format!("{wanted}{}", if taken { "_" } else { "" }), proc_macro2::Span::call_site())
    }
}

/// Names the types of the document by their module.
struct Outside<'a>(&'a CallModel);

impl VisitMut for Outside<'_> {
    fn visit_path_mut(&mut self, path: &mut Path) {
        syn::visit_mut::visit_path_mut(self, path);
        if path.segments.len() == 1
            && path.segments.first().is_some_and(|name| self.0.types.contains_key(&name.ident.to_string()))
        {
            *path = syn::parse_quote!(types::#path);
        }
    }
}

/// Returns the `T` of `Option<T>`.
pub(super) fn option_of(of: &Type) -> Option<&Type> {
    foreign_name(of)
        .filter(|name| name == "Option")
        .and_then(|_| argument(of, 0))
        .or_else(|| last_name(of).filter(|name| name == "Option").and_then(|_| argument(of, 0)))
}

fn item_owner(item: &Item) -> Option<String> {
    match item {
        Item::Impl(block) if block.trait_.is_none() => last_name(&block.self_ty),
        _ => None,
    }
}

fn functions(item: &Item) -> impl Iterator<Item = &ImplItemFn> {
    let items = if let Item::Impl(block) = item { block.items.as_slice() } else { &[] };
    items.iter().filter_map(|item| if let ImplItem::Fn(function) = item { Some(function) } else { None })
}

fn methods(item: &Item) -> Vec<String> {
    functions(item).map(|function| function.sig.ident.to_string()).collect()
}

/// Returns the `T` of `send() -> Result<ResponseValue<T>, Error>`, unless it is an enum by status.
fn response(item: &Item) -> Option<Type> {
    let send = functions(item).find(|function| function.sig.ident == "send" && function.sig.asyncness.is_some())?;
    let ReturnType::Type(_, result) = &send.sig.output else { return None };
    argument(argument(result, 0)?, 0).cloned()
}
