//! Proof that native code and WebAssembly compute the same: each [`Check`] is run by both and its values are
//! compared.
//!
//! `native` prints the results of this machine's build as JSON, `run.mjs` runs the WebAssembly build of the
//! same crate under node and compares every value:
//!
//! ```text
//! cargo build --release -p tickwire-wasm-tests --target wasm32-unknown-unknown
//! cargo run -q --release -p tickwire-wasm-tests --bin native > native.json
//! node tests/wasm/run.mjs target/wasm32-unknown-unknown/release/tickwire_wasm_tests.wasm native.json
//! ```
//!
//! To add a check, write a function that returns 64-bit values (hashes of what was computed, taken often
//! enough to tell where two runs part) and give it a line in [`CHECKS`]. Node and `native` find it there by
//! themselves.

mod arena;
mod arena_match;
mod body;
mod deltas;
mod exports;
mod floats;
mod randoms;
mod vectors;

pub use body::{Body, Stick};

/// A computation that must give the same values on every machine.
#[derive(Debug)]
pub struct Check {
    /// What is computed, as it is printed.
    pub name: &'static str,
    /// Computes it from nothing but constants.
    pub run: fn() -> Vec<u64>,
}

/// The checks that take minutes: `--soak` runs these instead.
pub const SOAKS: &[Check] =
    &[Check { name: "arena: ten minutes, replayed, hash at each second", run: arena_match::ten_minutes }];

/// Every check.
pub const CHECKS: &[Check] = &[
    Check { name: "body: 10,000 steps, digest at each 100th", run: body::digests },
    Check { name: "body: saved and restored at each 100th step", run: body::digests_with_restores },
    Check { name: "arena: 10,000 steps of a player, digest at each 100th", run: arena::steps },
    Check { name: "arena: a match, hash at each second", run: arena_match::play_a_little },
    Check { name: "arena: the match from its recording", run: arena_match::replay_a_little },
    Check { name: "float: functions of one operand", run: floats::unary },
    Check { name: "float: functions of two operands", run: floats::binary },
    Check { name: "float: exact operations of the language", run: floats::exact },
    Check { name: "delta: bits, lanes and values of a life", run: deltas::digests },
    Check { name: "delta: default and trained tables", run: deltas::table_ids },
    Check { name: "random: everything that can be drawn", run: randoms::draws },
    Check { name: "glam: vectors, rotations and matrices", run: vectors::operations },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_have_names_of_their_own_and_repeatable_values() {
        for (index, check) in CHECKS.iter().enumerate() {
            assert!(CHECKS[..index].iter().all(|other| other.name != check.name), "{} twice", check.name);
            let values = (check.run)();
            assert!(!values.is_empty(), "{} compares nothing", check.name);
            assert_eq!(values, (check.run)(), "{}", check.name);
        }
    }
}
