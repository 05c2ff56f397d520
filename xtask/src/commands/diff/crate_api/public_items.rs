//! The public items of a generated crate: items, fields, variants, methods, traits, with their types.

use syn::{
    Attribute, Expr, Fields, File, Ident, ImplItem, Item as Code, ItemEnum, ItemImpl, ItemStruct, ItemTrait, TraitItem,
    Type, Visibility, visit::Visit,
};

use super::{
    Bump, Items,
    type_text::{bounds, plain, signature},
};
use crate::codegen::open_enum::OpenEnum;

/// A public item.
#[derive(Debug)]
pub(super) struct Item {
    /// Its type; without the names of parameters, which no caller writes.
    pub(super) signature: String,
    /// The name of what it belongs to.
    pub(super) owner: Option<String>,
    /// The step that it needs where its owner was there before.
    pub(super) added: Bump,
    pub(super) removed: Bump,
}

/// Returns the public items of a generated file, which is the module of this name. A type's name is its path; others have
/// their kind before it.
pub(super) fn public(file: &File, enums: &[OpenEnum], module: &str) -> Items {
    let mut found = Found(Items::new());
    found.module(&file.items, module);
    for open in enums {
        let path = format!("types::{}", open.name);
        found.item(&path, "open enum".to_owned());
        for variant in open.variants() {
            found.member(&format!("variant {path}::{variant}"), &path, String::new(), Bump::Minor);
        }
    }
    found.0
}

struct Found(Items);

impl Found {
    fn item(&mut self, name: &str, signature: String) {
        self.add(name, None, signature, Bump::Minor, Bump::Major);
    }

    fn member(&mut self, name: &str, owner: &str, signature: String, added: Bump) {
        self.add(name, Some(owner), signature, added, Bump::Major);
    }

    fn add(&mut self, name: &str, owner: Option<&str>, signature: String, added: Bump, removed: Bump) {
        self.0.insert(name.to_owned(), Item { signature, owner: owner.map(str::to_owned), added, removed });
    }

    fn module(&mut self, items: &[Code], module: &str) {
        let path = |ident: &Ident| if module.is_empty() { ident.to_string() } else { format!("{module}::{ident}") };
        for item in items {
            match item {
                Code::Mod(item) if is_public(&item.vis) => {
                    let items = item.content.as_ref().map(|(_, items)| items.as_slice()).unwrap_or_default();
                    self.module(items, &path(&item.ident));
                }
                Code::Struct(item) if is_public(&item.vis) => self.structure(item, &path(&item.ident)),
                Code::Enum(item) if is_public(&item.vis) => self.enumeration(item, &path(&item.ident)),
                Code::Trait(item) if is_public(&item.vis) => self.interface(item, &path(&item.ident)),
                Code::Type(item) if is_public(&item.vis) => {
                    self.item(&path(&item.ident), format!("type {}", plain(&item.ty)));
                }
                Code::Const(item) if is_public(&item.vis) => {
                    self.item(&format!("const {}", path(&item.ident)), plain(&item.ty));
                }
                Code::Static(item) if is_public(&item.vis) => {
                    self.item(&format!("static {}", path(&item.ident)), plain(&item.ty));
                }
                Code::Fn(item) if is_public(&item.vis) => {
                    self.item(&format!("fn {}", path(&item.sig.ident)), signature(&item.sig));
                }
                Code::Impl(item) => {
                    if let Type::Path(of) = referent(&item.self_ty)
                        && let Some(last) = of.path.segments.last()
                    {
                        self.implementation(item, &path(&last.ident));
                    }
                }
                _ => {}
            }
        }
    }

    fn structure(&mut self, item: &ItemStruct, path: &str) {
        let fields = if let Fields::Unnamed(fields) = &item.fields { plain(fields) } else { String::new() };
        self.item(path, format!("struct{}{fields}", bounds(&item.generics)));
        // Users that can write all fields in a literal have to.
        let literal = item.fields.iter().all(|field| is_public(&field.vis)) && !item.fields.is_empty();
        let added = self.attributes(&item.attrs, path, literal);
        for field in item.fields.iter().filter(|field| is_public(&field.vis)) {
            if let Some(ident) = &field.ident {
                self.member(&format!("field {path}::{ident}"), path, plain(&field.ty), added);
            }
        }
    }

    fn enumeration(&mut self, item: &ItemEnum, path: &str) {
        self.item(path, format!("enum{}", bounds(&item.generics)));
        let added = self.attributes(&item.attrs, path, true);
        for variant in &item.variants {
            self.member(&format!("variant {path}::{}", variant.ident), path, plain(&variant.fields), added);
        }
    }

    fn interface(&mut self, item: &ItemTrait, path: &str) {
        self.item(path, format!("trait{}{}", bounds(&item.generics), plain(&item.supertraits)));
        for inner in &item.items {
            // The generated traits give methods to a foreign type: no other crate implements them.
            if let TraitItem::Fn(method) = inner {
                self.member(&format!("method {path}::{}", method.sig.ident), path, signature(&method.sig), Bump::Minor);
            }
        }
    }

