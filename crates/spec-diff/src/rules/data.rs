//! Rules about schemas: what callers send (the first level) and what they receive (the second).

use Bump::{Major, Minor, Patch};
use Level::{Breaking, Info, Warning};

use super::{Group::*, Rule, rules};
use crate::report::{Bump, Level};

rules! { DATA:
    // --- properties ---
    PROPERTY_ADDED_OPTIONAL = Rule::data("optional-property-added", Properties, (Info, Info), Major,
        "optional-property-removed", "one more optional property")
        .ids("new-optional-request-property", "response-optional-property-added");
    PROPERTY_ADDED_REQUIRED = Rule::data("required-property-added", Properties, (Breaking, Info), Major,
        "required-property-removed", "one more property; requests without it are rejected")
        .in_responses("one more property, which is always there")
        .ids("new-required-request-property", "response-required-property-added");
    PROPERTY_ADDED_REQUIRED_DEFAULT = Rule::data("required-property-with-default-added", Properties, (Breaking, Info),
        Major, "required-property-removed", "one more required property, which has a default")
        .in_responses("one more property, which is always there")
        .ids("new-required-request-property-with-default", "response-required-property-added");
    PROPERTY_REMOVED_OPTIONAL = Rule::data("optional-property-removed", Properties, (Warning, Warning), Major,
        "optional-property-added", "an optional property was removed")
        .ids("request-property-removed", "response-optional-property-removed");
    PROPERTY_REMOVED_REQUIRED = Rule::data("required-property-removed", Properties, (Warning, Breaking), Major,
        "required-property-added", "a required property was removed")
        .ids("request-property-removed", "response-required-property-removed");
    BECAME_REQUIRED = Rule::data("became-required", Properties, (Breaking, Info), Major, "became-optional",
        "requests without the property are rejected")
        .in_responses("the property is always there");
    BECAME_REQUIRED_DEFAULT = Rule::data("became-required-with-default", Properties, (Breaking, Info), Major,
        "became-optional", "the property is required, though it has a default")
        .in_responses("the property is always there");
    BECAME_OPTIONAL = Rule::data("became-optional", Properties, (Info, Breaking), Major, "became-required",
        "the property may be left out")
        .in_responses("the property may be missing");

    // --- types and formats ---
    TYPE_CHANGED = Rule::data("type-changed", TypeFormat, (Breaking, Breaking), Major, "type-changed",
        "a different type or format; values of the one do not fit the other");
    TYPE_GENERALIZED = Rule::data("type-generalized", TypeFormat, (Info, Breaking), Major, "type-specialized",
        "more values fit: another type too, or a wider format");
    TYPE_SPECIALIZED = Rule::data("type-specialized", TypeFormat, (Breaking, Info), Major, "type-generalized",
        "fewer values fit: fewer types, or a narrower format");
    TYPE_COMPATIBLE = Rule::data("type-compatible", TypeFormat, (Info, Info), Major, "type-compatible",
        "another type that is written the same way here");
    CONTENT_CHANGED = Rule::data("content-changed", TypeFormat, (Breaking, Breaking), Major, "content-changed",
        "a string holds something else (contentEncoding, contentMediaType)")
        .written("{what}-changed");
    FORMAT_CHANGED = Rule::data("format-changed", TypeFormat, (Info, Info), Major, "format-changed",
        "another format, which by itself changes no value");
    BECAME_NEVER = Rule::data("became-never", TypeFormat, (Breaking, Info), Major, "no-longer-never",
        "no value is accepted any more")
        .in_responses("no value arrives any more");
    NO_LONGER_NEVER = Rule::data("no-longer-never", TypeFormat, (Info, Breaking), Major, "became-never",
        "values are accepted where none was")
        .in_responses("values may arrive where none did");
    BECAME_NULLABLE = Rule::data("became-nullable", Nullable, (Info, Breaking), Major, "became-not-nullable",
        "null is accepted")
        .in_responses("null may arrive");
    BECAME_NOT_NULLABLE = Rule::data("became-not-nullable", Nullable, (Breaking, Info), Major, "became-nullable",
        "null is no longer accepted")
        .in_responses("null no longer arrives");

    // --- enums ---
    ENUM_VALUE_ADDED = Rule::data("enum-value-added", Enums, (Info, Warning), Major, "enum-value-removed",
        "one more value is accepted")
        .in_responses("one more value may arrive; breaking if the client's enums are closed");
    ENUM_VALUE_REMOVED = Rule::data("enum-value-removed", Enums, (Breaking, Info), Major, "enum-value-added",
        "a value is no longer accepted")
        .in_responses("a value no longer arrives");
    BECAME_ENUM = Rule::data("became-enum", Enums, (Breaking, Info), Major, "enum-removed",
        "only listed values are accepted")
        .in_responses("only listed values arrive");
    ENUM_REMOVED = Rule::data("enum-removed", Enums, (Info, Warning), Major, "became-enum",
        "any value is accepted")
        .in_responses("any value may arrive; breaking if the client's enums are closed");
    EXTENSIBLE_VALUE_ADDED = Rule::data("x-extensible-enum-value-added", Enums, (Info, Info), Minor,
        "x-extensible-enum-value-removed", "one more value in an extensible enum");
    EXTENSIBLE_VALUE_REMOVED = Rule::data("x-extensible-enum-value-removed", Enums, (Breaking, Info), Major,
        "x-extensible-enum-value-added", "a value is no longer accepted")
        .in_responses("a value no longer arrives");
    CONST_ADDED = Rule::data("const-added", Enums, (Breaking, Info), Major, "const-removed",
        "only one value is accepted")
        .in_responses("only one value arrives");
    CONST_CHANGED = Rule::data("const-changed", Enums, (Breaking, Breaking), Major, "const-changed",
        "another value is the only one");
    CONST_REMOVED = Rule::data("const-removed", Enums, (Info, Breaking), Major, "const-added",
        "more than one value is accepted")
        .in_responses("more than one value may arrive");

    // --- composition ---
    ONE_OF_ADDED = Rule::data("one-of-added", Composition, (Info, Breaking), Major, "one-of-removed",
        "one more alternative is accepted")
        .in_responses("one more alternative may arrive");
    ONE_OF_REMOVED = Rule::data("one-of-removed", Composition, (Breaking, Info), Major, "one-of-added",
        "an alternative is no longer accepted")
        .in_responses("an alternative no longer arrives");
    ANY_OF_ADDED = Rule::data("any-of-added", Composition, (Info, Warning), Major, "any-of-removed",
        "one more alternative is accepted")
        .in_responses("one more alternative may arrive; values may match an old one too");
    ANY_OF_REMOVED = Rule::data("any-of-removed", Composition, (Breaking, Info), Major, "any-of-added",
        "an alternative is no longer accepted")
        .in_responses("an alternative no longer arrives");
    ALL_OF_ADDED = Rule::data("all-of-added", Composition, (Breaking, Info), Major, "all-of-removed",
        "values must match one more part");
    ALL_OF_REMOVED = Rule::data("all-of-removed", Composition, (Info, Info), Major, "all-of-added",
        "values no longer have to match a part");
    WRAPPED_IN_ONE_OF = Rule::data("wrapped-in-one-of", Composition, (Breaking, Breaking), Major,
        "unwrapped-from-one-of", "one form became several, none of which is the old one");
    UNWRAPPED_FROM_ONE_OF = Rule::data("unwrapped-from-one-of", Composition, (Breaking, Breaking), Major,
        "wrapped-in-one-of", "several alternatives became one, which is not one of the old ones");
    DISCRIMINATOR_ADDED = Rule::data("discriminator-added", Composition, (Warning, Warning), Patch,
        "discriminator-removed", "a property now distinguishes the alternatives");
    DISCRIMINATOR_REMOVED = Rule::data("discriminator-removed", Composition, (Warning, Warning), Patch,
        "discriminator-added", "no property distinguishes the alternatives any more");
    DISCRIMINATOR_PROPERTY = Rule::data("discriminator-property-name-changed", Composition, (Breaking, Breaking),
        Patch, "discriminator-property-name-changed", "another property distinguishes the alternatives");
    MAPPING_ADDED = Rule::data("discriminator-mapping-added", Composition, (Info, Warning), Patch,
        "discriminator-mapping-deleted", "one more name for an alternative");
    MAPPING_DELETED = Rule::data("discriminator-mapping-deleted", Composition, (Breaking, Info), Patch,
        "discriminator-mapping-added", "an alternative's name was removed");
    MAPPING_CHANGED = Rule::data("discriminator-mapping-changed", Composition, (Breaking, Breaking), Patch,
        "discriminator-mapping-changed", "a name maps to another alternative");
    ADDITIONAL_CLOSED = Rule::data("additional-properties-closed", Composition, (Breaking, Warning), Major,
        "additional-properties-opened", "properties that are not listed are rejected")
        .in_responses("properties that are not listed no longer arrive");
    ADDITIONAL_OPENED = Rule::data("additional-properties-opened", Composition, (Info, Info), Major,
        "additional-properties-closed", "properties that are not listed are accepted")
        .in_responses("properties that are not listed may arrive");
    ADDITIONAL_TYPED = Rule::data("additional-properties-typed", Composition, (Breaking, Info), Major,
        "additional-properties-untyped", "properties that are not listed must have a type")
        .in_responses("properties that are not listed have a type");
    ADDITIONAL_UNTYPED = Rule::data("additional-properties-untyped", Composition, (Info, Warning), Major,
        "additional-properties-typed", "properties that are not listed may have any type");
    CONDITION_ADDED = Rule::data("condition-added", Composition, (Breaking, Info), Major, "condition-removed",
        "values must meet one more condition (not, if, contains, dependentRequired, …)")
        .written("{what}-added");
    CONDITION_REMOVED = Rule::data("condition-removed", Composition, (Info, Breaking), Major, "condition-added",
        "values must meet one condition less")
        .written("{what}-removed");
    CONDITION_CHANGED = Rule::data("condition-changed", Composition, (Breaking, Breaking), Major, "condition-changed",
        "values must meet another condition")
        .written("{what}-changed");
    NOT_WIDENED = Rule::data("not-widened", Composition, (Breaking, Info), Major, "not-narrowed",
        "more values are rejected")
        .in_responses("more values are excluded");
    NOT_NARROWED = Rule::data("not-narrowed", Composition, (Info, Breaking), Major, "not-widened",
        "fewer values are rejected")
        .in_responses("fewer values are excluded");
    ANY_OF_TO_ONE_OF = Rule::data("any-of-became-one-of", Composition, (Warning, Info), Major, "one-of-became-any-of",
        "values that fit several alternatives are rejected")
        .in_responses("values that fit several alternatives no longer arrive");
    ONE_OF_TO_ANY_OF = Rule::data("one-of-became-any-of", Composition, (Info, Warning), Major, "any-of-became-one-of",
        "values that fit several alternatives are accepted")
        .in_responses("values that fit several alternatives may arrive");
    ITEMS_CLOSED = Rule::data("items-closed", Composition, (Breaking, Info), Major, "items-opened",
        "an array has no more items than those that are listed");
    ITEMS_OPENED = Rule::data("items-opened", Composition, (Info, Breaking), Major, "items-closed",
        "an array may have more items than those that are listed");
    PREFIX_ITEMS_ADDED = Rule::data("prefix-items-added", Composition, (Breaking, Info), Major, "prefix-items-removed",
        "an array's first items have types of their own");
    PREFIX_ITEMS_REMOVED = Rule::data("prefix-items-removed", Composition, (Info, Breaking), Major,
        "prefix-items-added", "an array's first items no longer have types of their own");

    // --- defaults, deprecation, direction of properties ---
    DEFAULT_VALUE_ADDED = Rule::data("default-value-added", Defaults, (Warning, Level::None), Patch,
        "default-value-removed", "what is left out has a value now");
    DEFAULT_VALUE_CHANGED = Rule::data("default-value-changed", Defaults, (Warning, Level::None), Patch,
        "default-value-changed", "what is left out has another value");
    DEFAULT_VALUE_REMOVED = Rule::data("default-value-removed", Defaults, (Warning, Level::None), Patch,
        "default-value-added", "what is left out has no value any more");
    DEPRECATED = Rule::data("deprecated", Deprecation, (Info, Info), Minor, "reactivated", "it is now deprecated");
    DEPRECATED_WITH_SUNSET = Rule::data("deprecated-with-sunset", Deprecation, (Warning, Warning), Minor,
        "reactivated", "it is now deprecated and has a last day");
    REACTIVATED = Rule::data("reactivated", Deprecation, (Info, Info), Patch, "deprecated",
        "it is no longer deprecated");
    SUNSET_ADDED = Rule::data("sunset-added", Deprecation, (Warning, Warning), Patch, "sunset-deleted",
        "what is deprecated now has a last day");
    SUNSET_DELETED = Rule::data("sunset-deleted", Deprecation, (Info, Info), Patch, "sunset-added",
        "what is deprecated has no last day any more");
    SUNSET_EARLIER = Rule::data("sunset-moved-earlier", Deprecation, (Warning, Warning), Patch, "sunset-moved-later",
        "the last day comes sooner");
    SUNSET_LATER = Rule::data("sunset-moved-later", Deprecation, (Info, Info), Patch, "sunset-moved-earlier",
        "the last day comes later");
    SUNSET_UNREADABLE = Rule::data("sunset-parse", Deprecation, (Info, Info), Patch, "",
        "the last day is not a date").no_inverse("a date is invalid, so that it cannot be compared with today");
    BECAME_READ_ONLY = Rule::data("became-read-only", Mutability, (Warning, Info), Major, "became-not-read-only",
        "it is ignored or rejected in requests");
    BECAME_NOT_READ_ONLY = Rule::data("became-not-read-only", Mutability, (Info, Info), Major, "became-read-only",
        "it may be sent");
    BECAME_WRITE_ONLY = Rule::data("became-write-only", Mutability, (Info, Warning), Major, "became-not-write-only",
        "responses no longer have it");
    BECAME_NOT_WRITE_ONLY = Rule::data("became-not-write-only", Mutability, (Info, Info), Major, "became-write-only",
        "responses have it");
}
