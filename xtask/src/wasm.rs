//! The WebAssembly steps: the protocol builds for the browser, and computes there what it computes here.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::command::Invocation;
use crate::report::{Outcome, Report, StepResult};
use crate::{system, workspace};

/// Names a cargo that builds for WebAssembly by itself, for machines whose own toolchain lacks the target.
const CARGO_VARIABLE: &str = "TICKWIRE_WASM_CARGO";

pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Adds the steps that take minutes.
pub(crate) fn soak(report: &mut Report) {
    report.step("wasm soak", || {
        let Some(toolchain) = Toolchain::find()? else { return Ok(Outcome::Skipped(without_toolchain())) };
        let module = build(&toolchain)?;
        compare(&module, "native-soak.json", "--soak")
    });
}

/// What can build for WebAssembly.
pub(crate) enum Toolchain {
    /// The usual cargo, told the target.
    Plain,
    /// The cargo named by the environment, which adds the target itself.
    Named(PathBuf),
}

/// Adds the steps; without a toolchain they are skipped.
pub(crate) fn steps(report: &mut Report) {
    let mut built = None;
    report.step("wasm build", || {
        let Some(toolchain) = Toolchain::find()? else {
            return Ok(Outcome::Skipped(without_toolchain()));
        };
        built = Some(build(&toolchain)?);
        Ok(Outcome::Passed)
    });
    report.step("wasm tests", || match &built {
        Some(module) => test(module),
        None => Ok(Outcome::Skipped("nothing was built for WebAssembly".to_owned())),
    });
}

impl Toolchain {
    /// The one that is to be used, if there is any.
    pub(crate) fn find() -> anyhow::Result<Option<Self>> {
        if let Some(cargo) = env::var_os(CARGO_VARIABLE).filter(|value| !value.is_empty()) {
            let cargo = PathBuf::from(cargo);
            if !cargo.is_file() {
                bail!("{CARGO_VARIABLE} names {}, which is no file", cargo.display());
            }
            return Ok(Some(Self::Named(cargo)));
        }
        // rustc knows where the target's standard library would be, whether or not it is installed.
        let library = Invocation::new("rustc").words("--print target-libdir --target").arg(TARGET).read();
        Ok(library.filter(|folder| Path::new(folder).is_dir()).map(|_| Self::Plain))
    }

    /// A cargo subcommand for the target.
    pub(crate) fn cargo(&self, subcommand: &str) -> Invocation {
        match self {
            Self::Plain => Invocation::cargo(subcommand).arg("--target").arg(TARGET),
            Self::Named(cargo) => Invocation::new(cargo).arg(subcommand).other_compiler(),
        }
    }

    /// What compiles, by its version.
    pub(crate) fn compiler(&self) -> anyhow::Result<String> {
        let rustc = match self {
            Self::Plain => Invocation::new("rustc"),
            // It lies beside the cargo that is named.
            Self::Named(cargo) => Invocation::new(cargo.with_file_name("rustc")).other_compiler(),
        };
        rustc.words("--version").read().context("the compiler does not tell its version")
    }
}

/// Builds the protocol and its tests; the path of the test module.
fn build(toolchain: &Toolchain) -> anyhow::Result<PathBuf> {
    let target_dir = wasm_dir();
    toolchain
        .cargo("build")
        .words("--release --lib -p tickwire-protocol -p tickwire-wasm-tests --target-dir")
        .arg(&target_dir)
        .run()?;
    let module = target_dir.join(TARGET).join("release/tickwire_wasm_tests.wasm");
    if !module.is_file() {
        bail!("the build succeeded, but left no {}", module.display());
    }
    Ok(module)
}

pub(crate) fn without_toolchain() -> String {
    format!("no toolchain for {TARGET} (rustup target add {TARGET}, or set {CARGO_VARIABLE})")
}

fn test(module: &Path) -> StepResult {
    compare(module, "native.json", "")
}

/// Runs the same computation natively and under node, and lets the script compare.
fn compare(module: &Path, results: &str, option: &str) -> StepResult {
    system::require("node", "nodejs")?;
    let native = wasm_dir().join(results);
    let here = Invocation::cargo("run --quiet --release -p tickwire-wasm-tests --bin native --");
    here.words(option).output_to(&native).run()?;
    Invocation::new("node").arg("tests/wasm/run.mjs").arg(module).arg(&native).words(option).run()?;
    Ok(Outcome::Passed)
}

/// Compilers of different versions must not share a folder.
fn wasm_dir() -> PathBuf {
    workspace::target_dir().join("wasm")
}
