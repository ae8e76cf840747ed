//! The kinds that the fuzz targets of the codec code: every quantisation, every predictor, small and large.

use std::sync::LazyLock;

use glam::{Quat, Vec2, Vec3};
use tickwire_protocol::Replicate;
use tickwire_protocol::delta::DeltaCodec;
use tickwire_protocol::schema::Schema;
use tickwire_protocol::time::Micros;

/// A kind with many lanes: everything that a field can be.
#[derive(Debug, Default, Replicate)]
pub struct Rich {
    /// A segment in space.
    #[replicate(ranged(min = -500.0, max = 500.0, step = 0.05), velocity = velocity)]
    pub position: Vec3,
    /// Its velocity, of which zero is not on the grid of the last axis.
    #[replicate(ranged(min = [-60.0, -60.0, -60.03], max = 60.0, step = 0.04))]
    pub velocity: Vec3,
    /// A segment that wraps around.
    #[replicate(angle(steps = 4096), velocity = spin)]
    pub heading: f32,
    /// Its velocity.
    #[replicate(ranged(min = -40.0, max = 40.0, step = 0.01))]
    pub spin: f32,
    /// A rotation that is extrapolated.
    #[replicate(quat(bits = 11), predict = linear)]
    pub rotation: Quat,
    /// A rotation that is held.
    #[replicate(quat(bits = 4))]
    pub pose: Quat,
    /// An angle that is extrapolated, with an odd number of parts.
    #[replicate(angle(steps = 1001), predict = linear)]
    pub aim: f32,
    /// A vector that is extrapolated.
    #[replicate(ranged(min = -8.0, max = 8.0, step = 0.001), predict = linear)]
    pub offset: Vec2,
    /// An integer of the largest range.
    #[replicate(int(min = -1, max = 1_073_741_822), predict = linear)]
    pub counter: i32,
    /// An integer of many values that is held.
    pub hp: u8,
    /// An integer of few values.
    #[replicate(int(min = 3, max = 12))]
    pub level: u8,
    /// An enum.
    pub team: Team,
    /// A boolean.
    pub alive: bool,
}

/// A small kind, as most are.
#[derive(Debug, Default, Replicate)]
pub struct Walker {
    /// A segment in the plane.
    #[replicate(ranged(min = -100.0, max = 100.0, step = 0.1), velocity = velocity)]
    pub position: Vec2,
    /// Its velocity.
    #[replicate(ranged(min = -10.0, max = 10.0, step = 0.02))]
    pub velocity: Vec2,
    /// Where it looks.
    #[replicate(angle(steps = 628))]
    pub angle: f32,
    /// Its health.
    pub hp: u8,
    /// A boolean.
    pub alive: bool,
}

/// A kind of few lanes whose tables are short.
#[derive(Debug, Default, Replicate)]
pub struct Door {
    /// How far it is open.
    #[replicate(ranged(min = 0.0, max = 1.0, step = 0.01), predict = linear)]
    pub open: f32,
    /// An enum.
    pub team: Team,
    /// A boolean.
    pub locked: bool,
}

/// A kind that is nothing but its presence.
#[derive(Debug, Default, Replicate)]
pub struct Marker;

/// A small enum.
#[derive(Clone, Copy, Debug, Default, Replicate)]
pub enum Team {
    /// The first variant.
    #[default]
    Red,
    /// The second.
    Blue,
    /// The third.
    Green,
}

/// The schema of all these kinds.
pub static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let kinds = vec![Rich::kind(), Walker::kind(), Door::kind(), Marker::kind()];
    Schema::new(kinds).expect("the derive yields valid kinds")
});

/// The schema of the door alone.
pub static DOOR: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(vec![Door::kind()]).expect("the derive yields valid kinds"));

/// Codes [`SCHEMA`] with its default tables at 30 Hz.
pub static CODEC: LazyLock<DeltaCodec> = LazyLock::new(|| DeltaCodec::new(&SCHEMA, Micros::period_of(30)));
