//! `tickwire maps check`: what it says, and how it ends.
#![cfg(feature = "arena")]

use std::fs;
use std::process::Command;

/// Runs the command, and gives its exit code, what it printed, and what it complained about.
fn check(files: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tickwire")).args(["maps", "check"]).args(files).output();
    let output = output.expect("the program has been built for this test");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_levels_in_the_box_are_sound() {
    let (code, out, complaints) = check(&[]);
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
    assert_eq!(out.lines().count(), 3);
    assert!(out.contains("foundry.txt: sound; 48 by 28 tiles, 2 to 16 players"), "{out}");
}

#[test]
fn mistakes_are_named_with_file_line_and_column() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).expect("the folder is for this");
        path.display().to_string()
    };
    let head = "name: Yard\nplayers: 2-2\n\n";
    let sound =
        "##########\n#r......b#\n#........#\n#........#\n#........#\n#........#\n#........#\n##########\n";
    let good = file("good.txt", &format!("{head}{sound}"));
    let open = file("open.txt", &format!("{head}{}", sound.replacen("#r", ".r", 1)));
    let glyph = file("glyph.txt", &format!("{head}{}", sound.replacen("#r.", "#r?", 1)));
    let (code, out, complaints) = check(&[&good, &open, &glyph]);
    assert_eq!(code, Some(1));
    assert_eq!(out, format!("{good}: sound; 10 by 8 tiles, 2 to 2 players\n"));
    assert_eq!(
        complaints,
        format!(
            "{open}, line 5, column 1: the border is open: it must be wall\n\
             {glyph}, line 5, column 3: `?` is no place of a level\n"
        )
    );
    let (code, _, complaints) = check(&["no/such/file.txt"]);
    assert_eq!(code, Some(2), "{complaints}");
    assert!(complaints.contains("no/such/file.txt"));
}
