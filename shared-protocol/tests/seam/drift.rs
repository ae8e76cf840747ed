//! A game that does not predict: buoys drift as all that their players sent in a tick says.

use glam::Vec2;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tickwire_protocol::Replicate;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::game::*;
use tickwire_protocol::id::{EntityIndex, PlayerId};

#[derive(Clone, Debug, Default, PartialEq, Replicate)]
pub(crate) struct Push {
    pub(crate) x: i8,
    pub(crate) y: i8,
}

impl Input for Push {
    fn held(&self) -> Push {
        self.clone()
    }
}

#[derive(Replicate)]
pub(crate) struct Buoy {
    #[replicate(ranged(min = -4096.0, max = 4096.0, step = 1.0))]
    pub(crate) position: Vec2,
}

pub(crate) const BUOY: Kind<Buoy> = Kind::new(0);

#[derive(Serialize, Deserialize)]
pub(crate) struct Drift {
    pub(crate) buoys: BTreeMap<PlayerId, Vec2>,
}

impl Simulation for Drift {
    const NAME: &'static str = "drift";
    const INPUT_POLICY: InputPolicy = InputPolicy::Stream(StreamPolicy { capacity: 16 });
    const KINDS: &'static [DeclaredKind] = &[BUOY.declare()];
    type Input = Push;
    type Avatar = ();
    type Level = ();
    type Effect = ();
    type Command = ();
    type Event = ();

    fn step(_: &mut (), _: &Push, _: &mut StepContext<'_, Drift>) {}
}

impl Game for Drift {
    type Config = ();

    fn new(_: &(), _: &(), _: &mut SimRng) -> Drift {
        Drift { buoys: BTreeMap::new() }
    }

    fn join(&mut self, joining: &Joining<'_>, _: &mut TickContext<'_, Drift>) -> Result<(), JoinRefusal> {
        self.buoys.insert(joining.player, Vec2::ZERO);
        Ok(())
    }

    fn leave(&mut self, player: PlayerId, _: Departure, _: &mut TickContext<'_, Drift>) {
        self.buoys.remove(&player);
    }

    fn tick(&mut self, context: &mut TickContext<'_, Drift>) {
        for (player, position) in &mut self.buoys {
            for push in context.inputs.all_of(*player) {
                *position += Vec2::new(f32::from(push.x), f32::from(push.y));
            }
        }
    }

    fn capture(&self, frame: &mut Frame) {
        // Players stay for good here, so that their ids do for indices.
        for (player, position) in &self.buoys {
            frame.put(BUOY, EntityIndex(player.0), &Buoy { position: *position }, Place::on_plane(*position));
        }
    }

    fn viewpoint(&self, _: PlayerId) -> Viewpoint {
        Viewpoint::Everything
    }
}
