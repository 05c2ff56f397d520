//! Builders of types: only of those that requests have. They are two thirds of the code. Those of responses are for the mock.

use std::collections::{BTreeMap, BTreeSet};

use syn::{File, ImplItem, Item, ItemStruct, visit::Visit};

use super::{last_name, module};

/// Removes the builders of types that no request body reaches.
pub(crate) fn prune(file: &mut File) {
    let kept = sent(file);
    let Some(types) = module(&mut file.items, "types") else { return };
    types.retain_mut(|item| match item {
        Item::Impl(block)
            if block.trait_.is_none() && !last_name(&block.self_ty).is_some_and(|name| kept.contains(&name)) =>
        {
            block.items.retain(|item| !matches!(item, ImplItem::Fn(function) if function.sig.ident == "builder"));
            !block.items.is_empty()
        }
        _ => true,
    });
    let mut empty = false;
    if let Some(builders) = module(types, "builder") {
        builders.retain(|item| owner(item).is_none_or(|name| kept.contains(&name)));
        empty = builders.is_empty();
    }
    if empty {
        types.retain(|item| !matches!(item, Item::Mod(module) if module.ident == "builder"));
    }
}

/// Returns the type that an item of the builders' module is about.
pub(crate) fn owner(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Impl(block) => last_name(&block.self_ty),
        _ => None,
    }
}

/// Returns the types that request bodies have, and those inside them.
pub(crate) fn sent(file: &mut File) -> BTreeSet<String> {
    let structs = |items: Option<&mut Vec<Item>>| {
        let items = items.into_iter().flatten();
        let structs = items.filter_map(|item| if let Item::Struct(item) = item { Some(item.clone()) } else { None });
        structs.collect::<Vec<_>>()
    };
    let inside = structs(module(&mut file.items, "types"))
        .iter()
        .map(|item| (item.ident.to_string(), names_in(item)))
        .collect::<BTreeMap<_, _>>();
    let calls = structs(module(&mut file.items, "builder"));
    let bodies = calls
        .iter()
        .flat_map(|call| &call.fields)
        .filter(|field| field.ident.as_ref().is_some_and(|name| name == "body"));
    let mut todo = bodies
        .flat_map(|body| {
            let mut names = Names { is_outside: true, found: BTreeSet::new() };
            names.visit_field(body);
            names.found
        })
        .collect::<Vec<_>>();
    let mut found = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if let Some(names) = inside.get(&name)
            && found.insert(name)
        {
            todo.extend(names.iter().cloned());
        }
    }
    found
}

fn names_in(item: &ItemStruct) -> BTreeSet<String> {
    let mut names = Names::default();
    names.visit_fields(&item.fields);
    names.found
}

/// The names of the document's types.
#[derive(Default)]
struct Names {
    /// Whether names without a path are not the document's: in calls, `Result` is that of std, whatever the document has.
    is_outside: bool,
    found: BTreeSet<String>,
}

impl Visit<'_> for Names {
    fn visit_path(&mut self, path: &syn::Path) {
        let is_own = match path.segments.first().filter(|_| path.segments.len() > 1) {
            Some(first) => ["crate", "super", "self", "types"].iter().any(|own| first.ident == own),
            None => !self.is_outside,
        };
        let name = path.segments.last().filter(|_| is_own);
        self.found.extend(name.map(|segment| segment.ident.to_string()));
        syn::visit::visit_path(self, path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_that_requests_reach_keep_their_builders() {
        let mut file = syn::parse_file(
            "mod types {
                struct Sent { part: Option<Vec<Part>> }
                impl Sent { fn builder() {} }
                struct Part {}
                impl Part { fn builder() {} }
                struct Got {}
                impl Got { fn builder() {} }
                mod builder {
                    struct Sent {} impl Sent {} impl TryFrom<Sent> for super::Sent {} impl From<super::Sent> for Sent {}
                    struct Part {}
                    struct Got {} impl Got {} impl TryFrom<Got> for super::Got {} impl From<super::Got> for Got {}
                }
            }
            mod builder { struct Send<'a> { body: Result<types::builder::Sent, String> } struct Get { id: Result<Got, String> } }",
        )
        .expect("it is Rust");
        prune(&mut file);
        let code = prettyplease::unparse(&file);
        assert_eq!(code.matches("fn builder()").count(), 2, "{code}");
        assert_eq!(code.matches("super::Sent").count(), 2, "{code}");
        assert_eq!(code.matches("super::Got").count(), 0, "{code}");
        assert_eq!(code.matches("struct Got").count(), 1, "{code}");
    }
}
