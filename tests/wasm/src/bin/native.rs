//! Runs every check natively and prints one JSON object: the check's name and its values in hexadecimal.

use std::collections::BTreeMap;

use tickwire_wasm_tests::CHECKS;

fn main() {
    let results: BTreeMap<&str, Vec<String>> = CHECKS
        .iter()
        .map(|check| (check.name, (check.run)().into_iter().map(|value| format!("{value:016x}")).collect()))
        .collect();
    println!("{}", serde_json::json!(results));
}
