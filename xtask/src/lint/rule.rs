//! The rules: what each demands, how bad it is to break it, and of which documents it is asked.

use clap::ValueEnum;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// The client works; the document is not as it should be.
    Warning,
    /// Generation stops.
    Error,
}

impl Level {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule. Its id is the name in kebab case, its help the first line of the comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Rule {
    // --- the document
    /// The document is OpenAPI 3.0; the generator reads nothing else.
    OpenapiVersion,
    /// `info.title` is there: the generator needs it.
    InfoTitle,
    /// `info.version` is the date of the last check against the sources, `YYYY-MM-DD`.
    InfoVersion,
    /// A server is an absolute `https` URL: it is the client's default.
    Server,
    /// A security requirement names a scheme of the document.
    Security,
    /// Every key belongs where it stands: the generator ignores what it does not know.
    UnknownKey,
    /// Every value is of the kind that its key holds.
    Kind,
    /// A reference leads to a component of the right section, and not to itself.
    Reference,
    /// Nothing that changes the value stands beside a `$ref`: OpenAPI 3.0 ignores it.
    ReferenceSibling,
    /// No text stands beside a `$ref`: OpenAPI 3.0 ignores it.
    ReferenceText,
    /// Texts have no characters that rustc rejects in comments: they are removed from the documentation.
    TextCharacter,
    /// Components are used: one that nothing refers to is a type that nobody gets.
    Unused,

    // --- operations
    /// An `operationId` is there and makes a method of its own.
    OperationId,
    /// The method is one that the HTTP client has: options and trace do not compile.
    Method,
    /// `x-source` names page or SDK file with version, and the date it was read.
    Source,
    /// An operation has a line that says what it is for.
    Summary,
    /// An operation documents how it fails.
    Errors,
    /// There are successes, all of one kind, JSON with a schema: a method returns one type.
    Success,
    /// A success is `application/json` alone, or marked as a download: anything else comes as bytes.
    MediaType,
    /// The statuses of successes are registered ones: the mock helpers panic on others.
    Status,
    /// A success in JSON has an example: the tests decode it.
    Example,
    /// A request body is of one type that the generator writes, and has a schema.
    Body,
    /// A request body is required: the generator always sends one.
    OptionalBody,

    // --- marks
    /// Marks are known and hold what they should.
    Mark,
    /// Marks on repeating stand on POST and PATCH, with a reason, and name a field of the body.
    Idempotency,
    /// `x-pagination` has a known style and names parameters and fields that are there.
    Pagination,
    /// `x-long-running` names an operation to poll, fields that are there, and each state once.
    LongRunning,
    /// What looks paged or long-running is marked so.
    Unmarked,
    /// The facade calls what is paged or long-running, so that nobody turns pages or polls by hand.
    Facade,

    // --- parameters
    /// Every parameter has a name and a setter of its own.
    ParameterName,
    /// A parameter has a schema; `content` is not supported.
    ParameterSchema,
    /// Parameters are in query, path or header.
    ParameterPlace,
    /// Parameters are in the default style of their place, lists in the query exploded.
    ParameterStyle,
    /// A parameter's type has one text form, and it is sent as that.
    ParameterType,
    /// Path parameters are required.
    ParameterRequired,
    /// The path and its parameters name the same.
    PathParameter,

    // --- schemas
    /// Types are those of OpenAPI 3.0, and only texts and numbers have formats.
    Type,
    /// Keywords stand beside the type that they belong to.
    Keyword,
    /// Formats are those that the generator knows, of the type that they belong to.
    Format,
    /// Numbers are `format: decimal` or integers: a bare number would become a float.
    Number,
    /// A schema has a type, or `x-any: true` where the vendor does send anything.
    Any,
    /// No `oneOf`, `anyOf`, `not`: their types refuse what fits no part, or do not decode at all.
    OneOf,
    /// `allOf` holds one reference and stands alone.
    AllOf,
    /// Objects with properties are components: inline, they have no name to document.
    InlineObject,
    /// No `additionalProperties: false`: a new field must not break a client.
    ClosedObject,
    /// Properties and a map are not in one object: decimals would lose digits.
    OpenObject,
    /// An object without properties says what it holds: any JSON, or values of one schema.
    FreeObject,
    /// What is required is a property.
    Required,
    /// Enums are components: inline, they would be closed, and a new value would fail the answer.
    InlineEnum,
    /// Enums list texts, each of which makes a Rust name of its own.
    Enum,
    /// Enums are of texts: of others the generator takes the type and leaves the list.
    EnumType,
    /// Every value of an enum has a line in its description.
    EnumValues,
    /// No default on properties: it is not applied.
    Default,
    /// No limits on what only answers hold: the vendor is the judge.
    AnswerLimit,
    /// Secrets are `format: password`, which hides them from logs.
    Secret,
    /// Types, fields, parameters and answers are described.
    Description,
    /// Names make types and fields of their own in Rust.
    Name,
}

impl Rule {
    pub(crate) fn id(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// What it demands and why, in a line.
    pub(crate) fn help(self) -> String {
        let value = self.to_possible_value();
        value.and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    pub(crate) const fn level(self) -> Level {
        match self {
            Self::Server
            | Self::TextCharacter
            | Self::Unused
            | Self::Summary
            | Self::Errors
            | Self::MediaType
            | Self::Example
            | Self::Unmarked
            | Self::Facade
            | Self::ClosedObject
            | Self::EnumValues
            | Self::Default
            | Self::AnswerLimit
            | Self::Secret
            | Self::Description => Level::Warning,
            _ => Level::Error,
        }
    }

    /// Whether only our own documents have to keep it: one of a vendor that breaks it makes a client that works.
    pub(crate) const fn is_curation(self) -> bool {
        matches!(
            self,
            Self::InfoVersion
                | Self::Server
                | Self::Security
                | Self::UnknownKey
                | Self::ReferenceText
                | Self::Unused
                | Self::Source
                | Self::Summary
                | Self::Errors
                | Self::Example
                | Self::OptionalBody
                | Self::Mark
                | Self::Idempotency
                | Self::Pagination
                | Self::LongRunning
                | Self::Unmarked
                | Self::Facade
                | Self::Keyword
                | Self::Format
                | Self::AllOf
                | Self::InlineObject
                | Self::ClosedObject
                | Self::FreeObject
                | Self::EnumType
                | Self::EnumValues
                | Self::Default
                | Self::AnswerLimit
                | Self::Secret
                | Self::Description
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_an_id_and_a_line_of_help() {
        for rule in Rule::value_variants() {
            assert_eq!(Rule::from_str(&rule.id(), false), Ok(*rule));
            let help = rule.help();
            assert!(help.len() > 20 && help.lines().count() == 1, "{rule:?}: {help:?}");
        }
    }
}