    /// Notes the derives and attributes of a type; the step that one more field or variant needs.
    fn attributes(&mut self, attributes: &[Attribute], path: &str, closed: bool) -> Bump {
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
            // Derived implementations have no arguments: they cannot fail.
            _ = attribute.parse_nested_meta(|derived| {
                let derived = plain(&derived.path);
                self.member(&format!("impl {derived} for {path}"), path, String::new(), Bump::Minor);
                Ok(())
            });
        }
        self.deprecation(attributes, path, path);
        // On a condition too: it is for crates that are released together with this one.
        let open = attributes.iter().any(|attribute| {
            attribute.path().is_ident("non_exhaustive")
                || attribute.path().is_ident("cfg_attr") && plain(&attribute.meta).contains("non_exhaustive")
        });
        if open {
            self.add(
                &format!("attribute non_exhaustive of {path}"),
                Some(path),
                String::new(),
                Bump::Major,
                Bump::Minor,
            );
        }
        if closed && !open { Bump::Major } else { Bump::Minor }
    }

    /// Notes a deprecation, which warns in users' builds.
    fn deprecation(&mut self, attributes: &[Attribute], path: &str, owner: &str) {
        if attributes.iter().any(|attribute| attribute.path().is_ident("deprecated")) {
            self.add(&format!("attribute deprecated of {path}"), Some(owner), String::new(), Bump::Minor, Bump::Patch);
        }
    }

    fn implementation(&mut self, item: &ItemImpl, path: &str) {
        // A call's `new` and a builder's `Default` state the required fields.
        self.required(item, path);
        if let Some((_, interface, _)) = &item.trait_ {
            let types = item.items.iter().filter_map(|item| match item {
                ImplItem::Type(associated) => Some(format!("{}={};", associated.ident, plain(&associated.ty))),
                _ => None,
            });
            let signature = types.collect::<String>() + &bounds(&item.generics);
            let reference = if matches!(*item.self_ty, Type::Reference(_)) { "&" } else { "" };
            return self.member(
                &format!("impl {} for {reference}{path}", plain(interface)),
                path,
                signature,
                Bump::Minor,
            );
        }
        for inner in &item.items {
            if let ImplItem::Fn(method) = inner
                && is_public(&method.vis)
            {
                let method_path = format!("{path}::{}", method.sig.ident);
                let name = format!("method {method_path}");
                self.member(&name, path, signature(&method.sig), Bump::Minor);
                self.deprecation(&method.attrs, &method_path, &name);
            }
        }
    }

    /// Notes fields that a builder starts with as an error: a call that does not set them compiles, and fails when it is sent.
    fn required(&mut self, item: &ItemImpl, path: &str) {
        for inner in &item.items {
            let ImplItem::Fn(method) = inner else { continue };
            if !["new", "default"].contains(&method.sig.ident.to_string().as_str()) {
                continue;
            }
            let mut starts = Starts(Vec::new());
            starts.visit_block(&method.block);
            for field in starts.0 {
                let name = format!("requirement {path}::{field}");
                self.add(&name, Some(path), String::new(), Bump::Major, Bump::Minor);
            }
        }
    }
}

/// The fields that a literal sets to an error.
struct Starts(Vec<String>);

impl Visit<'_> for Starts {
    fn visit_expr_struct(&mut self, literal: &syn::ExprStruct) {
        for field in &literal.fields {
            let failed = matches!(&field.expr, Expr::Call(call) if plain(&call.func) == "Err");
            if let (true, syn::Member::Named(name)) = (failed, &field.member) {
                self.0.push(name.to_string());
            }
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn referent(of: &Type) -> &Type {
    if let Type::Reference(reference) = of { referent(&reference.elem) } else { of }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(code: &str) -> Vec<String> {
        let items = public(&syn::parse_str(code).expect("it is code"), &[], "");
        items.into_iter().map(|(name, item)| format!("{name} {}", item.signature).trim_end().to_owned()).collect()
    }

    #[test]
    fn types_have_fields_derives_and_methods() {
        assert_eq!(
            listed(
                "pub mod types { #[derive(::serde::Serialize, Clone)] pub struct A { pub a: ::std::vec::Vec<super::b::B>, c: u8 }
                 impl A { pub fn get(&self, name: &str) -> Option<u8> { None } fn hidden(&self) {} } struct Hidden; }"
            ),
            [
                "field types::A::a Vec<B>",
                "impl Clone for types::A",
                "impl Serialize for types::A",
                "method types::A::get fn(&Self, &str)->Option<u8>",
                "types::A struct",
            ]
        );
    }

    #[test]
    fn setters_are_distinguished_by_their_types() {
        assert_eq!(
            listed(
                "impl<'a> Get<'a> { pub fn id<V>(mut self, value: V) -> Self where V: std::convert::TryInto<::uuid::Uuid> { self }
                 pub async fn send(self) -> Result<ResponseValue<types::A>, Error> { todo!() } }"
            ),
            ["method Get::id fn<V, V: TryInto<Uuid>>(Self, V)->Self", "method Get::send async fn(Self)->Result<ResponseValue<A>, Error>"]
        );
    }

    #[test]
    fn setter_that_starts_as_an_error_is_required() {
        let new = "impl Get { pub fn new(client: &Client) -> Self { Self { client, id: Err(\"no\".to_string()), page: Ok(None) } } }";
        assert_eq!(listed(new), ["method Get::new fn(&Client)->Self", "requirement Get::id"]);
    }

    #[test]
    fn traits_enums_and_statics_are_listed() {
        assert_eq!(
            listed(
                "pub enum E { A, B(u8) } pub trait T { fn go<F>(&self, f: F) -> u8 where F: FnOnce(u8, X); } pub static S: &[a::O] = &[];
                 impl std::convert::TryFrom<&str> for E { type Error = self::error::ConversionError; fn try_from() {} }
                 impl Hooks<p::Transport> for &Client {} #[deprecated(note = \"n\")] pub struct Old(pub u8);"
            ),
            [
                "E enum",
                "Old struct(pub u8)",
                "T trait",
                "attribute deprecated of Old",
                "impl Hooks<Transport> for &Client",
                "impl TryFrom<&str> for E Error=ConversionError;",
                "method T::go fn<F, F: FnOnce(u8, X)>(&Self, F)->u8",
                "static S &[O]",
                "variant E::A",
                "variant E::B (u8)",
            ]
        );
    }
}
