//! Names of a document that are also names of std or of the runtime: beside them, the code names the others by their paths.

use std::collections::BTreeSet;

use openapi_document::{component_schemas, operations};
use proc_macro2::Span;
use serde_json::{Value, json};
use syn::{
    Expr, File, Ident, ImplItem, ImplItemFn, Item, ItemImpl, ItemMod, Member, Pat, Path, UseTree, visit_mut::VisitMut,
};

use crate::codegen::{
    identifiers::{TAKEN_SETTERS, component_name, type_name},
    open_enum::OpenEnum,
};

/// The names that generated code uses without a path. Progenitor writes most others with one.
const PATHS: [(&str, &str); 22] = [
    ("Box", "::std::boxed::Box"),
    ("Clone", "::std::clone::Clone"),
    ("Default", "::std::default::Default"),
    ("Err", "::std::result::Result::Err"),
    ("From", "::std::convert::From"),
    ("Into", "::std::convert::Into"),
    ("None", "::std::option::Option::None"),
    ("Ok", "::std::result::Result::Ok"),
    ("Option", "::std::option::Option"),
    ("Result", "::std::result::Result"),
    ("Some", "::std::option::Option::Some"),
    ("String", "::std::string::String"),
    ("ToString", "::std::string::ToString"),
    ("TryFrom", "::std::convert::TryFrom"),
    ("TryInto", "::std::convert::TryInto"),
    ("Vec", "::std::vec::Vec"),
    ("ByteStream", "::progenitor_client::ByteStream"),
    ("ClientInfo", "::progenitor_client::ClientInfo"),
    ("Error", "::progenitor_client::Error"),
    ("QueryParam", "::progenitor_client::QueryParam"),
    ("RequestBuilderExt", "::progenitor_client::RequestBuilderExt"),
    ("ResponseValue", "::progenitor_client::ResponseValue"),
];

/// The keyword of a document that has such names, for all of its parts.
const SHADOWING: &str = "x-shadowing";

/// Notes the names of the document's types and calls that generated code uses for something else.
pub(crate) fn mark(root: &mut Value) {
    let is_shadowing = |name: &String| PATHS.iter().any(|(known, _)| known == name);
    let types = component_schemas(root).map(|(name, _)| component_name(name)).filter(is_shadowing);
    let calls = operations(root).into_iter().map(|operation| type_name(operation.id())).filter(is_shadowing);
    let (types, calls) = (types.collect::<Vec<_>>(), calls.collect::<Vec<_>>());
    if !types.is_empty() || !calls.is_empty() {
        root[SHADOWING] = json!({"types": types, "calls": calls});
    }
}

/// Returns the names that [`mark`] has noted.
fn marked<'a>(root: &'a Value, kind: &str) -> impl Iterator<Item = String> + use<'a> {
    let names = root.get(SHADOWING).and_then(|all| all.get(kind)?.as_array());
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned))
}

/// Writes paths in place of names that a type or a call of the same module has, in this part of the document or in another.
pub(crate) fn qualify(file: &mut File, enums: &[OpenEnum], root: &Value) {
    let with = |items: &[Item], kind: &str| defined(items).into_iter().chain(marked(root, kind)).collect();
    for item in &mut file.items {
        let Item::Mod(ItemMod { ident, content: Some((_, items)), .. }) = item else { continue };
        if ident == "builder" {
            Qualify { shadowed: with(items, "calls"), types: true }.module(items);
        } else if ident == "types" {
            let mut names: BTreeSet<String> = with(items, "types");
            names.extend(enums.iter().map(|open| open.name.clone()));
            for item in items.iter_mut() {
                if let Item::Mod(ItemMod { content: Some((_, items)), .. }) = item {
                    Qualify { shadowed: with(items, "types"), types: false }.module(items);
                }
            }
            Qualify { shadowed: names, types: false }.module(items);
        }
    }
}

/// Gives parameters another name that have the name of a method which every call has: their fields and setters.
pub(crate) fn rename_setters(items: &mut [Item]) {
    for item in items {
        match item {
            Item::Struct(call) => {
                for name in call.fields.iter_mut().filter_map(|field| field.ident.as_mut()) {
                    rename(name);
                }
            }
            Item::Impl(ItemImpl { items, trait_: None, .. }) => {
                for item in items {
                    let ImplItem::Fn(function) = item else { continue };
                    if takes_value(function) {
                        rename(&mut function.sig.ident);
                    }
                    if takes_value(function) || function.sig.receiver().is_none() {
                        Fields.visit_block_mut(&mut function.block);
                    }
                }
            }
            _ => {}
        }
    }
}

fn rename(name: &mut Ident) {
    if TAKEN_SETTERS.iter().any(|taken| name == taken) {
        *name = Ident::new(&format!("{name}_"), Span::call_site());
    }
}

/// Fields in setters and constructors.
struct Fields;

impl VisitMut for Fields {
    fn visit_member_mut(&mut self, member: &mut Member) {
        if let Member::Named(name) = member {
            rename(name);
        }
    }
}

fn takes_value(function: &ImplItemFn) -> bool {
    let is_value = |pattern: &Pat| matches!(pattern, Pat::Ident(name) if name.ident == "value");
    function.sig.inputs.iter().any(|input| matches!(input, syn::FnArg::Typed(input) if is_value(&input.pat)))
}

