//! `cargo xtask diff`: what a change of documents means for those who call the API, and for the version of the crate.

mod accept;
pub(crate) mod command;
mod compare;
mod excerpt;
mod gate;
mod git;
mod lines;
mod render;
mod sources;
mod sunsets;
