//! Rules about operations, security, servers, and what else is not a schema.

use Bump::{Major, Minor, Patch};
use Level::{Breaking, Info, Warning};

use super::{Group::*, Rule, rules};
use crate::report::{Bump, Level};

rules! { API:
    // --- operations ---
    ENDPOINT_ADDED = Rule::api("endpoint-added", Operations, Info, Minor, "api-removed",
        "a new operation");
    API_REMOVED = Rule::api("api-removed", Operations, Breaking, Major, "endpoint-added",
        "an operation was removed without announcement")
        .written("api-{what}-without-deprecation");
    API_REMOVED_DEPRECATED = Rule::api("api-removed-with-deprecation", Operations, Breaking, Major, "endpoint-added",
        "a deprecated operation was removed: announced, but calls fail")
        .written("api-{what}-with-deprecation");
    API_REMOVED_BEFORE_SUNSET = Rule::api("api-removed-before-sunset", Operations, Breaking, Major, "endpoint-added",
        "an operation was removed before its sunset")
        .written("api-{what}-before-sunset");
    API_REMOVED_AFTER_SUNSET = Rule::api("api-removed-after-sunset", Operations, Level::None, Major, "endpoint-added",
        "an operation was removed as announced: its sunset has passed")
        .written("api-{what}-after-sunset");
    ENDPOINT_MOVED = Rule::api("endpoint-moved", Operations, Breaking, Patch, "endpoint-moved",
        "an operation of the same operationId is now at another path or method");
    OPERATION_ID_CHANGED = Rule::api("api-operation-id-changed", Operations, Level::None, Major,
        "api-operation-id-changed", "the generated method has another name; calls on the wire are the same");
    STABILITY_DECREASED = Rule::api("api-stability-decreased", Operations, Info, Patch, "api-stability-increased",
        "the vendor promises less for this operation");
    STABILITY_INCREASED = Rule::api("api-stability-increased", Operations, Info, Patch, "api-stability-decreased",
        "the vendor promises more for this operation");
    WEBHOOK_ADDED = Rule::api("webhook-added", Operations, Info, Minor, "webhook-removed", "a new webhook");
    WEBHOOK_REMOVED = Rule::api("webhook-removed", Operations, Breaking, Major, "webhook-added",
        "the vendor no longer sends this webhook");
    CALLBACK_ADDED = Rule::api("callback-added", Operations, Info, Minor, "callback-removed", "the vendor may call back");
    CALLBACK_REMOVED = Rule::api("callback-removed", Operations, Breaking, Major, "callback-added",
        "the vendor no longer calls back in this way");
    EXTENSION_CHANGED = Rule::api("extension-changed", Unknown, Level::None, Patch, "extension-changed",
        "an x- field differs; generators may read it");
    UNKNOWN_CHANGE = Rule::api("unknown-change", Unknown, Warning, Major, "unknown-change",
        "something differs that this comparison cannot judge: read it");

    // --- deprecation ---
    ENDPOINT_DEPRECATED = Rule::api("endpoint-deprecated", Deprecation, Info, Minor, "endpoint-reactivated",
        "the operation is now deprecated");
    ENDPOINT_DEPRECATED_WITH_SUNSET = Rule::api("endpoint-deprecated-with-sunset", Deprecation, Warning, Minor,
        "endpoint-reactivated", "the operation is now deprecated and has a last day");
    ENDPOINT_REACTIVATED = Rule::api("endpoint-reactivated", Deprecation, Info, Patch, "endpoint-deprecated",
        "the operation is no longer deprecated");

    // --- security ---
    SECURITY_REQUIREMENT_ADDED = Rule::api("security-requirement-added", Security, Breaking, Patch,
        "security-requirement-removed", "anonymous calls are no longer allowed");
    SECURITY_REQUIREMENT_REMOVED = Rule::api("security-requirement-removed", Security, Info, Patch,
        "security-requirement-added", "anonymous calls are now allowed");
    SECURITY_REQUIREMENT_CHANGED = Rule::api("security-requirement-changed", Security, Breaking, Patch,
        "security-alternative-added", "a security requirement that clients may use was removed");
    SECURITY_ALTERNATIVE_ADDED = Rule::api("security-alternative-added", Security, Info, Patch,
        "security-requirement-changed", "one more security requirement is enough");
    SECURITY_SCOPE_ADDED = Rule::api("security-scope-added", Security, Breaking, Patch, "security-scope-removed",
        "tokens need a scope that they may lack");
    SECURITY_SCOPE_REMOVED = Rule::api("security-scope-removed", Security, Info, Patch, "security-scope-added",
        "tokens need one scope less");
    SCHEME_ADDED = Rule::api("api-security-component-added", Security, Info, Patch, "api-security-component-removed",
        "a new security scheme");
    SCHEME_REMOVED = Rule::api("api-security-component-removed", Security, Info, Patch, "api-security-component-added",
        "a security scheme was removed; operations that used it are reported separately");
    SCHEME_RENAMED = Rule::api("api-security-component-renamed", Security, Level::None, Patch,
        "api-security-component-renamed", "the same scheme has another name in the document");
    SCHEME_DEPRECATED = Rule::api("api-security-component-deprecated", Security, Info, Patch,
        "api-security-component-reactivated", "the scheme is now deprecated");
    SCHEME_REACTIVATED = Rule::api("api-security-component-reactivated", Security, Info, Patch,
        "api-security-component-deprecated", "the scheme is no longer deprecated");
    SCHEME_TYPE = Rule::api("api-security-component-type-changed", Security, Breaking, Patch,
        "api-security-component-type-changed", "the scheme is of another type");
    SCHEME_WIRE = Rule::api("api-security-component-wire-changed", Security, Breaking, Patch,
        "api-security-component-wire-changed", "the credential is sent elsewhere: another header, location or HTTP scheme")
        .written("api-security-component-{what}-changed");
    SCHEME_AUTHORIZATION_URL = Rule::api("api-security-component-oauth-url-changed", Security, Warning, Patch,
        "api-security-component-oauth-url-changed", "users are sent to another page to log in");
    SCHEME_TOKEN_URL = Rule::api("api-security-component-oauth-token-url-changed", Security, Breaking, Patch,
        "api-security-component-oauth-token-url-changed", "tokens come from another URL");
    SCHEME_FLOW_ADDED = Rule::api("api-security-component-oauth-flow-added", Security, Info, Patch,
        "api-security-component-oauth-flow-removed", "one more way to get a token");
    SCHEME_FLOW_REMOVED = Rule::api("api-security-component-oauth-flow-removed", Security, Breaking, Patch,
        "api-security-component-oauth-flow-added", "a way to get a token was removed");
    SCHEME_SCOPE_ADDED = Rule::api("api-security-component-oauth-scope-added", Security, Info, Patch,
        "api-security-component-oauth-scope-removed", "the scheme knows a new scope");
    SCHEME_SCOPE_REMOVED = Rule::api("api-security-component-oauth-scope-removed", Security, Warning, Patch,
        "api-security-component-oauth-scope-added", "a scope that clients may request was removed");

    // --- servers ---
    SERVER_DEFAULT = Rule::api("server-default-changed", Servers, Breaking, Patch, "server-default-changed",
        "the first server, a client's default, is another one");
    SERVER_ADDED = Rule::api("server-added", Servers, Info, Patch, "server-removed", "one more server");
    SERVER_REMOVED = Rule::api("server-removed", Servers, Warning, Patch, "server-added",
        "a server is no longer listed");
    SERVER_VARIABLE = Rule::api("server-variable-changed", Servers, Warning, Patch, "server-variable-changed",
        "a variable of a server's URL has other values or another default");

    // --- parameters ---
    PARAMETER_ADDED_REQUIRED = Rule::api("new-required-request-parameter", Parameters, Breaking, Major,
        "request-parameter-removed", "calls must send a new parameter");
    PARAMETER_ADDED_PATH = Rule::api("new-request-path-parameter", Parameters, Breaking, Major,
        "request-parameter-removed", "the path has one more part");
    PARAMETER_ADDED_OPTIONAL = Rule::api("new-optional-request-parameter", Parameters, Info, Major,
        "request-parameter-removed", "calls may send one more parameter");
    PARAMETER_REMOVED = Rule::api("request-parameter-removed", Parameters, Warning, Major,
        "new-optional-request-parameter", "the parameter is now ignored or rejected");
    PARAMETER_REMOVED_DEPRECATED = Rule::api("request-parameter-removed-with-deprecation", Parameters, Warning, Major,
        "new-optional-request-parameter", "a deprecated parameter was removed");
    PARAMETER_REMOVED_BEFORE_SUNSET = Rule::api("request-parameter-removed-before-sunset", Parameters, Breaking, Major,
        "new-optional-request-parameter", "a parameter was removed before its sunset");
    PARAMETER_REMOVED_AFTER_SUNSET = Rule::api("request-parameter-removed-after-sunset", Parameters, Level::None, Major,
        "new-optional-request-parameter", "a parameter was removed as announced");
    PARAMETER_REQUIRED = Rule::api("request-parameter-became-required", Parameters, Breaking, Major,
        "request-parameter-became-optional", "calls without the parameter are rejected");
    PARAMETER_OPTIONAL = Rule::api("request-parameter-became-optional", Parameters, Info, Major,
        "request-parameter-became-required", "calls may leave the parameter out");
    PARAMETER_STYLE = Rule::api("request-parameter-style-changed", Parameters, Breaking, Patch,
        "request-parameter-style-changed", "lists or objects are written in another way");
    RESERVED_ALLOWED = Rule::api("request-parameter-reserved-allowed", Parameters, Info, Patch,
        "request-parameter-reserved-encoded", "reserved characters such as / may be in the value unescaped");
    RESERVED_ENCODED = Rule::api("request-parameter-reserved-encoded", Parameters, Warning, Patch,
        "request-parameter-reserved-allowed", "reserved letters such as / must be percent-encoded in the value");
    EMPTY_ALLOWED = Rule::api("request-parameter-empty-allowed", Parameters, Info, Patch,
        "request-parameter-empty-rejected", "the parameter may be sent without a value");
    EMPTY_REJECTED = Rule::api("request-parameter-empty-rejected", Parameters, Warning, Patch,
        "request-parameter-empty-allowed", "the parameter may no longer be sent without a value");
    PATH_PARAMETER_DECLARED = Rule::api("request-path-parameter-declared", Parameters, Info, Major,
        "request-path-parameter-undeclared", "a part of the path that was there is now declared as a parameter");
    PATH_PARAMETER_UNDECLARED = Rule::api("request-path-parameter-undeclared", Parameters, Warning, Major,
        "request-path-parameter-declared", "a part of the path is no longer declared");
    PARAMETER_CONTENT = Rule::api("request-parameter-content-changed", Parameters, Breaking, Major,
        "request-parameter-content-changed", "the parameter now has, or no longer has, a media type");
    PATH_PARAMETER_RENAMED = Rule::api("request-path-parameter-renamed", Parameters, Level::None, Major,
        "request-path-parameter-renamed", "only the name of an argument differs; paths on the wire are the same");

    // --- request bodies and media types ---
    BODY_ADDED_REQUIRED = Rule::api("request-body-added-required", RequestBody, Breaking, Major, "request-body-removed",
        "calls must send a body");
    BODY_ADDED_OPTIONAL = Rule::api("request-body-added-optional", RequestBody, Info, Major, "request-body-removed",
        "calls may send a body");
    BODY_REMOVED = Rule::api("request-body-removed", RequestBody, Breaking, Major, "request-body-added-optional",
        "the operation takes no body any more");
    BODY_REQUIRED = Rule::api("request-body-became-required", RequestBody, Breaking, Major,
        "request-body-became-optional", "calls without a body are rejected");
    BODY_OPTIONAL = Rule::api("request-body-became-optional", RequestBody, Info, Major, "request-body-became-required",
        "calls may leave the body out");
    BODY_ENCODING = Rule::api("request-body-encoding-changed", RequestBody, Warning, Patch,
        "request-body-encoding-changed", "parts of a form are written in another way");
    REQUEST_MEDIA_ADDED = Rule::api("request-body-media-type-added", MediaTypes, Info, Minor,
        "request-body-media-type-removed", "bodies may be sent in one more form");
    REQUEST_MEDIA_REMOVED = Rule::api("request-body-media-type-removed", MediaTypes, Breaking, Major,
        "request-body-media-type-added", "bodies are no longer accepted in this form");
    RESPONSE_MEDIA_ADDED = Rule::api("response-media-type-added", MediaTypes, Info, Minor,
        "response-media-type-removed", "responses may have one more media type");
    RESPONSE_MEDIA_REMOVED = Rule::api("response-media-type-removed", MediaTypes, Breaking, Major,
        "response-media-type-added", "responses no longer have this media type");
    MEDIA_NAME_CHANGED = Rule::api("media-type-name-changed", MediaTypes, Info, Patch,
        "media-type-name-changed", "a parameter such as charset differs")
        .written("{what}-media-type-name-changed");
    MEDIA_NAME_GENERALIZED = Rule::api("media-type-name-generalized", MediaTypes, Breaking, Patch,
        "media-type-name-specialized", "responses may have more media types than before")
        .written("{what}-media-type-name-generalized");
    MEDIA_NAME_SPECIALIZED = Rule::api("media-type-name-specialized", MediaTypes, Info, Patch,
        "media-type-name-generalized", "another media type of the same format")
        .written("{what}-media-type-name-specialized");
    REQUEST_SCHEMA_ADDED = Rule::api("request-body-media-type-schema-added", MediaTypes, Breaking, Major,
        "request-body-media-type-schema-removed", "any body was accepted, now it must match a schema");
    REQUEST_SCHEMA_REMOVED = Rule::api("request-body-media-type-schema-removed", MediaTypes, Info, Major,
        "request-body-media-type-schema-added", "any body is accepted now");
    RESPONSE_SCHEMA_ADDED = Rule::api("response-body-media-type-schema-added", MediaTypes, Info, Major,
        "response-body-media-type-schema-removed", "responses now have a schema");
    RESPONSE_SCHEMA_REMOVED = Rule::api("response-body-media-type-schema-removed", MediaTypes, Warning, Major,
        "response-body-media-type-schema-added", "responses no longer have a schema");

    // --- responses ---
    SUCCESS_ADDED = Rule::api("response-success-status-added", Responses, Warning, Major,
        "response-success-status-removed", "typed clients that know only the listed statuses reject this response");
    SUCCESS_REMOVED = Rule::api("response-success-status-removed", Responses, Breaking, Major,
        "response-success-status-added", "the response that clients wait for is no longer returned");
    NON_SUCCESS_ADDED = Rule::api("response-non-success-status-added", Responses, Info, Minor,
        "response-non-success-status-removed", "one more way to fail is documented");
    NON_SUCCESS_REMOVED = Rule::api("response-non-success-status-removed", Responses, Info, Major,
        "response-non-success-status-added", "an error status is no longer documented");
    DEFAULT_ADDED = Rule::api("response-default-added", Responses, Info, Minor, "response-default-removed",
        "responses of other statuses are now documented");
    DEFAULT_REMOVED = Rule::api("response-default-removed", Responses, Info, Major, "response-default-added",
        "responses of other statuses are no longer documented");
    RESPONSE_BODY_ADDED = Rule::api("response-body-added", Responses, Info, Major, "response-body-removed",
        "the response now has a body");
    RESPONSE_BODY_REMOVED = Rule::api("response-body-removed", Responses, Breaking, Major, "response-body-added",
        "the response no longer has a body");

    // --- headers ---
    HEADER_ADDED = Rule::api("response-header-added", Headers, Info, Minor, "optional-response-header-removed",
        "responses have one more header");
    HEADER_REMOVED_REQUIRED = Rule::api("required-response-header-removed", Headers, Breaking, Major,
        "response-header-added", "a header that was always sent was removed");
    HEADER_REMOVED_OPTIONAL = Rule::api("optional-response-header-removed", Headers, Warning, Major,
        "response-header-added", "a header that was sometimes sent was removed");
    HEADER_OPTIONAL = Rule::api("response-header-became-optional", Headers, Breaking, Major,
        "response-header-became-required", "a header may now be missing");
    HEADER_REQUIRED = Rule::api("response-header-became-required", Headers, Level::None, Major,
        "response-header-became-optional", "a header is now always there");

    // --- components: names in generated code, nothing on the wire ---
    COMPONENT_ADDED = Rule::api("api-schema-added", Components, Level::None, Minor, "api-schema-removed",
        "a new named type");
    COMPONENT_REMOVED = Rule::api("api-schema-removed", Components, Level::None, Major, "api-schema-added",
        "a named type was removed; its uses are reported separately");
    COMPONENT_RENAMED = Rule::api("api-schema-renamed", Components, Level::None, Major, "api-schema-renamed",
        "the same type has another name");
}