/// Returns the names of a module's types.
fn defined(items: &[Item]) -> BTreeSet<String> {
    let name = |item: &Item| match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

struct Qualify {
    shadowed: BTreeSet<String>,
    /// Whether names of types mean those outside of the module. Among the types of the document they mean the document's.
    types: bool,
}

impl Qualify {
    fn module(&mut self, items: &mut [Item]) {
        if PATHS.iter().any(|(name, _)| self.shadowed.contains(*name)) {
            items.iter_mut().for_each(|item| self.visit_item_mut(item));
        }
    }

    fn qualify(&self, path: &mut Path) {
        let Some(first) = path.segments.first().filter(|_| path.leading_colon.is_none()) else { return };
        let name = first.ident.to_string();
        let Some((_, whole)) = PATHS.iter().find(|(known, _)| *known == name && self.shadowed.contains(&name)) else {
            return;
        };
        let Ok(mut whole) = syn::parse_str::<Path>(whole) else { return };
        if let (Some(last), Some(first)) = (whole.segments.last_mut(), path.segments.first()) {
            last.arguments = first.arguments.clone();
        }
        whole.segments.extend(path.segments.iter().skip(1).cloned());
        *path = whole;
    }
}

impl VisitMut for Qualify {
    // The modules within have names of their own.
    fn visit_item_mod_mut(&mut self, _: &mut ItemMod) {}

    fn visit_item_impl_mut(&mut self, block: &mut ItemImpl) {
        // What the block is for is the module's own.
        let own = block.self_ty.clone();
        syn::visit_mut::visit_item_impl_mut(self, block);
        block.self_ty = own;
    }

    fn visit_item_use_mut(&mut self, import: &mut syn::ItemUse) {
        without(&mut import.tree, &self.shadowed);
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        syn::visit_mut::visit_expr_mut(self, expression);
        if let Expr::Path(path) = expression
            && path.qself.is_none()
        {
            self.qualify(&mut path.path);
        }
    }

    fn visit_path_mut(&mut self, path: &mut Path) {
        syn::visit_mut::visit_path_mut(self, path);
        if self.types {
            self.qualify(path);
        }
    }
}

/// Takes names out of an import of several: traits stay in scope without a name.
fn without(tree: &mut UseTree, names: &BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => without(&mut path.tree, names),
        UseTree::Group(group) => group.items.iter_mut().for_each(|item| without(item, names)),
        UseTree::Name(name) if names.contains(&name.ident.to_string()) => {
            let (ident, rename) = (name.ident.clone(), Ident::new("_", Span::call_site()));
            *tree = UseTree::Rename(syn::UseRename { ident, as_token: Default::default(), rename });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn qualified(code: &str) -> String {
        let mut file = syn::parse_file(code).expect("it is Rust");
        qualify(&mut file, &[], &Value::Null);
        prettyplease::unparse(&file)
    }

    #[test]
    fn names_of_calls_do_not_hide_those_of_the_runtime_and_of_std() {
        let code = qualified(
            "mod builder {
                use super::{Error, ClientHooks, ResponseValue};
                struct Error<'a> { id: Result<Option<String>, String> }
                struct Option<'a>(&'a str);
                struct ClientHooks;
                impl<'a> Error<'a> { fn send(self) -> Result<ResponseValue<()>, Error> { Err(Error::unexpected(1)) } }
            }",
        );
        for expected in [
            "use super::{Error as _, ClientHooks as _, ResponseValue};",
            "impl<'a> Error<'a> {",
            "-> Result<ResponseValue<()>, ::progenitor_client::Error> {",
            "Err(::progenitor_client::Error::unexpected(1))",
            "id: Result<::std::option::Option<String>, String>,",
        ] {
            assert!(code.contains(expected), "{expected}: {code}");
        }
    }

    #[test]
    fn types_of_the_document_mean_each_other() {
        let code = qualified(
            "mod types {
                struct Default { of: Option }
                struct Option;
                mod builder { struct Default; impl Default { fn new() -> Default { Default::default() } } }
            }",
        );
        assert!(code.contains("of: Option,"), "{code}");
        assert!(code.contains("fn new() -> Default"), "{code}");
        assert!(code.contains("::std::default::Default::default()"), "{code}");
    }

    #[test]
    fn other_names_stay_short() {
        let code = "mod builder {\n    struct Get {\n        id: Result<Option<String>, String>,\n    }\n}\n";
        assert_eq!(qualified(code), code);
    }

    #[test]
    fn setters_of_the_name_of_a_calls_own_method_are_renamed() {
        let mut file = syn::parse_file(
            "struct A { send: u8, id: u8 }
            impl A {
                fn new() -> Self { Self { send: 1, id: 2 } }
                fn send<V>(mut self, value: V) { self.send = value; }
                fn send(self) {}
                fn id<V>(self, value: V) {}
            }",
        )
        .expect("it is Rust");
        rename_setters(&mut file.items);
        let code = prettyplease::unparse(&file);
        for expected in [
            "send_: u8",
            "Self { send_: 1, id: 2 }",
            "fn send_<V>(mut self, value: V)",
            "self.send_ = value",
            "fn send(self)",
        ] {
            assert!(code.contains(expected), "{expected}: {code}");
        }
        assert!(code.contains("fn id<V>"), "{code}");
    }
}
