//! Items that are written as text: placeholders stand for them until the code is formatted.

/// The text of definitions, by the line of the placeholder.
#[derive(Default)]
pub(super) struct Definitions(Vec<(String, String)>);

impl Definitions {
    /// Adds a definition, and returns the item that stands for it.
    pub(super) fn add(&mut self, text: String) -> syn::Item {
        let name = quote::format_ident!("Definition{}", self.0.len());
        self.0.push((format!("struct {name};"), text));
        syn::parse_quote!(struct #name;)
    }

    /// Puts the definitions in place of their placeholders, with the indentation of those.
    pub(super) fn splice(&self, code: &str) -> String {
        let mut lines = Vec::new();
        for line in code.lines() {
            let text = line.trim_start();
            match self.0.iter().find(|(placeholder, _)| placeholder == text) {
                Some((_, found)) => {
                    let indent = &line[..line.len() - text.len()];
                    lines.extend(found.lines().map(|line| format!("{indent}{line}").trim_end().to_owned()));
                }
                None => lines.push(line.to_owned()),
            }
        }
        lines.join("\n") + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_replace_their_placeholders_indented() {
        let mut definitions = Definitions::default();
        let placeholder = definitions.add("macro! {\n    A,\n}".to_owned());
        let code = quote::quote!(mod types { #placeholder pub struct Definition0; });
        let file = syn::parse2(code).expect("it is Rust");
        let code = definitions.splice(&prettyplease::unparse(&file));
        assert_eq!(code, "mod types {\n    macro! {\n        A,\n    }\n    pub struct Definition0;\n}\n");
    }
}
