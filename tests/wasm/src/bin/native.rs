//! Runs every check natively, or with `--soak` those that take minutes, and prints one JSON object: the
//! check's name and its values in hexadecimal.

use std::collections::BTreeMap;

use tickwire_wasm_tests::{CHECKS, SOAKS};

fn main() {
    let is_soak = std::env::args().nth(1).is_some_and(|argument| argument == "--soak");
    let results: BTreeMap<&str, Vec<String>> = if is_soak { SOAKS } else { CHECKS }
        .iter()
        .map(|check| (check.name, (check.run)().into_iter().map(|value| format!("{value:016x}")).collect()))
        .collect();
    println!("{}", serde_json::json!(results));
}
