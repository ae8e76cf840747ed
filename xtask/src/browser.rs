//! `cargo xtask browser`: the arena's page in headless Chromium, against the real server.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::command::Invocation;
use crate::report::{Outcome, Report, StepResult};
use crate::{system, workspace};

/// Drives Chromium. It is no part of the repository, and put where builds go.
const PLAYWRIGHT: &str = "playwright-core@1.65.1";

/// Plays.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::new();
    report.step("browser", play);
    report.finish()
}

fn play() -> StepResult {
    system::require("node", "nodejs")?;
    let chromium = ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(system::find);
    let chromium = match chromium {
        Some(chromium) => chromium,
        None => {
            system::require("chromium", "chromium")?;
            PathBuf::from("chromium")
        }
    };
    let playwright = playwright()?;
    Invocation::cargo("build --quiet -p tickwire-server --bin tickwire").run()?;
    Invocation::new("node")
        .arg("tests/browser/arena.mjs")
        .arg(workspace::target_dir().join("debug").join(format!("tickwire{}", std::env::consts::EXE_SUFFIX)))
        .arg(chromium)
        .arg(playwright)
        .arg(workspace::target_dir().join("screenshots"))
        .run()?;
    Ok(Outcome::Passed)
}

/// Where playwright-core is; it is fetched if it is not there.
fn playwright() -> anyhow::Result<PathBuf> {
    let folder = workspace::target_dir().join("browser");
    let module = folder.join("node_modules/playwright-core");
    let version = PLAYWRIGHT.rsplit('@').next().unwrap_or_default();
    let manifest = std::fs::read_to_string(module.join("package.json")).unwrap_or_default();
    if !manifest.contains(&format!("\"version\": \"{version}\"")) {
        system::require("npm", "npm")?;
        Invocation::new("npm")
            .words("install --silent --no-audit --no-fund --no-save --prefix")
            .arg(&folder)
            .arg(PLAYWRIGHT)
            .run()?;
    }
    Ok(module)
}
