//! Players who are told of a world: the server's recipient at one end, the client's decoder at the other, and
//! a network between them that may lose and reorder.

use crate::world::World;
use std::collections::BTreeMap;
use std::sync::Arc;
use tickwire_protocol::delta::DeltaCodec;
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::id::EntityIndex;
use tickwire_protocol::snapshot::{Consumed, RateMode, SnapshotDecoder, SnapshotError, StreamProfile};
use tickwire_protocol::time::Tick;
use tickwire_server::assemble::{Assembler, AvatarNews, Recipient, SnapshotRequest, Told, Transport};
use tickwire_server::history::History;

/// How rough a player's life is: chances per tick.
#[derive(Clone, Copy, Debug)]
pub struct Roughness {
    /// That no snapshot is sent.
    pub skip: f32,
    /// That a pause of up to 90 ticks begins.
    pub pause: f32,
    /// That the visible part of the world moves by a jump.
    pub jump: f32,
    /// That an input is substituted.
    pub substitute: f32,
    /// That the avatar is pushed by something that the client does not know.
    pub push: f32,
    /// That the avatar dies or comes back.
    pub death: f32,
    /// That a snapshot is lost, on an unreliable transport.
    pub loss: f32,
    /// Ticks that a message is at most under way, on an unreliable transport.
    pub delay: u32,
    /// Bytes for entities in a snapshot, at least and at most.
    pub budget: (usize, usize),
}

/// The avatar of the tests: six numbers that hang on every input.
pub type Avatar = [u32; 6];

/// The step that both ends share.
pub fn step(avatar: &mut Avatar, input: u32) {
    for place in 0..avatar.len() {
        let left = avatar[(place + 5) % 6];
        avatar[place] = avatar[place].wrapping_mul(0x9e37_79b1).rotate_left(7) ^ left.wrapping_add(input);
    }
}

/// The bytes of an avatar.
#[must_use]
pub fn bytes_of(avatar: &Avatar) -> Vec<u8> {
    avatar.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn avatar_of(bytes: &[u8]) -> Avatar {
    let mut avatar = Avatar::default();
    for (word, four) in avatar.iter_mut().zip(bytes.chunks_exact(4)) {
        *word = u32::from_le_bytes([four[0], four[1], four[2], four[3]]);
    }
    avatar
}

/// One player, at both ends.
#[derive(Debug)]
pub struct Player {
    /// The server's end.
    pub recipient: Recipient,
    /// The client's end.
    pub decoder: SnapshotDecoder,
    /// What the player may see, ascending.
    pub visible: Vec<EntityIndex>,
    /// Where the player looks from.
    pub center: [f32; 3],
    profile: StreamProfile,
    transport: Transport,
    random: SimRng,
    sight: f32,
    paused_until: Tick,
    avatar: Option<Avatar>,
    avatars: BTreeMap<Tick, Option<Avatar>>,
    consumed: BTreeMap<Tick, Consumed>,
    /// Messages under way, by the tick of their arrival: snapshots to the client, acknowledgements to the
    /// server.
    snapshots: Vec<(Tick, Tick, Vec<u8>)>,
    acks: Vec<(Tick, Tick)>,
}

/// What became of a player's tick.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Snapshots that were applied and compared.
    pub applied: usize,
    /// Snapshots that were overtaken by newer ones or whose baseline was lost with them.
    pub overtaken: usize,
    /// What was told, if a snapshot was sent, and its bytes.
    pub told: Option<(Told, usize)>,
}

impl Player {
    /// A player who sees up to `sight` units.
    #[must_use]
    pub fn new(
        seed: u64,
        codec: &Arc<DeltaCodec>,
        profile: StreamProfile,
        transport: Transport,
        sight: f32,
    ) -> Player {
        let mut random = SimRng::from_u64(seed);
        let decoder = SnapshotDecoder::new(codec.clone(), profile, Tick(0));
        let center = [random.f32_in(-1500.0, 1500.0), random.f32_in(-1500.0, 1500.0), 0.0];
        Player {
            recipient: Recipient::new(profile, transport),
            decoder: match transport {
                Transport::Ordered => decoder.in_order(),
                Transport::Unreliable => decoder,
            },
            visible: Vec::new(),
            center,
            profile,
            transport,
            random,
            sight,
            paused_until: Tick(0),
            avatar: profile.has_avatar.then_some([1; 6]),
            avatars: BTreeMap::new(),
            consumed: BTreeMap::new(),
            snapshots: Vec::new(),
            acks: Vec::new(),
        }
    }

