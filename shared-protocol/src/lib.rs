//! Tickwire's protocol core: what is replicated, how it is encoded, and what both ends compute alike.
#![forbid(unsafe_code)]

// The derive names this crate by its public path, inside the crate too.
#[allow(unused_extern_crates)]
extern crate self as tickwire_protocol;

pub mod client;
pub mod delta;
pub mod determinism;
pub mod end;
pub mod game;
pub mod id;
pub mod limits;
pub mod message;
pub mod schema;
pub mod snapshot;
pub mod time;
pub mod wire;

// One name for the trait and its derive, as serde does.
pub use schema::Replicate;
pub use tickwire_derive::Replicate;
