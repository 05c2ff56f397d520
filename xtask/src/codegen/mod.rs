//! From an OpenAPI document to the source of its crate. [`generate`] runs the stages in order:
//!
//! | stage | input | output | file |
//! | --- | --- | --- | --- |
//! | 1 validate | document | document without findings of level error | [`lint`](crate::lint), called by the commands |
//! | 2 normalize | document | document with only what progenitor handles well | `normalize/` |
//! | 3 run progenitor | normalized document | syntax tree of the client and of its mock helpers | `progenitor/` |
//! | 4 rewrite | syntax tree | syntax tree as published | `rewrite/`, `mock/` |
//! | 5 document | document | doc comments, written by the rewrite | `docs/` |
//! | 6 print | syntax tree | text with header, and macros of core | `print/` |
//!
//! Stages 2 to 6 run for one part of a large document after the other (`parts.rs`): the text of a part is small, its syntax tree is not.
//!
//! Several stages share the names of Rust items (`identifiers.rs`, `parameter_names.rs`), the types of enums (`open_enum.rs`), and
//! the runtime's table of operations (`operation_table.rs`).

mod bisect;
pub(crate) mod docs;
pub(crate) mod formats;
pub(crate) mod identifiers;
mod joined_parameters;
pub(crate) mod media_types;
mod mock;
pub(crate) mod normalize;
pub(crate) mod open_enum;
mod operation_table;
pub(crate) mod parameter_names;
mod parts;
mod print;
mod progenitor;
mod rewrite;
pub(crate) mod successes;
pub(crate) mod updates;

use std::collections::BTreeMap;

use openapi_document::Document;
use serde_json::Value;

use docs::operations::OperationDocs;
use open_enum::OpenEnum;
use parts::{PackedDocument, Part};
use print::{ClientText, MockText};
use progenitor::TypeBuilders;
pub(crate) use rewrite::{
    Omitted,
    jobs::{errors as job_errors, states as job_states},
};

/// The generated code of one crate, before it is printed: printing takes longer than all other stages.
pub(crate) struct GeneratedCode {
    pub(crate) client: syn::File,
    pub(crate) mock: syn::File,
    /// The enums that the client's placeholders stand for.
    pub(crate) enums: Vec<OpenEnum>,
}

/// The contents of the generated files of one crate.
pub(crate) struct GeneratedFiles {
    pub(crate) client: String,
    pub(crate) mock: String,
    /// The extensions by which no method could be generated.
    pub(crate) omitted: Vec<Omitted>,
}

/// Generates the code of a document that has passed validation.
///
/// # Errors
/// Names the document and the schema or operation that cannot be generated.
pub(crate) fn generate(document: &Document) -> Result<GeneratedCode, String> {
    let failed = |error: String| format!("{}: {error}", document.name);
    let mut root = document.root.clone();
    mark(&mut root);
    let root = &root;
    let enums = open_enum::open_enums(root);
    let docs = docs::operations::operation_docs(root);
    let both = |root: &Value| Ok((client(root, &docs, &enums, TypeBuilders::Complete)?.0, mock(root, &enums)?));
    let (mut client, mock) = bisect::with_cause(root, &both).map_err(failed)?;
    if let Some(types) = rewrite::module(&mut client.items, "types") {
        types.splice(0..0, enums.iter().map(OpenEnum::placeholder));
    }
    client.items.push(operation_table::table(root));
    Ok(GeneratedCode { client, mock, enums })
}

/// Notes what follows from the whole document, for its parts.
fn mark(root: &mut Value) {
    updates::mark(root);
    normalize::empty_collections::mark(root);
    rewrite::shadowed_names::mark(root);
    normalize::page_lists::mark(root);
    successes::name_components(root);
}

/// Stages 2 to 4 for the client of a document or of a part of it, with the extensions by which no method could be generated.
fn client(
    root: &Value,
    docs: &BTreeMap<String, OperationDocs>,
    enums: &[OpenEnum],
    builders: TypeBuilders,
) -> Result<(syn::File, Vec<Omitted>), String> {
    rewrite::rewrite(progenitor::client(root, enums, builders)?, docs, enums, root)
}

/// Returns the same for the mock.
fn mock(root: &Value, enums: &[OpenEnum]) -> Result<syn::File, String> {
    Ok(mock::rewrite(progenitor::mock(root, enums)?, root))
}

/// Generates and prints: stages 2 to 6. A pure function of the document's text.
///
/// # Errors
/// Those of [`generate`].
pub(crate) fn render(document: Document) -> Result<GeneratedFiles, String> {
    print(document).map(PrintedDocument::files)
}

