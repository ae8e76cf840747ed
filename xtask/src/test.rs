//! `cargo xtask test`: the one command that says whether the tree is good.

use std::process::ExitCode;

use crate::command::Invocation;
use crate::report::{Outcome, Report, StepResult};
use crate::{browser, system, wasm, web};

pub(crate) fn run() -> ExitCode {
    let mut report = Report::new();
    report.step("format", format);
    report.step("clippy", || passed(&Invocation::cargo("clippy --workspace --all-targets -- -D warnings")));
    report.step("tests", || passed(&Invocation::cargo("test --workspace --no-fail-fast")));
    report.step("docs", || {
        passed(&Invocation::cargo("doc --workspace --no-deps").env("RUSTDOCFLAGS", "-Dwarnings"))
    });
    report.step("server without the arena", without_arena);
    // `tests` has replayed them among the others; here each corpus is named, with what was replayed.
    report.step("fuzz corpora", || {
        passed(&Invocation::cargo("test --quiet --workspace --test fuzz_corpus -- --nocapture"))
    });
    wasm::steps(&mut report);
    web::check(&mut report);
    browser::steps(&mut report);
    report.step("cargo-deny", dependencies);
    report.finish()
}

fn format() -> StepResult {
    Invocation::cargo("fmt --all --check").run()?;
    // The fuzz crate is no member of the workspace.
    Invocation::cargo("fmt --manifest-path tests/fuzz/Cargo.toml --check").run()?;
    Ok(Outcome::Passed)
}

/// The framework knows none of its games: without the feature, the server is built without the one in the
/// box.
fn without_arena() -> StepResult {
    let tree = Invocation::cargo("tree -p tickwire-server --no-default-features -e normal --prefix none");
    let tree = tree.read().ok_or_else(|| anyhow::anyhow!("`{tree}` fails"))?;
    if !tree.contains("tickwire-server") || tree.contains("tickwire-arena") {
        anyhow::bail!("without its default features the server still depends on the arena");
    }
    passed(&Invocation::cargo("check -p tickwire-server --no-default-features"))
}

/// Licences, bans and sources. Advisories change without us and need the network: public CI asks for them.
fn dependencies() -> StepResult {
    if system::find("cargo-deny").is_none() {
        let reason = "cargo-deny is not installed (cargo install --locked cargo-deny)";
        return Ok(Outcome::Skipped(reason.to_owned()));
    }
    passed(&Invocation::cargo("deny --workspace check licenses bans sources"))
}

fn passed(invocation: &Invocation) -> StepResult {
    invocation.run()?;
    Ok(Outcome::Passed)
}
