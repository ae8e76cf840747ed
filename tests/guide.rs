//! The guide shows the code that is compiled and tested.

use std::fs;
use tickwire_tests::repository;

/// The lines of all Rust blocks of a page, without empty ones.
fn shown(page: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut is_code = false;
    for line in page.lines() {
        match line {
            "```rust" => is_code = true,
            "```" => is_code = false,
            _ if is_code && !line.trim().is_empty() => lines.push(line),
            _ => {}
        }
    }
    lines
}

#[test]
fn write_your_own_game_shows_the_example_from_top_to_bottom() {
    let read = |path: &str| fs::read_to_string(repository().join(path)).expect("it is in the repository");
    let page = read("docs/guide/write-your-own-game.md");
    let example = read("server/examples/tag.rs");
    let code = example.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//!"));
    for (number, (shown, compiled)) in shown(&page).into_iter().zip(code.clone()).enumerate() {
        assert_eq!(shown, compiled, "line {} of the code", number + 1);
    }
    assert_eq!(shown(&page).len(), code.count(), "lines of code");
}
