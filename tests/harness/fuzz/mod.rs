//! The bodies of the fuzz targets.
//!
//! They live here, and not in the fuzz crate, so that stable Rust can replay the corpora without libFuzzer.
//! Each body is a function that takes any bytes and panics only on a fault. To add one:
//!
//! 1. write `pub fn NAME(data: &[u8])` in a file of this folder, and enter it in [`TARGETS`];
//! 2. add `tests/fuzz/fuzz_targets/NAME.rs` and its `[[bin]]` in `tests/fuzz/Cargo.toml`, like the others;
//! 3. put at least one input, valid if the target knows such, into `tests/fuzz/corpus/NAME/`.
//!
//! The test `fuzz_corpus` fails while one of the three is missing.

mod client;
mod delta;
mod determinism;
pub mod kinds;
mod message;
mod schema;
mod snapshot;
mod wire;

pub use client::client;
pub use delta::{delta, tables};
pub use determinism::determinism_float;
pub use message::{client_message, conversation, server_message};
pub use schema::schema;
pub use snapshot::snapshot;
pub use wire::{bits, codes};

/// A fuzz target: its name, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets, by name.
pub const TARGETS: &[Target] = &[
    ("bits", bits),
    ("client", client),
    ("client_message", client_message),
    ("codes", codes),
    ("conversation", conversation),
    ("delta", delta),
    ("determinism_float", determinism_float),
    ("schema", schema),
    ("server_message", server_message),
    ("snapshot", snapshot),
    ("tables", tables),
];
