//! A player of the arena in a terminal: walks about, says where it is and who is near, and leaves on Ctrl-C.
//! A native game can start from here: it reads a keyboard instead of `Walk`, and draws instead of printing.
//!
//! ```sh
//! cargo run --release -p tickwire-bot --example native -- ws://127.0.0.1:7777 --seconds 10
//! ```

use anyhow::Context;
use clap::Parser;
use glam::Vec2;
use std::path::PathBuf;
use std::time::Duration;
use tickwire_arena::entities::FIGURE;
use tickwire_arena::{Arena, ArenaEvent, ArenaInput};
use tickwire_bot::native::{Player, PlayerEvent, PlayerOptions, Trust};
use tickwire_protocol::client::{ClientEvent, Scene};
use tickwire_protocol::message::{RoomCode, RoomId, RoomWish};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// Walks in the arena.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// The server, as ws:// or wss://.
    url: String,
    /// What the player is called.
    #[arg(long, default_value = "Wanderer")]
    name: String,
    /// The id of a public room; without it, any room.
    #[arg(long)]
    room: Option<u32>,
    /// The code of a private room.
    #[arg(long, conflicts_with = "room", value_parser = RoomCode::parse)]
    code: Option<RoomCode>,
    /// A certificate (PEM) to trust beside those that this machine does.
    #[arg(long)]
    certificate: Option<PathBuf>,
    /// Leaves after this time.
    #[arg(long)]
    seconds: Option<f32>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    play(Arguments::parse(), &mut |line| println!("{line}")).await
}

/// Plays until the time is up, Ctrl-C is pressed, or the server wants it no more.
pub(crate) async fn play(arguments: Arguments, print: &mut impl FnMut(String)) -> anyhow::Result<()> {
    let mut options = PlayerOptions::new(&arguments.name);
    if let Some(file) = &arguments.certificate {
        let pem = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        options.trust = Trust::system().and_pem(&pem)?;
    }
    options.room = match (arguments.room, arguments.code) {
        (Some(id), _) => RoomWish::Room(RoomId(id)),
        (None, Some(code)) => RoomWish::Code(code),
        (None, None) => RoomWish::QuickPlay,
    };
    let mut player = Player::<Arena>::connect(&arguments.url, options)?;
    let mut walk = Walk::default();
    // As often as a screen is drawn. Frames that were missed are not made up for.
    let mut frame = interval(Duration::from_millis(16));
    frame.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut said = Instant::now();
    let time_is_up = async {
        match arguments.seconds {
            Some(seconds) => sleep(Duration::from_secs_f32(seconds.clamp(0.0, 1e6))).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(time_is_up);
    loop {
        tokio::select! {
            event = player.next_event() => match event {
                Some(PlayerEvent::Trouble(trouble)) => print(trouble.to_string()),
                Some(PlayerEvent::Client(event)) => {
                    if let Some(line) = describe(&event) {
                        print(line);
                    }
                }
                // The server has ended it, and said why.
                None => return Ok(()),
            },
            _ = frame.tick() => {
                player.set_input(&walk.next_input(player.client().avatar().map(|avatar| avatar.position)))?;
                let scene = player.view();
                if said.elapsed() >= Duration::from_secs(1) {
                    said = Instant::now();
                    print(draw(&scene));
                }
            }
            () = &mut time_is_up => break,
            pressed = tokio::signal::ctrl_c() => break pressed?,
        }
    }
    player.leave().await?;
    print("left".to_owned());
    Ok(())
}

/// Walks straight on until it gets no further.
#[derive(Default)]
struct Walk {
    heading: f32,
    last: Option<Vec2>,
    stood: u32,
}

impl Walk {
    fn next_input(&mut self, position: Option<Vec2>) -> ArenaInput {
        let moved = self.last.zip(position).map(|(last, now)| now.distance(last));
        self.last = position;
        self.stood = if moved.is_some_and(|moved| moved < 0.01) { self.stood + 1 } else { 0 };
        if self.stood > 10 {
            (self.heading, self.stood) = (self.heading + 2.4, 0);
        }
        ArenaInput { way: Vec2::from_angle(self.heading), aim: self.heading, ..ArenaInput::default() }
    }
}

/// The scene in a line.
fn draw(scene: &Scene<'_, Arena>) -> String {
    let Some(own) = scene.avatar else { return format!("{:?}", scene.state) };
    let mut near: Vec<_> = scene
        .entities
        .clone()
        .filter_map(|entity| entity.get(FIGURE))
        .map(|figure| (figure.position.distance(own.position), figure.player))
        .collect();
    near.sort_by(|one, other| one.0.total_cmp(&other.0));
    let near: Vec<_> = near.iter().map(|(away, player)| format!("player {player} at {away:.1}")).collect();
    let near = if near.is_empty() { "nobody".to_owned() } else { near.join(", ") };
    format!("at ({:.1}, {:.1}), health {}; near: {near}", own.position.x, own.position.y, own.health)
}

/// What a player would want to read.
fn describe(event: &ClientEvent<ArenaEvent>) -> Option<String> {
    match event {
        ClientEvent::Welcomed { resumed: true } => Some("back in the same player".to_owned()),
        ClientEvent::Welcomed { resumed: false } => Some("in the room".to_owned()),
        ClientEvent::Disconnected(end) => Some(format!("{end} Trying again.")),
        ClientEvent::Ended { end, text } => Some(format!("{end} {text}")),
        ClientEvent::Game(_, ArenaEvent::Said { player, text, .. }) => Some(format!("{}: {text}", player.0)),
        ClientEvent::Game(..) | ClientEvent::Notice(_) => None,
    }
}
