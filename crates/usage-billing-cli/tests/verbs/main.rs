//! The verbs beside `usage`, as users run them.

mod accounts;
mod api;
mod auth;
mod clients;
mod doctor;
mod examples;
mod logging;
mod manual;
mod meter;
mod report;
mod support;
mod vendors;
mod wrong_input;
