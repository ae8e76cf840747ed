//! The delta of one entity, seen from outside: what goes in comes out, and nothing else does any harm.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics, helpers and strategies included")]

mod errors;
mod hostile;
mod limits;
mod pin;
mod publishing;
mod random;
mod round_trip;
mod schema;
mod tables;
mod walker;
