//! `cargo xtask web`: the package for web pages, from Rust and JavaScript.
//!
//! The result lies in `assets/web/pkg`, which is part of the repository: whoever builds the server needs no
//! toolchain for WebAssembly. So it can be stale, and the test command looks whether it is. The binary
//! depends on the compiler; where another one is at hand than it was made with, the sources are compared
//! instead.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::report::{Outcome, Report, StepResult};
use crate::wasm::{self, Toolchain};
use crate::workspace;

/// Where the package is kept.
const PACKAGE: &str = "assets/web/pkg";

/// What is written by hand, and copied.
const SCRIPTS: &str = "browser-client/js";

/// The games that the package comes with: the crate's library, and the module's name.
const GAMES: &[(&str, &str, &str)] = &[("tickwire-arena-web", "tickwire_arena_web", "arena")];

/// What the modules are made of.
const SOURCES: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "arena/Cargo.toml",
    "arena/src",
    "assets/maps",
    "browser-client/Cargo.toml",
    "browser-client/arena",
    "browser-client/src",
    "shared-protocol/Cargo.toml",
    "shared-protocol/derive/Cargo.toml",
    "shared-protocol/derive/src",
    "shared-protocol/src",
];

/// Says what the package was made with and of.
const STAMP: &str = "built-with.json";

/// Pages fetch it whole, compressed as the server does it: 150 KB.
const MOST_FETCHED_BYTES: usize = 150 * 1024;

/// The files of a package by name.
type Files = BTreeMap<String, Vec<u8>>;

/// Makes the package, and puts it where it is kept.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::new();
    report.step("web package", || {
        let Some(toolchain) = Toolchain::find()? else {
            bail!("{}", wasm::without_toolchain());
        };
        let files = make(&toolchain)?;
        let folder = workspace::root().join(PACKAGE);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
        }
        fs::create_dir_all(&folder)?;
        for (name, content) in &files {
            fs::write(folder.join(name), content).with_context(|| format!("cannot write {name}"))?;
            println!("    {PACKAGE}/{name}: {} bytes", content.len());
        }
        Ok(Outcome::Passed)
    });
    report.finish()
}

/// Adds the step that fails when the package is stale.
pub(crate) fn check(report: &mut Report) {
    report.step("web package", is_fresh);
}

fn is_fresh() -> StepResult {
    let kept = read_folder(&workspace::root().join(PACKAGE))?;
    let stale =
        |what: &str| anyhow::anyhow!("{PACKAGE} is stale: {what}; run `cargo xtask web` and commit it");
    for (name, content) in read_folder(&workspace::root().join(SCRIPTS))? {
        if kept.get(&name) != Some(&content) {
            return Err(stale(&format!("{name} is another in {SCRIPTS}")));
        }
    }
    let stamp: Stamp = kept
        .get(STAMP)
        .and_then(|content| Stamp::read(content))
        .ok_or_else(|| stale(&format!("there is no {STAMP}")))?;
    let toolchain = Toolchain::find()?;
    let compiler = toolchain.as_ref().map(Toolchain::compiler).transpose()?;
    match toolchain {
        Some(toolchain) if compiler.as_deref() == Some(&stamp.compiler) => {
            let made = make(&toolchain)?;
            for (name, content) in &made {
                if name != STAMP && kept.get(name) != Some(content) {
                    return Err(stale(&format!("{name} is another when it is made anew")));
                }
            }
            Ok(Outcome::Passed)
        }
        _ if sources()? == stamp.sources => Ok(Outcome::Passed),
        _ => Err(stale("its sources have changed since")),
    }
}

/// What the package was made with and of.
struct Stamp {
    compiler: String,
    sources: String,
}

impl Stamp {
    /// Lines of JSON that are always alike, so that no parser is needed.
    fn write(&self) -> Vec<u8> {
        format!("{{\n  \"compiler\": \"{}\",\n  \"sources\": \"{}\"\n}}\n", self.compiler, self.sources)
            .into()
    }

