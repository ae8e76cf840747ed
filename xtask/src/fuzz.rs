//! `cargo xtask fuzz`: each target of tests/fuzz under libFuzzer.
//!
//! What a run finds interesting is kept below the target folder and is taken up by the next run. The corpora
//! in the repository change only on request (`--merge`), so that a run leaves the work tree as it was.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::command::Invocation;
use crate::report::{Outcome, Report, StepResult};
use crate::{system, workspace};

/// What to fuzz, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Seconds for each target
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Afterwards, add to the corpora of the repository what reaches code that they do not
    #[arg(long)]
    merge: bool,
    /// The target; all of them if none is named
    target: Option<String>,
}

pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::new();
    let mut targets = Vec::new();
    let ready = report.step("fuzz tools", || {
        targets = choose(targets_of_repository()?, options.target.as_deref())?;
        require_tools()
    });
    if ready && report.step("fuzz build", build) {
        for target in &targets {
            report.step(&format!("fuzz {target}"), || fuzz(target, options));
        }
    }
    report.finish()
}

/// The names of the target files, in order.
fn targets_of_repository() -> anyhow::Result<Vec<String>> {
    let folder = workspace::root().join("tests/fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn choose(all: Vec<String>, wanted: Option<&str>) -> anyhow::Result<Vec<String>> {
    match wanted {
        None if all.is_empty() => bail!("tests/fuzz/fuzz_targets holds no target"),
        None => Ok(all),
        Some(name) if all.iter().any(|target| target == name) => Ok(vec![name.to_owned()]),
        Some(name) => bail!("no fuzz target `{name}`; there are: {}", all.join(", ")),
    }
}

fn require_tools() -> StepResult {
    if Invocation::cargo("+nightly --version").other_compiler().read().is_none() {
        bail!("fuzzing needs the nightly compiler: rustup toolchain install nightly");
    }
    // libFuzzer itself is C++.
    system::require("c++", "g++")?;
    if system::find("cargo-fuzz").is_none() {
        Invocation::cargo("install --locked cargo-fuzz").run()?;
        if system::find("cargo-fuzz").is_none() {
            bail!("cargo-fuzz is installed, but cargo's folder of programs is not in PATH");
        }
    }
    Ok(Outcome::Passed)
}

fn build() -> StepResult {
    cargo_fuzz("build").run()?;
    Ok(Outcome::Passed)
}

fn fuzz(target: &str, options: &Options) -> StepResult {
    let kept = workspace::target_dir().join("fuzz-corpus").join(target);
    let corpus = Path::new("tests/fuzz/corpus").join(target);
    fs::create_dir_all(&kept).with_context(|| format!("cannot create {}", kept.display()))?;
    // libFuzzer writes new inputs to the first folder and only reads the others.
    cargo_fuzz("run")
        .arg(target)
        .arg(&kept)
        .arg(&corpus)
        .words("-- -timeout=10 -print_final_stats=1")
        .arg(format!("-max_total_time={}", options.seconds))
        .run()?;
    if options.merge {
        cargo_fuzz("run").arg(target).arg(&corpus).arg(&kept).words("-- -merge=1").run()?;
    }
    Ok(Outcome::Passed)
}

fn cargo_fuzz(subcommand: &str) -> Invocation {
    Invocation::cargo("+nightly fuzz")
        .other_compiler()
        .arg(subcommand)
        .words("--fuzz-dir tests/fuzz --target-dir")
        .arg(fuzz_dir())
}

/// Compilers of different versions must not share a folder.
fn fuzz_dir() -> PathBuf {
    workspace::target_dir().join("fuzz")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_answered_with_the_known_ones() {
        let known = || vec!["a".to_owned(), "b".to_owned()];
        assert_eq!(choose(known(), None).unwrap(), ["a", "b"]);
        assert_eq!(choose(known(), Some("b")).unwrap(), ["b"]);
        let error = choose(known(), Some("c")).unwrap_err();
        assert_eq!(error.to_string(), "no fuzz target `c`; there are: a, b");
        assert!(choose(Vec::new(), None).is_err());
    }
}
