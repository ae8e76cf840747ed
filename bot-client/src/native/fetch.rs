//! Fetching the level of a room, again and again until it is there.

use super::address::{Address, AddressError};
use super::connection::{Heard, Report};
use super::dial::{ConnectError, Dialer};
use crate::level::{FetchError, fetch_over};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tickwire_protocol::game::{Level, LevelError, LevelId, LoadedLevel};
use tickwire_protocol::message::{LevelInfo, LevelSource};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Why a level is not there.
#[derive(Debug, Error)]
pub enum LevelProblem {
    /// It is a part of the game, and this program was not given it.
    #[error("the level {0:?} is not in this program")]
    BuiltIn(String),
    /// Where it is said to be is no address.
    #[error("the level: {0}")]
    Address(#[from] AddressError),
    /// The server that has it cannot be reached.
    #[error("the level: {0}")]
    Connect(#[from] ConnectError),
    /// It could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// It cannot be read.
    #[error("the level: {0}")]
    Malformed(#[from] LevelError),
    /// What came is another level.
    #[error("the level: what came is another one")]
    Other,
}

/// What waits before the second attempt; twice as long each time after.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// How long an attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Fetches a level and hands it over. What goes wrong is told, and tried again.
pub(super) async fn fetch_level<L: Level>(
    dialer: Arc<Dialer>,
    info: LevelInfo,
    reports: mpsc::Sender<Heard<L>>,
) {
    let mut wait = FIRST_WAIT;
    loop {
        let attempt = tokio::time::timeout(PATIENCE, attempt(&dialer, &info));
        let level = attempt.await.unwrap_or(Err(LevelProblem::Fetch(FetchError::Late)));
        let is_final = matches!(level, Ok(_) | Err(LevelProblem::BuiltIn(_) | LevelProblem::Address(_)));
        let report = level.map_or_else(Report::NoLevel, Report::Level);
        if reports.send(Heard { at: Instant::now(), report }).await.is_err() || is_final {
            return;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn attempt<L: Level>(dialer: &Dialer, info: &LevelInfo) -> Result<LoadedLevel<L>, LevelProblem> {
    let place = match &info.source {
        LevelSource::BuiltIn(name) => return Err(LevelProblem::BuiltIn(name.as_str().to_owned())),
        LevelSource::Fetch(place) => place.as_str(),
    };
    let address = if place.starts_with('/') { dialer.address().at(place) } else { Address::of_file(place)? };
    let stream = dialer.stream(&address).await?;
    let content = fetch_over(stream, &address.authority, &address.path).await?;
    let level = LoadedLevel::<L>::parse(content)?;
    if level.id() == LevelId(info.content_hash) { Ok(level) } else { Err(LevelProblem::Other) }
}
