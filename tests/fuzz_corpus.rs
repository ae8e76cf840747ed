//! Stable Rust replays the corpus of every fuzz target, and no target can be forgotten.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use tickwire_tests::fuzz::TARGETS;
use tickwire_tests::repository;
use toml::{Table, Value};

#[test]
fn every_input_of_every_corpus_is_handled() {
    let mut failures = Vec::new();
    for (name, target) in TARGETS {
        let files = files(&fuzz_folder().join("corpus").join(name));
        assert!(!files.is_empty(), "the corpus of {name} is empty");
        println!("{name}: {} inputs", files.len());
        for file in files {
            let input = fs::read(&file).expect("the file was listed a moment ago");
            if catch_unwind(|| target(&input)).is_err() {
                failures.push(format!("{name}: {}", file.display()));
            }
        }
    }
    assert!(failures.is_empty(), "inputs that were not handled:\n{}", failures.join("\n"));
}

#[test]
fn the_table_the_manifest_and_the_folders_agree() {
    let table: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(table.len(), TARGETS.len(), "a target is in the table twice");
    assert_eq!(binaries(), table, "[[bin]] entries of tests/fuzz/Cargo.toml, and the table");
    assert_eq!(stems("fuzz_targets"), table, "files in tests/fuzz/fuzz_targets, and the table");
    assert_eq!(stems("corpus"), table, "folders in tests/fuzz/corpus, and the table");
}

#[test]
fn each_target_file_calls_the_function_of_its_name() {
    for (name, _) in TARGETS {
        let file = fuzz_folder().join("fuzz_targets").join(format!("{name}.rs"));
        let source = fs::read_to_string(&file).unwrap_or_default();
        let call = format!("fuzz_target!(|data: &[u8]| tickwire_tests::fuzz::{name}(data));");
        assert!(source.contains(&call), "{} should say {call}", file.display());
    }
}

/// The names of the `[[bin]]` entries; each must point at the target file of its name.
fn binaries() -> BTreeSet<String> {
    let manifest =
        fs::read_to_string(fuzz_folder().join("Cargo.toml")).expect("the fuzz crate has a manifest");
    let manifest: Table = manifest.parse().expect("cargo reads the same manifest");
    let entries = manifest.get("bin").and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |entry: &Value, key| {
        entry.get(key).and_then(Value::as_str).expect("each [[bin]] has a name and a path").to_owned()
    };
    let mut names = BTreeSet::new();
    for entry in &entries {
        let name = text(entry, "name");
        assert_eq!(text(entry, "path"), format!("fuzz_targets/{name}.rs"));
        assert!(names.insert(name), "a [[bin]] is there twice");
    }
    names
}

/// What is in a folder of the fuzz crate, by name and without extension.
fn stems(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(fuzz_folder().join(folder)).expect("the fuzz crate has this folder");
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    paths.filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())).collect()
}

/// The files of a corpus, in order. A folder that is not there holds none.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let paths = entries.map(|entry| entry.expect("the folder is readable").path());
    let mut files: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn fuzz_folder() -> PathBuf {
    repository().join("tests/fuzz")
}
