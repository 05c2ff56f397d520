//! The text of a file, item by item: parts of a document are printed one after the other, and their items joined.

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens as _;
use syn::{File, ImplItem, Item, TraitItem};

use super::definitions::Definitions;

/// A file: its items, each with the pieces that are inside of it.
pub(crate) struct FileText(Vec<(String, Vec<Piece>)>);

/// An item of a module, with its implementations; or one of an implementation or of a trait.
pub(super) struct Piece {
    pub(super) name: String,
    pub(super) text: String,
    /// Whether requests have this type. Its code then takes precedence over that of a part that only receives it.
    pub(super) is_sent: bool,
}

impl FileText {
    /// Prints the items of a file. `define` writes what macros define, given the name of the module.
    ///
    /// # Errors
    /// Those of `define`.
    pub(super) fn new(
        file: File,
        sent: &BTreeSet<String>,
        define: impl Fn(&str, &mut Vec<Item>, &mut Definitions) -> Result<(), String>,
    ) -> Result<Self, String> {
        let head = File { items: Vec::new(), ..file };
        let mut all = vec![(prettyplease::unparse(&head), Vec::new())];
        for item in file.items {
            let (outside, inside) = split(item);
            let module = if let Item::Mod(module) = &outside { module.ident.to_string() } else { String::new() };
            let mut pieces = Vec::new();
            for (name, mut shell) in inside {
                let mut definitions = Definitions::default();
                if let Item::Mod(syn::ItemMod { content: Some((_, items)), .. }) = &mut shell {
                    define(&module, items, &mut definitions)?;
                }
                let text = definitions.splice(&printed(shell));
                let lines = text.lines().collect::<Vec<_>>();
                let body = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
                // Of its exact size: it is kept until all parts are printed.
                let mut text = String::with_capacity(body.iter().map(|line| line.len() + 1).sum());
                body.iter().for_each(|line| text.extend([line, "\n"]));
                let is_sent = module == "types" && sent.contains(&name);
                pieces.push(Piece { name, text, is_sent });
            }
            all.push((printed(outside), pieces));
        }
        Ok(Self(all))
    }

    /// Adds the items of another part. Returns `None` if the two have different code for the same.
    pub(super) fn join(mut self, other: Self) -> Option<Self> {
        if self.0.len() != other.0.len() {
            return None;
        }
        for ((outside, pieces), (other_outside, other)) in self.0.iter_mut().zip(other.0) {
            if *outside != other_outside {
                return None;
            }
            let known = pieces.iter().enumerate().map(|(at, piece)| (piece.name.clone(), at));
            let known = known.collect::<BTreeMap<_, _>>();
            for piece in other {
                match known.get(&piece.name).and_then(|at| pieces.get_mut(*at)) {
                    None => pieces.push(piece),
                    Some(own) if own.is_sent == piece.is_sent && own.text != piece.text => return None,
                    Some(own) if piece.is_sent => *own = piece,
                    Some(_) => {}
                }
            }
        }
        Some(self)
    }

    /// Returns the pieces of a module.
    pub(super) fn module(&mut self, name: &str) -> Option<&mut Vec<Piece>> {
        let head = format!("mod {name} {{");
        self.0.iter_mut().find(|(outside, _)| outside.contains(&head)).map(|(_, pieces)| pieces)
    }

    /// Returns the text of the whole file, between a head and an end. The items are freed as they are added.
    pub(super) fn text(self, head: &str, end: &str) -> String {
        let items = self
            .0
            .iter()
            .map(|(outside, pieces)| outside.len() + pieces.iter().map(|piece| piece.text.len()).sum::<usize>() + 1);
        let mut text = String::with_capacity(head.len() + items.sum::<usize>() + end.len());
        text.push_str(head);
        for (outside, pieces) in self.0 {
            match outside.strip_suffix("}\n").filter(|_| pieces.iter().any(|piece| !piece.text.is_empty())) {
                Some(head) => {
                    text.push_str(head);
                    text.push('\n');
                    pieces.into_iter().for_each(|piece| text.push_str(&piece.text));
                    text.push_str("}\n");
                }
                None => text.push_str(&outside),
            }
        }
        text.push_str(end);
        text
    }
}

pub(crate) fn printed(item: Item) -> String {
    prettyplease::unparse(&File { shebang: None, attrs: Vec::new(), items: vec![item] })
}

/// Returns an item without what is inside of it, and the same item around each of these.
fn split(mut item: Item) -> (Item, Vec<(String, Item)>) {
    let inside = match &mut item {
        Item::Mod(syn::ItemMod { content: Some((_, items)), .. }) => {
            groups(std::mem::take(items)).into_iter().map(|(name, items)| (name, Inside::Items(items))).collect()
        }
        Item::Impl(block) => {
            let items = std::mem::take(&mut block.items).into_iter();
            let named = items.map(|item| match &item {
                ImplItem::Fn(function) => (function.sig.ident.to_string(), Inside::Impl(item)),
                other => (other.to_token_stream().to_string(), Inside::Impl(item)),
            });
            named.collect()
        }
        Item::Trait(of) => {
            let items = std::mem::take(&mut of.items).into_iter();
            let named = items.map(|item| match &item {
                TraitItem::Fn(function) => (function.sig.ident.to_string(), Inside::Trait(item)),
                other => (other.to_token_stream().to_string(), Inside::Trait(item)),
            });
            named.collect()
        }
        _ => Vec::new(),
    };
    let shells = inside.into_iter().map(|(name, inside)| (name, around(item.clone(), inside))).collect();
    (item, shells)
}

enum Inside {
    Items(Vec<Item>),
    Impl(ImplItem),
    Trait(TraitItem),
}

/// Puts something into an item that is empty.
fn around(mut item: Item, inside: Inside) -> Item {
    match (&mut item, inside) {
        (Item::Mod(syn::ItemMod { attrs, content: Some((_, items)), .. }), Inside::Items(inside)) => {
            attrs.clear();
            *items = inside;
        }
        (Item::Impl(block), Inside::Impl(inside)) => {
            block.attrs.clear();
            block.items.push(inside);
        }
        (Item::Trait(of), Inside::Trait(inside)) => {
            of.attrs.clear();
            of.items.push(inside);
        }
        _ => {}
    }
    item
}

/// Items by name, each with the implementations behind it.
fn groups(items: Vec<Item>) -> Vec<(String, Vec<Item>)> {
    let mut groups = Vec::<(String, Vec<Item>)>::new();
    for item in items {
        let name = match &item {
            Item::Struct(item) => item.ident.to_string(),
            Item::Enum(item) => item.ident.to_string(),
            Item::Type(item) => item.ident.to_string(),
            Item::Fn(item) => item.sig.ident.to_string(),
            Item::Mod(item) => item.ident.to_string(),
            Item::Impl(_) if let Some((_, last)) = groups.last_mut() => {
                last.push(item);
                continue;
            }
            other => other.to_token_stream().to_string(),
        };
        groups.push((name, vec![item]));
    }
    groups
}
