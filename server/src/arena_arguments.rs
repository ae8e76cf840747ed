//! What the command line says of the arena.

use anyhow::{Context, bail};
use clap::Args;
use std::path::{Path, PathBuf};
use tickwire_arena::ArenaConfig;
use tickwire_arena::level::{MapSource, check};

/// The settings of the arena.
#[derive(Args)]
pub(crate) struct ArenaArguments {
    /// A level to play instead of those in the box; several are played one after another.
    #[arg(long = "map", value_name = "FILE")]
    maps: Vec<PathBuf>,
}

impl ArenaArguments {
    /// The settings, with the levels read and checked.
    pub(crate) fn config(&self, players: u32) -> anyhow::Result<ArenaConfig> {
        let maps = self.maps.iter().map(|path| sound_map(path)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(ArenaConfig { maps, players })
    }
}

/// Reads the text of a level.
fn read_map(path: &Path) -> anyhow::Result<MapSource> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {file}"))?;
    Ok(MapSource { file, text })
}

/// Reads a level and refuses one that cannot be played.
fn sound_map(path: &Path) -> anyhow::Result<MapSource> {
    let source = read_map(path)?;
    let map = source.read().map_err(|error| anyhow::anyhow!("{}, {error}", source.file))?;
    if let Some(problem) = check(&map).first() {
        bail!("{}, {problem}", source.file);
    }
    Ok(source)
}
