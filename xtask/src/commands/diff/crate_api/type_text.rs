//! Signatures as text, to be compared and shown.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, GenericParam, Generics, Signature};

/// Returns a function as its callers see it: without the names of its parameters.
pub(super) fn signature(of: &Signature) -> String {
    let inputs = of.inputs.iter().map(|input| match input {
        FnArg::Receiver(receiver) => plain(&receiver.ty),
        FnArg::Typed(input) => plain(&input.ty),
    });
    let asynchronous = if of.asyncness.is_some() { "async " } else { "" };
    let (generics, inputs) = (bounds(&of.generics), inputs.collect::<Vec<_>>().join(", "));
    // A setter of an optional value takes all that one of a required value takes. Whether it is required is an item of its own.
    let generics = generics.replace("IntoOptional<", "IntoRequired<").replace(", K>, K>", ">>");
    format!("{asynchronous}fn{generics}({inputs}){}", plain(&of.output))
}

/// Returns the parameters with their bounds, from the list and from the `where` clause.
pub(super) fn bounds(generics: &Generics) -> String {
    let parameters = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Lifetime(lifetime) => plain(lifetime),
        GenericParam::Type(of) => plain(of),
        GenericParam::Const(constant) => plain(constant),
    });
    let wheres = generics.where_clause.iter().flat_map(|clause| &clause.predicates).map(plain);
    let all = parameters.chain(wheres).collect::<Vec<_>>();
    if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
}

/// Returns code as text: names without the modules that they are in, and no spaces but between words and behind separators.
pub(super) fn plain(code: impl ToTokens) -> String {
    let mut tokens = Vec::new();
    flatten(code.to_token_stream(), &mut tokens);
    let is_word = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
    let mut text = String::new();
    for token in tokens {
        if is_word(text.chars().next_back()) && is_word(token.chars().next()) || text.ends_with([',', ':', '=']) {
            text.push(' ');
        }
        text.push_str(&token);
    }
    text
}

/// Words that a path may follow.
const KEYWORDS: [&str; 6] = ["impl", "dyn", "mut", "for", "const", "where"];

fn flatten(code: TokenStream, tokens: &mut Vec<String>) {
    let mut all = code.into_iter();
    while let Some(token) = all.next() {
        match token {
            TokenTree::Punct(one) if one.as_char() == ':' && one.spacing() == Spacing::Joint => {
                // The other colon, and the module before them.
                all.next();
                let is_module =
                    |word: &String| word.starts_with(char::is_alphabetic) && !KEYWORDS.contains(&word.as_str());
                tokens.pop_if(|last| is_module(last));
            }
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                tokens.push(open.to_owned());
                flatten(group.stream(), tokens);
                tokens.push(close.to_owned());
            }
            other => tokens.push(other.to_string()),
        }
    }
}