/// Returns the same before the files are put together, which takes as much memory again.
///
/// # Errors
/// Those of [`generate`].
pub(crate) fn print(mut document: Document) -> Result<PrintedDocument, String> {
    // The tree is needed no longer than until the first part: what is made of a part takes its place.
    let mut root = std::mem::take(&mut document.root);
    mark(&mut root);
    let whole = Whole::of(&root);
    let parts = parts::parts(&root);
    let printed = if parts.is_empty() { printed(&root, &whole.docs) } else { in_parts(root, &whole.docs, &parts) };
    match printed {
        Ok(printed) => Ok(PrintedDocument { document, whole, printed }),
        Err(error) => Err(format!("{}: {error}", document.name)),
    }
}

/// The printed code of a document, item by item.
pub(crate) struct PrintedDocument {
    /// Without its tree.
    document: Document,
    whole: Whole,
    printed: Printed,
}

impl PrintedDocument {
    /// Returns the extensions by which no method could be generated.
    pub(crate) fn omitted(&self) -> &[Omitted] {
        &self.printed.omitted
    }

    pub(crate) fn files(self) -> GeneratedFiles {
        self.printed.files(&self.document, &self.whole)
    }
}

/// The code of the document as a whole.
struct Whole {
    docs: BTreeMap<String, OperationDocs>,
    enums: Vec<OpenEnum>,
    /// The code of the table of operations.
    table: String,
}

impl Whole {
    fn of(root: &Value) -> Self {
        Self {
            docs: docs::operations::operation_docs(root),
            enums: open_enum::open_enums(root),
            table: print::item_text(operation_table::table(root)),
        }
    }
}

/// The printed code of a document, or of a part of it.
struct Printed {
    client: ClientText,
    mock: MockText,
    omitted: Vec<Omitted>,
}

impl Printed {
    fn files(self, document: &Document, whole: &Whole) -> GeneratedFiles {
        let mock = self.mock.text(document, &self.client.response_builders());
        GeneratedFiles { client: self.client.text(document, &whole.enums, &whole.table), mock, omitted: self.omitted }
    }
}

fn printed(root: &Value, docs: &BTreeMap<String, OperationDocs>) -> Result<Printed, String> {
    bisect::with_cause(root, &|root| {
        let enums = open_enum::open_enums(root);
        // Each run of progenitor gets a document that is normalized for it, and its code is printed before the next one runs.
        let (client, omitted) = client(root, docs, &enums, TypeBuilders::Defaults)?;
        let client = ClientText::new(client)?;
        Ok(Printed { client, mock: MockText::new(mock(root, &enums)?)?, omitted })
    })
}

/// Generates the parts of a document, and joins them; or the whole, if they do not fit together.
fn in_parts(root: Value, docs: &BTreeMap<String, OperationDocs>, parts: &[Part]) -> Result<Printed, String> {
    let packed = PackedDocument::new(root);
    match joined(&packed, docs, parts)? {
        Some(printed) => Ok(printed),
        None => printed(&packed.whole(), docs),
    }
}

/// Generates the parts of a document, and joins them; `None` if one of them has other code for what another has as well.
fn joined(
    packed: &PackedDocument,
    docs: &BTreeMap<String, OperationDocs>,
    parts: &[Part],
) -> Result<Option<Printed>, String> {
    let mut all = None::<Printed>;
    for part in parts {
        let next = printed(&packed.part(part), docs)?;
        all = match all {
            None => Some(next),
            Some(Printed { client, mock, mut omitted }) => {
                omitted.extend(next.omitted);
                match client.join(next.client).zip(mock.join(next.mock)) {
                    Some((client, mock)) => Some(Printed { client, mock, omitted }),
                    None => return Ok(None),
                }
            }
        };
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::mini;

    #[test]
    fn the_same_document_gives_the_same_code() {
        let first = render(mini()).expect("it generates");
        let second = render(mini()).expect("it generates");
        assert_eq!(first.client, second.client);
        assert_eq!(first.mock, second.mock);
    }

    #[test]
    fn code_of_a_small_document_is_that_of_the_snapshots() {
        let document = mini();
        let hash = document.sha256.clone();
        let GeneratedFiles { client, mock, .. } = render(document).expect("it generates");
        insta::assert_snapshot!("client", client.replace(&hash, "HASH"));
        insta::assert_snapshot!("mock", mock.replace(&hash, "HASH"));
    }

    #[test]
    fn client_has_nothing_that_the_rewrite_replaces() {
        let GeneratedFiles { client, .. } = render(mini()).expect("it generates");
        for unwanted in ["Error::InvalidRequest", "Error<()>", "api-version", "pub fn new(baseurl", "prelude", "/**"] {
            assert!(!client.contains(unwanted), "{unwanted} is in {client}");
        }
    }

    #[test]
    fn mocks_respond_with_numbers_and_booleans() {
        let schema = "/paths/~1orders~1{orderId}/get/responses/200/content/application~1json/schema";
        let document = crate::test_support::changed(schema, serde_json::json!({"type": "boolean"}));
        let GeneratedFiles { mock, .. } = render(document).expect("it generates");
        assert!(mock.contains("value: bool") && mock.contains("json(&value)"), "{mock}");
    }
}
