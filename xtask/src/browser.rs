//! The JavaScript package under node, and the arena's page in headless Chromium, against the real server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::command::Invocation;
use crate::report::{Outcome, Report, StepResult};
use crate::{system, workspace};

/// Drives Chromium. It is no part of the repository, and put where builds go.
const PLAYWRIGHT: &str = "playwright-core@1.65.1";

/// The tests of the package.
const PACKAGE_TESTS: &[&str] =
    &["tests/browser/package/connecting.test.mjs", "tests/browser/package/playing.test.mjs"];

/// What is to be done with the browser.
#[derive(Args)]
pub(crate) struct Options {
    /// Measure what the page costs at 32 players, instead: takes three minutes a run
    #[arg(long)]
    profile: bool,
    /// Runs of that
    #[arg(long, default_value_t = 3, requires = "profile")]
    runs: u32,
    /// Seconds of each measurement in a run
    #[arg(long, default_value_t = 60, requires = "profile")]
    seconds: u32,
    /// Behaviours by their names, such as nothingIsCorrected; all by default
    behaviours: Vec<String>,
}

/// Plays, or measures.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut report = Report::new();
    if options.profile {
        report.step("browser profile", || {
            Invocation::cargo("build --release --quiet -p tickwire-server --bin tickwire").run()?;
            let arguments = [options.runs.to_string(), options.seconds.to_string()];
            drive("tests/browser/profile.mjs", "release", &arguments)
        });
        return report.finish();
    }
    if options.behaviours.is_empty() {
        steps(&mut report);
    } else {
        report.step("browser", || {
            build()?;
            drive("tests/browser/arena.mjs", "debug", &options.behaviours)
        });
    }
    report.finish()
}

/// Adds the steps. What cannot be had on this machine is skipped, and said.
pub(crate) fn steps(report: &mut Report) {
    report.step("web package under node", || {
        let Some(node) = node() else {
            return Ok(Outcome::Skipped("node 20 or later is neither there nor to be had".to_owned()));
        };
        build()?;
        let server = server("debug");
        node.arg("--test").args(PACKAGE_TESTS).env("TICKWIRE", server).run()?;
        Ok(Outcome::Passed)
    });
    report.step("browser", || {
        build()?;
        drive("tests/browser/arena.mjs", "debug", &[])
    });
}

fn build() -> anyhow::Result<()> {
    Invocation::cargo("build --quiet -p tickwire-server --bin tickwire").run()
}

fn server(profile: &str) -> PathBuf {
    workspace::target_dir().join(profile).join(format!("tickwire{}", std::env::consts::EXE_SUFFIX))
}

/// Node with a WebSocket, if there is node or can be.
fn node() -> Option<Invocation> {
    system::require("node", "nodejs").ok()?;
    let version = Invocation::new("node").arg("--version").read()?;
    let major: u32 = version.trim_start_matches('v').split('.').next()?.parse().ok()?;
    let node = Invocation::new("node");
    match major {
        0..20 => None,
        // From 22 on it is there without being asked for.
        20..22 => Some(node.arg("--experimental-websocket")),
        _ => Some(node),
    }
}

/// Runs a program that drives Chromium.
fn drive(program: &str, profile: &str, arguments: &[String]) -> StepResult {
    let chromium = match chromium() {
        Ok(chromium) => chromium,
        Err(error) => return Ok(Outcome::Skipped(format!("there is no Chromium: {error}"))),
    };
    if node().is_none() {
        return Ok(Outcome::Skipped("node 20 or later is neither there nor to be had".to_owned()));
    }
    let playwright = match playwright() {
        Ok(playwright) => playwright,
        Err(error) => return Ok(Outcome::Skipped(format!("there is no {PLAYWRIGHT}: {error}"))),
    };
    Invocation::new("node")
        .arg(program)
        .arg(server(profile))
        .arg(chromium)
        .arg(playwright)
        .arg(workspace::target_dir().join("screenshots"))
        .args(arguments)
        .run()?;
    Ok(Outcome::Passed)
}

/// Chromium, which is installed where that can be done.
fn chromium() -> anyhow::Result<PathBuf> {
    let found = || ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(system::find);
    if let Some(chromium) = found() {
        return Ok(chromium);
    }
    system::require("chromium", "chromium")?;
    Ok(found().unwrap_or_else(|| PathBuf::from("chromium")))
}

/// Where playwright-core is; it is fetched if it is not there.
fn playwright() -> anyhow::Result<PathBuf> {
    let folder = workspace::target_dir().join("browser");
    let module = folder.join("node_modules/playwright-core");
    if !is_playwright(&module) {
        system::require("npm", "npm")?;
        Invocation::new("npm")
            .words("install --silent --no-audit --no-fund --no-save --prefix")
            .arg(&folder)
            .arg(PLAYWRIGHT)
            .run()?;
    }
    Ok(module)
}

fn is_playwright(module: &Path) -> bool {
    let version = PLAYWRIGHT.rsplit('@').next().unwrap_or_default();
    let manifest = std::fs::read_to_string(module.join("package.json")).unwrap_or_default();
    manifest.contains(&format!("\"version\": \"{version}\""))
}
