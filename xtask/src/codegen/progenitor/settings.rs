//! The configuration of progenitor.

use progenitor::{GenerationSettings, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use schemars::schema::{InstanceType, SchemaObject, SingleOrVec};

use crate::codegen::{formats::FORMATS, open_enum::OpenEnum};

/// Returns the settings for a document with these enums.
pub(super) fn settings(enums: &[OpenEnum]) -> GenerationSettings {
    let mut settings = GenerationSettings::default();
    settings
        .with_interface(InterfaceStyle::Builder)
        .with_tag(TagStyle::Merged)
        // Core's trait has the transport as its default: no vendor crate has to implement it.
        .with_hooks(HooksMode::Optional)
        .with_inner_type(quote!(progenitor_client::Transport))
        // Maps in a stable order: tests and output compare.
        .with_map_type("::std::collections::BTreeMap");
    let text = || [TypeImpl::FromStr, TypeImpl::Display].into_iter();
    for format in &FORMATS {
        for (kind, runtime) in format.types.iter().filter_map(|(kind, runtime)| Some((*kind, (*runtime)?))) {
            let instance = if kind == "number" { InstanceType::Number } else { InstanceType::String };
            let schema = SchemaObject {
                instance_type: Some(SingleOrVec::from(instance)),
                format: Some(format.name.to_owned()),
                ..SchemaObject::default()
            };
            settings.with_conversion(schema, format!("::progenitor_client::{runtime}"), text());
        }
    }
    for open in enums {
        settings.with_replacement(&open.name, open.path(), text());
    }
    settings
}
