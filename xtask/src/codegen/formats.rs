//! The table of formats: everything that reads or checks one looks here.

/// A format with the types that it belongs to.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// Each type with the runtime's type that it becomes, unless progenitor has one of its own.
    pub(crate) types: &'static [(&'static str, Option<&'static str>)],
}

const fn format(name: &'static str, types: &'static [(&'static str, Option<&'static str>)]) -> Format {
    Format { name, types }
}

/// The formats that the generator supports. It ignores others.
pub(crate) static FORMATS: [Format; 14] = [
    format("int32", &[("integer", None)]),
    format("int64", &[("integer", None)]),
    format("decimal", &[("number", Some("DecimalNumber")), ("string", Some("DecimalString"))]),
    format("date", &[("string", None)]),
    format("date-time", &[("string", None)]),
    format("lenient-date-time", &[("string", Some("LenientDateTime"))]),
    format("lenient-decimal", &[("string", Some("LenientDecimal"))]),
    format("uuid", &[("string", None)]),
    format("uri", &[("string", None)]),
    format("uri-reference", &[("string", None)]),
    format("email", &[("string", None)]),
    format("password", &[("string", Some("SecretText"))]),
    format("binary", &[("string", None)]),
    format("byte", &[("string", None)]),
];

/// Returns whether a string of a format becomes a type of its own.
pub(crate) fn is_parsed(format: &str) -> bool {
    let known = FORMATS.iter().find(|known| known.name == format).into_iter().flat_map(|known| known.types);
    ["date", "date-time", "uuid"].contains(&format)
        || known.into_iter().any(|(kind, of)| *kind == "string" && of.is_some())
}