    fn read(content: &[u8]) -> Option<Stamp> {
        let text = std::str::from_utf8(content).ok()?;
        let value = |name: &str| {
            let (_, rest) = text.split_once(&format!("\"{name}\": \""))?;
            Some(rest.split_once('"')?.0.to_owned())
        };
        Some(Stamp { compiler: value("compiler")?, sources: value("sources")? })
    }
}

/// Makes the package.
fn make(toolchain: &Toolchain) -> anyhow::Result<Files> {
    let target_dir = workspace::target_dir().join("web");
    let mut build = toolchain.cargo("build").words("--profile web --locked --target-dir").arg(&target_dir);
    for (package, ..) in GAMES {
        build = build.arg("-p").arg(package);
    }
    // Without the places in the sources that panics come from, a comment changes no binary, and it is
    // smaller. The flag is for the binary alone, so that it does no harm that it is no stable one.
    let build = build.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zlocation-detail=none");
    build.env("CARGO_INCREMENTAL", "0").run()?;
    let mut files = read_folder(&workspace::root().join(SCRIPTS))?;
    for (_, library, module) in GAMES {
        let built = target_dir.join(wasm::TARGET).join("web").join(format!("{library}.wasm"));
        bind(&built, module, &mut files)?;
    }
    let stamp = Stamp { compiler: toolchain.compiler()?, sources: sources()? };
    files.insert(STAMP.to_owned(), stamp.write());
    Ok(files)
}

/// Makes JavaScript around a module.
fn bind(built: &Path, module: &str, files: &mut Files) -> anyhow::Result<()> {
    let mut output = Bindgen::new()
        .input_path(built)
        .web(true)
        .and_then(|bindgen| {
            bindgen.typescript(true).omit_default_module_path(false).out_name(module);
            bindgen.remove_name_section(true).remove_producers_section(true);
            bindgen.generate_output()
        })
        .with_context(|| format!("no JavaScript can be made around {}", built.display()))?;
    let code = output.wasm_mut().emit_wasm();
    let fetched = gzipped_length(&code)?;
    println!("    {module}: {} bytes of WebAssembly, {fetched} compressed", code.len());
    if fetched > MOST_FETCHED_BYTES {
        bail!("{module} takes {fetched} bytes to be fetched, and at most {MOST_FETCHED_BYTES} are allowed");
    }
    files.insert(format!("{module}_bg.wasm"), code);
    files.insert(format!("{module}.js"), output.js().as_bytes().to_vec());
    if let Some(types) = output.ts() {
        files.insert(format!("{module}.d.ts"), types.as_bytes().to_vec());
    }
    Ok(())
}

fn gzipped_length(code: &[u8]) -> anyhow::Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(code)?;
    Ok(encoder.finish()?.len())
}

/// The hash of all sources, by their names and contents.
fn sources() -> anyhow::Result<String> {
    let mut paths = Vec::new();
    for source in SOURCES {
        collect(&workspace::root().join(source), &mut paths)?;
    }
    paths.sort();
    let mut hash = Sha256::new();
    for path in paths {
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.strip_prefix(workspace::root()).unwrap_or(&path);
        hash.update(name.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(path: &Path, paths: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if !path.is_dir() {
        paths.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        collect(&entry?.path(), paths)?;
    }
    Ok(())
}

/// The files of a folder, which has no folders in it.
fn read_folder(folder: &Path) -> anyhow::Result<Files> {
    let mut paths = Vec::new();
    collect(folder, &mut paths)?;
    let named = paths.into_iter().map(|path| {
        let name = path.file_name().and_then(OsStr::to_str).context("a name that is not UTF-8")?.to_owned();
        Ok((name, fs::read(&path)?))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        let stamp = Stamp { compiler: "rustc 1.2.3 (abc 2026-01-02)".to_owned(), sources: "0f".to_owned() };
        let read = Stamp::read(&stamp.write()).unwrap();
        assert_eq!((read.compiler, read.sources), (stamp.compiler, stamp.sources));
        assert!(Stamp::read(b"{}").is_none());
    }
}
