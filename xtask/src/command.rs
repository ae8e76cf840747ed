//! A child process that can say what it is, so that a failure can be repeated by hand.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fmt};

use anyhow::{Context as _, bail};

use crate::workspace;

/// A command to be run in the root of the workspace.
pub(crate) struct Invocation {
    program: OsString,
    arguments: Vec<OsString>,
    variables: Vec<(&'static str, OsString)>,
    output: Option<PathBuf>,
    other_compiler: bool,
}

impl Invocation {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
            variables: Vec::new(),
            output: None,
            other_compiler: false,
        }
    }

    /// The cargo that runs this program, with these arguments separated by blanks.
    pub(crate) fn cargo(arguments: &str) -> Self {
        Self::new("cargo").words(arguments)
    }

    /// Adds arguments that contain no blanks themselves.
    pub(crate) fn words(mut self, words: &str) -> Self {
        self.arguments.extend(words.split_whitespace().map(OsString::from));
        self
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args(mut self, arguments: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name, value.as_ref().to_owned()));
        self
    }

    /// Writes what the command prints to a file.
    pub(crate) fn output_to(mut self, file: impl Into<PathBuf>) -> Self {
        self.output = Some(file.into());
        self
    }

    /// Says that the command is, or chooses, another toolchain than the one that runs this program: nothing
    /// that names ours may reach it.
    pub(crate) fn other_compiler(mut self) -> Self {
        self.other_compiler = true;
        self
    }

    /// Prints the command, runs it, and fails with the line that repeats it.
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        println!("    {self}");
        let mut command = self.command();
        if let Some(path) = &self.output {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)
                    .with_context(|| format!("cannot create {}", folder.display()))?;
            }
            let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            command.stdout(file);
        }
        let status = command.status().with_context(|| format!("cannot start `{self}`"))?;
        if !status.success() {
            bail!("{status}; to repeat it: cd {} && {self}", quote(workspace::root().as_os_str()));
        }
        Ok(())
    }

    /// Runs the command in silence; its standard output if it succeeded.
    pub(crate) fn read(&self) -> Option<String> {
        let output = self.command().stderr(Stdio::null()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(workspace::root()).stdin(Stdio::null());
        // `cargo run` describes xtask to xtask. Build scripts that watch these would run for nothing.
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || SET_BY_CARGO_RUN.contains(&&*text) {
                command.env_remove(&name);
            }
        }
        if self.other_compiler {
            for name in NAMES_A_COMPILER {
                command.env_remove(name);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.variables {
            write!(f, "{name}={} ", quote(value))?;
        }
        write!(f, "{}", quote(&self.program))?;
        for argument in &self.arguments {
            write!(f, " {}", quote(argument))?;
        }
        if let Some(path) = &self.output {
            write!(f, " > {}", quote(path.as_os_str()))?;
        }
        Ok(())
    }
}

/// A word as a shell reads it back.
fn quote(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

const SET_BY_CARGO_RUN: &[&str] = &["CARGO", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "OUT_DIR"];

/// `cargo run` also puts our compiler's libraries into the search path of the linker.
const NAMES_A_COMPILER: &[&str] =
    &["RUSTC", "RUSTDOC", "RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER", "RUSTUP_TOOLCHAIN", "LD_LIBRARY_PATH"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_line_that_a_shell_would_run() {
        let invocation = Invocation::cargo("doc --no-deps")
            .env("RUSTDOCFLAGS", "-D warnings")
            .arg("it's")
            .arg("")
            .output_to("a/b.json");
        assert_eq!(
            invocation.to_string(),
            r"RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'it'\''s' '' > a/b.json"
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_failure_names_the_command() {
        let error = Invocation::new("false").words("as ever").run().unwrap_err();
        assert!(error.to_string().ends_with(" && false as ever"), "{error}");
        let error = Invocation::new("no-such-program").run().unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }
}