    /// Moves the player: the avatar takes an input, and sight drifts.
    pub fn live(&mut self, tick: Tick, rough: &Roughness, world: &World) {
        let random = &mut self.random;
        if self.profile.has_avatar && random.chance(rough.death) {
            self.avatar = if self.avatar.is_some() { None } else { Some([tick.0; 6]) };
        }
        let substituted = random.chance(rough.substitute);
        let held = [Consumed::Held, Consumed::Neutral][random.u32_up_to(1) as usize];
        let consumed = if substituted { held } else { Consumed::Own };
        self.consumed.insert(tick, consumed);
        if let Some(avatar) = &mut self.avatar {
            step(avatar, input(tick, consumed));
            if random.chance(rough.push) {
                avatar[random.u32_up_to(5) as usize] ^= 0x0101;
            }
        }
        self.avatars.insert(tick, self.avatar);
        if random.chance(rough.jump) {
            self.center = [random.f32_in(-1500.0, 1500.0), random.f32_in(-1500.0, 1500.0), 0.0];
        }
        for axis in 0..2 {
            self.center[axis] += random.f32_in(-3.0, 3.0);
        }
        self.look(world);
        let old = Tick(tick.0.saturating_sub(100));
        self.avatars.retain(|tick, _| *tick >= old);
        self.consumed.retain(|tick, _| *tick >= old);
    }

    /// Works out who is visible.
    pub fn look(&mut self, world: &World) {
        let (center, sight) = (glam::Vec3::from_array(self.center), self.sight);
        let near = |thing: &crate::world::Thing| thing.position().distance_squared(center) < sight * sight;
        let things = world.things.iter().enumerate();
        self.visible.clear();
        self.visible.extend(
            things
                .filter(|(_, thing)| thing.as_ref().is_some_and(near))
                .map(|(index, _)| EntityIndex(index as u16)),
        );
    }

