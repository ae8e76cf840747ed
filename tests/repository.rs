//! The repository keeps its own rules, as far as a test can read them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tickwire_tests::repository;
use toml::{Table, Value};

#[test]
fn every_dependency_has_its_line_of_reason() {
    let manifest: Table = read("Cargo.toml").parse().expect("cargo reads the same manifest");
    let declared: BTreeSet<String> = manifest["workspace"]["dependencies"]
        .as_table()
        .expect("the workspace has a table of dependencies")
        .iter()
        .filter(|(_, value)| value.get("path").is_none())
        .map(|(name, _)| name.clone())
        .collect();
    let page = read("ARCHITECTURE.md");
    let (_, section) = page.split_once("\n## Dependencies\n").expect("ARCHITECTURE.md has the section");
    let section = section.split("\n## ").next().unwrap_or_default();
    let reasoned: BTreeSet<String> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(str::to_owned)
        .collect();
    assert_eq!(reasoned, declared, "rows of ARCHITECTURE.md, and [workspace.dependencies]");
}

#[test]
fn every_member_inherits_its_versions() {
    for manifest in members() {
        let table: Table = read(&manifest).parse().expect("cargo reads the same manifest");
        for kind in KINDS {
            for (name, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                let inherited = value.get("workspace").and_then(Value::as_bool) == Some(true);
                assert!(inherited, "{manifest}: {name} should say workspace = true");
            }
        }
    }
}

#[test]
fn every_version_in_the_table_is_wanted() {
    let mut wanted = BTreeSet::new();
    for manifest in members() {
        let table: Table = read(&manifest).parse().expect("cargo reads the same manifest");
        for kind in KINDS {
            wanted
                .extend(table.get(kind).and_then(Value::as_table).into_iter().flat_map(Table::keys).cloned());
        }
    }
    let manifest: Table = read("Cargo.toml").parse().expect("cargo reads the same manifest");
    let table = manifest["workspace"]["dependencies"].as_table().expect("the workspace has a table");
    for name in table.keys() {
        assert!(wanted.contains(name), "no member uses {name}");
    }
}

#[test]
fn no_line_is_wider_than_110_columns() {
    // rustfmt keeps code within the width, but not comments.
    let mut wide = Vec::new();
    for path in files(&repository()) {
        if path.extension().is_some_and(|extension| extension == "rs" || extension == "toml") {
            let text = fs::read_to_string(&path).expect("the file was listed a moment ago");
            for (line, number) in text.lines().zip(1..) {
                if line.chars().count() > 110 {
                    wide.push(format!("{}:{number}", path.display()));
                }
            }
        }
    }
    assert!(wide.is_empty(), "lines of more than 110 columns:\n{}", wide.join("\n"));
}

#[test]
fn the_rules_of_determinism_are_the_same_everywhere() {
    // Clippy reads one file per crate and knows no way to include another.
    let rules = |path: &str| {
        let text = read(path);
        let (_, rules) = text.split_once("\nallow-unwrap").expect("the rules follow the comment");
        rules.to_owned()
    };
    assert_eq!(rules("arena/clippy.toml"), rules("shared-protocol/clippy.toml"));
}

/// The files below a folder that are ours: nothing that is hidden, built or installed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the folder is readable").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_file() {
            found.push(path);
        } else if !name.starts_with('.') && !["target", "node_modules", "corpus"].contains(&&*name) {
            found.extend(files(&path));
        }
    }
    found
}

fn members() -> Vec<String> {
    let manifest: Table = read("Cargo.toml").parse().expect("cargo reads the same manifest");
    let members = manifest["workspace"]["members"].as_array().expect("the workspace lists its members");
    let folders = members.iter().map(|member| member.as_str().expect("a member is a folder"));
    folders.map(|folder| format!("{folder}/Cargo.toml")).collect()
}

fn read(path: &str) -> String {
    let path = repository().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
