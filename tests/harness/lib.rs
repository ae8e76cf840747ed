//! What the tests of Tickwire's behaviours share.

pub mod arena;
pub mod duel;
pub mod duelist;
pub mod fuzz;
pub mod net;
pub mod party;
pub mod playable;
pub mod sim;
pub mod sockets;
pub mod stream;
pub mod swarm;
pub mod walker;
pub mod world;

use std::env;
use std::path::{Path, PathBuf};

/// The folder of the workspace's `Cargo.toml`.
///
/// # Panics
/// If the crate was built in the root of the file system.
#[must_use]
pub fn repository() -> PathBuf {
    // Clones that share a target folder share the test programs too: cargo knows which one it is testing.
    let tests = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&tests).parent().expect("the tests are a folder of the workspace").to_owned()
}