    /// Sends a snapshot, if this tick sends one, lets the network work, and lets the client read and compare.
    ///
    /// # Errors
    /// A sentence that says which player's knowledge is not what the server thinks, or what could not be
    /// read.
    pub fn exchange(
        &mut self,
        tick: Tick,
        rough: &Roughness,
        history: &History,
        assembler: &mut Assembler,
    ) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        if self.random.chance(rough.pause) {
            self.paused_until = Tick(tick.0 + self.random.u32_up_to(90));
        }
        if self.paused_until <= tick && !self.random.chance(rough.skip) {
            let (told, bytes) = self.send(tick, rough, history, assembler);
            outcome.told = Some((told, bytes.len()));
            match self.transport {
                Transport::Ordered => self.snapshots.push((tick, tick, bytes)),
                Transport::Unreliable if self.random.chance(rough.loss) => {}
                Transport::Unreliable => {
                    let arrival = Tick(tick.0 + self.random.u32_up_to(rough.delay));
                    self.snapshots.push((arrival, tick, bytes));
                }
            }
        }
        let mut arrived = Vec::new();
        self.snapshots.retain(|(arrival, sent, bytes)| {
            if *arrival <= tick {
                arrived.push((*sent, bytes.clone()));
            }
            *arrival > tick
        });
        for (sent, bytes) in arrived {
            if self.receive(sent, &bytes, history)? {
                outcome.applied += 1;
            } else {
                outcome.overtaken += 1;
            }
            self.acknowledge(tick, rough);
        }
        let mut acks = std::mem::take(&mut self.acks);
        acks.retain(|(arrival, newest)| {
            if *arrival <= tick {
                self.recipient.handle_ack(*newest).expect("only what was sent is acknowledged");
            }
            *arrival > tick
        });
        self.acks = acks;
        Ok(outcome)
    }

    fn acknowledge(&mut self, tick: Tick, rough: &Roughness) {
        let Some(newest) = self.decoder.newest().map(|view| view.tick) else { return };
        if self.transport == Transport::Unreliable && !self.random.chance(rough.loss) {
            self.acks.push((Tick(tick.0 + self.random.u32_up_to(rough.delay)), newest));
        }
    }

    fn send(
        &mut self,
        tick: Tick,
        rough: &Roughness,
        history: &History,
        assembler: &mut Assembler,
    ) -> (Told, Vec<u8>) {
        let (least, most) = rough.budget;
        let budget_bytes = least + self.random.u32_up_to((most - least) as u32) as usize;
        let request = SnapshotRequest {
            visible: &self.visible,
            center: self.center,
            budget_bytes,
            epoch: (tick.0 / 1000) as u16,
            rate: RateMode::EveryTick,
            lead: None,
        };
        let pair = assembler.baselines(history, &self.recipient);
        let current = self.avatar.as_ref().map(bytes_of);
        let before = pair.and_then(|pair| self.avatars.get(&pair.newer).copied().flatten());
        let consumed: Vec<Consumed> = match pair {
            Some(pair) if self.profile.predicts => {
                (pair.newer.0 + 1..=tick.0).map(|tick| self.consumed[&Tick(tick)]).collect()
            }
            _ => Vec::new(),
        };
        let expected = pair.and_then(|pair| self.expect(before, pair.newer, &consumed));
        let avatar =
            AvatarNews { avatar: current.as_deref(), expected: expected.as_deref(), whole: false, consumed };
        let mut bytes = Vec::new();
        let told = assembler.write(history, &mut self.recipient, &request, avatar.clone(), &mut bytes);
        (told, bytes)
    }

    /// The avatar that follows from that of a baseline by the inputs consumed since.
    fn expect(&self, before: Option<Avatar>, newer: Tick, consumed: &[Consumed]) -> Option<Vec<u8>> {
        let mut avatar = before?;
        for (offset, consumed) in consumed.iter().enumerate() {
            step(&mut avatar, input(Tick(newer.0 + 1 + offset as u32), *consumed));
        }
        Some(bytes_of(&avatar))
    }

    /// Reads a snapshot and compares. `Ok(false)` for one that was overtaken.
    fn receive(&mut self, sent: Tick, bytes: &[u8], history: &History) -> Result<bool, String> {
        let incoming = match self.decoder.begin(bytes) {
            Ok(incoming) => incoming,
            Err(SnapshotError::NotNewer { .. }) if self.transport == Transport::Unreliable => {
                return Ok(false);
            }
            Err(error) => return Err(format!("{sent}: {error}")),
        };
        let header = incoming.header().clone();
        let before = incoming.baseline_avatar().map(avatar_of);
        let expected = header.newer.and_then(|newer| {
            let mut avatar = before?;
            for (offset, consumed) in header.consumed.iter().enumerate() {
                step(&mut avatar, input(Tick(newer.0 + 1 + offset as u32), *consumed));
            }
            Some(bytes_of(&avatar))
        });
        let applied = incoming.apply(expected.as_deref()).map_err(|error| format!("{sent}: {error}"))?;
        let view = self.decoder.newest().ok_or("a snapshot was applied and nothing is known")?;
        let truth = self.avatars.get(&sent).copied().flatten().as_ref().map(bytes_of);
        if applied.tick != sent || applied.desync || view.avatar != truth {
            return Err(format!("{sent}: the avatar is not the server's"));
        }
        // On an unreliable transport the server may have forgotten this snapshot by the time it arrives.
        match self.recipient.check(history, sent, truth.as_deref()) {
            Some(check) if check != view.check() => Err(format!("{sent}: the client knows something else")),
            None if self.transport == Transport::Ordered => Err(format!("{sent}: nothing to compare with")),
            _ => Ok(true),
        }
    }
}

/// The input that a tick takes: the player's own follows from the tick alone.
fn input(tick: Tick, consumed: Consumed) -> u32 {
    match consumed {
        Consumed::Own => tick.0.wrapping_mul(0x85eb_ca6b) | 1,
        Consumed::Held => 7,
        Consumed::Neutral => 0,
    }
}
