//! What the command line says of the arena.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use tickwire_arena::ArenaConfig;
use tickwire_arena::level::{MAX_PLAYERS, MapSource, check};

/// The settings of the arena.
#[derive(Args)]
pub(crate) struct ArenaArguments {
    /// A level to play instead of those in the box; several are played one after another.
    #[arg(long = "map", value_name = "FILE")]
    maps: Vec<PathBuf>,
    /// As long as an arena has fewer players, NPCs fill it up to so many; they give way to people. 0 for
    /// none.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 6,
        value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_PLAYERS))
    )]
    npcs: u32,
    /// Two teams in the arena instead of everybody for themselves.
    #[arg(long)]
    teams: bool,
    /// How long a round in the arena is.
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 300,
        value_parser = clap::value_parser!(u32).range(10..=3600)
    )]
    round_seconds: u32,
    /// Kills of a player, or of a team, that end a round before its time; 0 for none.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=65535)
    )]
    score_limit: u32,
}

/// What can be done with levels.
#[derive(Subcommand)]
pub(crate) enum MapsCommand {
    /// Looks for mistakes in levels: bad glyphs, open borders, places that nobody can get to. Ends with 1 if
    /// there are any.
    Check {
        /// The levels; without any, those in the box.
        files: Vec<PathBuf>,
    },
}

impl ArenaArguments {
    /// The settings, with the levels read and checked.
    pub(crate) fn config(&self, players: u32) -> anyhow::Result<ArenaConfig> {
        // The arena has no room for more, whatever the others have.
        let players = players.min(MAX_PLAYERS);
        let maps = self.maps.iter().map(|path| sound_map(path)).collect::<anyhow::Result<Vec<_>>>()?;
        Ok(ArenaConfig {
            maps,
            players,
            npcs: self.npcs,
            teams: self.teams,
            round_seconds: self.round_seconds,
            score_limit: self.score_limit,
        })
    }
}

impl MapsCommand {
    /// Does it. True if all is well.
    pub(crate) fn run(&self) -> anyhow::Result<bool> {
        let MapsCommand::Check { files } = self;
        let sources = files.iter().map(|path| read_map(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let sources = if files.is_empty() { MapSource::built_in() } else { sources };
        let mut is_well = true;
        for source in &sources {
            let problems = match source.read() {
                Ok(map) => {
                    let problems = check(&map);
                    if problems.is_empty() {
                        let (width, height) = map.size();
                        let players = map.players();
                        let (least, most) = (players.start(), players.end());
                        println!(
                            "{}: sound; {width} by {height} tiles, {least} to {most} players",
                            source.file
                        );
                    }
                    problems.iter().map(ToString::to_string).collect()
                }
                Err(error) => vec![error.to_string()],
            };
            is_well &= problems.is_empty();
            problems.iter().for_each(|problem| eprintln!("{}, {problem}", source.file));
        }
        Ok(is_well)
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
