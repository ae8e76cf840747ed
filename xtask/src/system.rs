//! Programs of the system: whether they are there, and how to get them.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Once;

use anyhow::bail;

use crate::command::Invocation;

/// Where a program is, as the shell would find it.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Makes sure that a program is there: root on Debian gets its package installed, others are told how to.
///
/// # Errors
/// If it is missing and could not be installed; the message names the command that would.
pub(crate) fn require(program: &str, debian_package: &str) -> anyhow::Result<()> {
    if find(program).is_some() {
        return Ok(());
    }
    if !Path::new("/etc/debian_version").exists() {
        bail!("`{program}` is missing: install it (on Debian: apt-get install {debian_package})");
    }
    if find("apt-get").is_none() || Invocation::new("id").arg("-u").read().as_deref() != Some("0") {
        bail!("`{program}` is missing: sudo apt-get install {debian_package}");
    }
    static LISTS_UPDATED: Once = Once::new();
    LISTS_UPDATED.call_once(|| {
        // Should this fail, the lists at hand may still do; the installation says so if not.
        let _ = Invocation::new("apt-get").words("update -qq").run();
    });
    Invocation::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .words("install -y -qq --no-install-recommends")
        .arg(debian_package)
        .run()?;
    if find(program).is_none() {
        bail!("the package {debian_package} is installed, but `{program}` is not in any folder of PATH");
    }
    Ok(())
}
