//! stub
pub(crate) fn harden(f: syn::File, _r: &serde_json::Value) -> Result<syn::File, String> { Ok(f) }
