//! Misuse of the derive is a compile error that names the field: one file in `fail/` for each.
//!
//! What the compiler prints around the derive's own words differs from version to version. So the whole of it
//! is compared on the version that the manifest names as `rust-version`; on any other, each file has to be
//! refused, and where the recorded error is in the derive's own words, with these. After a deliberate change,
//! or a new `rust-version`, `TRYBUILD=overwrite cargo test -p tickwire-protocol --test derive` records anew.

// Helpers of a test are no tests to clippy.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/derive/fail");
const NAME: &str = "misuse::misuse_is_a_compile_error_that_names_the_field";
/// Tells this test, run as a process of its own, where copies of the cases are.
const COPIES: &str = "TICKWIRE_MISUSE_COPIES";

#[test]
fn misuse_is_a_compile_error_that_names_the_field() {
    if let Some(copies) = env::var_os(COPIES) {
        trybuild::TestCases::new().compile_fail(Path::new(&copies).join("*.rs"));
    } else if is_recorded_compiler() {
        trybuild::TestCases::new().compile_fail("tests/derive/fail/*.rs");
    } else {
        compare_own_words();
    }
}

/// Whether the recorded output is that of this compiler.
fn is_recorded_compiler() -> bool {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().expect("rustc runs, for it built this");
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let recorded = concat!("rustc ", env!("CARGO_PKG_RUST_VERSION"), ".");
    // "1.95.0-nightly" is another compiler than 1.95.0.
    let number = version.split_whitespace().nth(1).unwrap_or_default();
    version.starts_with(recorded) && !number.contains('-')
}

/// Records what this compiler says of copies of the cases, in a process of its own because that is asked of
/// trybuild by an environment variable, and looks for the derive's words in it.
fn compare_own_words() {
    let copies = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("derive-misuse");
    let _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies).unwrap();
    let cases: Vec<PathBuf> = fs::read_dir(CASES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    assert!(!cases.is_empty());
    for case in &cases {
        fs::copy(case, copies.join(case.file_name().unwrap())).unwrap();
    }

    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(COPIES, &copies)
        .env("TRYBUILD", "overwrite")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "a case compiles, or does not run:\n{printed}");

    for case in &cases {
        let recorded = fs::read_to_string(case.with_extension("stderr")).unwrap();
        let copy = copies.join(case.file_name().unwrap()).with_extension("stderr");
        let said = fs::read_to_string(&copy).unwrap();
        for words in recorded.lines().filter_map(own_words) {
            assert!(said.contains(words), "{}: {words:?} is not in:\n{said}", case.display());
        }
    }
}

/// The part of an error's first line that is the derive's: from the name of what it is about.
fn own_words(line: &str) -> Option<&str> {
    let message = line.strip_prefix("error")?;
    let start = ["field `", "variant `"].iter().filter_map(|what| message.find(what)).min()?;
    Some(&message[start..])
}
