//! A game that fails ends its own room, with its players told why, and nothing else.

use std::sync::Arc;
use std::time::Duration;
use tickwire_protocol::client::{GameForm, Session, SessionConfig};
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::Simulation;
use tickwire_protocol::message::{ClientMessage, PlayerName, RoomId, SessionState, encode_payload};
use tickwire_protocol::time::Micros;
use tickwire_server::clock::{Clock, MonotonicClock};
use tickwire_server::room::{Admission, GameEntry, RoomCard, RoomServices};
use tickwire_server::tick::{OpenRoom, Order, RoomThread};
use tickwire_tests::duel::{Duel, DuelCommand, DuelConfig};
use tickwire_tests::net::{FarEnd, FromServer, Path, connect};
use tickwire_tests::sim::config;

/// Longer than anything here takes: the test is over when what it waits for is there.
const PATIENCE: Duration = Duration::from_secs(20);

struct Stage {
    thread: RoomThread,
    services: RoomServices,
    game: Arc<GameEntry>,
    form: Arc<GameForm>,
    clock: MonotonicClock,
}

struct Player {
    session: Session,
    far: FarEnd,
    clock: MonotonicClock,
}

impl Stage {
    fn new() -> Stage {
        let services = RoomServices::new(config());
        let clock = MonotonicClock::start();
        let game = GameEntry::new::<Duel>(Duel::NAME, DuelConfig::default(), Micros::period_of(30));
        Stage {
            thread: RoomThread::start(0, services.clone(), clock).expect("there is a thread to be had"),
            services,
            game: Arc::new(game.expect("the duel can be hosted")),
            form: Arc::new(GameForm::of::<Duel>().expect("the duel has a form")),
            clock,
        }
    }

    fn open(&self, id: u32) -> Arc<RoomCard> {
        let card = RoomCard::new(RoomId(id), 0, None, 0, 8);
        let open = OpenRoom {
            card: Arc::clone(&card),
            game: Arc::clone(&self.game),
            seed: [id as u8; 32],
            is_permanent: false,
        };
        assert!(self.thread.order(Order::Open(Box::new(open))).is_ok());
        card
    }

    /// Sends somebody to a room, and waits for the first snapshot.
    fn join(&self, card: &Arc<RoomCard>, name: &str) -> Player {
        let mut session = Session::new(SessionConfig::new(Arc::clone(&self.form), name));
        let mut hello = Vec::new();
        session.poll_hello(&mut hello).expect("a new session");
        let Ok(ClientMessage::Hello(hello)) = ClientMessage::decode(&hello) else { panic!("it is a hello") };
        let (link, inbox, far) = connect(Path::DIRECT, 1, Arc::new(self.clock));
        let admission = Admission {
            link: Box::new(link),
            inbox,
            hello: *hello,
            name: PlayerName::new(name).expect("a name that can be shown"),
            place: card.take_place(),
        };
        assert!(self.thread.order(Order::Admit(card.id, Box::new(admission))).is_ok());
        let mut player = Player { session, far, clock: self.clock };
        player.hear_until(|session| session.view().is_some());
        player
    }
}

impl Player {
    /// Takes in messages until something is so, and says how the connection ended if it did.
    fn hear_until(&mut self, mut is_so: impl FnMut(&Session) -> bool) -> Option<SessionEnd> {
        while !is_so(&self.session) {
            match self.far.wait(PATIENCE).expect("the server goes on") {
                FromServer::Message(bytes) if !matches!(self.session.state(), SessionState::Gone(_)) => {
                    let received = self.session.handle_message(&bytes, self.clock.now());
                    received.expect("the server makes no mistakes");
                    let mut acknowledgement = Vec::new();
                    self.session.encode_acknowledgement(&mut acknowledgement);
                    self.far.send(acknowledgement);
                }
                FromServer::Message(_) => {}
                FromServer::Closed(end) => return Some(end),
                FromServer::Lost => return Some(SessionEnd::ConnectionLost),
            }
        }
        None
    }

    fn newest(&self) -> u32 {
        self.session.view().expect("there are snapshots").tick.0
    }
}

#[test]
fn only_the_room_whose_game_fails_ends() {
    let mut stage = Stage::new();
    let (doomed, sound) = (stage.open(1), stage.open(2));
    let mut ann = stage.join(&doomed, "Ann");
    let mut bob = stage.join(&doomed, "Bob");
    let mut cid = stage.join(&sound, "Cid");
    assert_eq!(stage.services.metrics.rooms.get(), 2);

    let (mut payload, mut message) = (Vec::new(), Vec::new());
    encode_payload(&DuelCommand::Panic, &mut payload).unwrap();
    ann.session.encode_command(&payload, &mut message).unwrap();
    ann.far.send(message);
    for player in [&mut ann, &mut bob] {
        let end = player.hear_until(|_| false);
        assert_eq!(end, Some(SessionEnd::RoomEnded));
        assert_eq!(player.session.state(), SessionState::Gone(SessionEnd::RoomEnded));
    }
    assert!(!doomed.is_open() && doomed.take_place().is_none());

    // The other room of the thread goes on, and takes people in.
    let seen = cid.newest();
    assert_eq!(cid.hear_until(|session| session.view().is_some_and(|view| view.tick.0 > seen + 10)), None);
    let mut dee = stage.join(&sound, "Dee");
    let seen = dee.newest();
    assert_eq!(dee.hear_until(|session| session.view().is_some_and(|view| view.tick.0 > seen + 3)), None);
    let metrics = Arc::clone(&stage.services.metrics);
    assert_eq!((metrics.room_panics.get(), metrics.rooms.get(), metrics.sessions_active.get()), (1, 1, 2));
    assert_eq!(doomed.taken(), 0);

    // Who is on the way to the room that is gone is turned away.
    let (link, inbox, far) = connect(Path::DIRECT, 2, Arc::new(stage.clock));
    let mut session = Session::new(SessionConfig::new(Arc::clone(&stage.form), "Eve"));
    let mut hello = Vec::new();
    session.poll_hello(&mut hello).unwrap();
    let Ok(ClientMessage::Hello(hello)) = ClientMessage::decode(&hello) else { panic!("it is a hello") };
    let name = PlayerName::new("Eve").unwrap();
    let admission = Admission { link: Box::new(link), inbox, hello: *hello, name, place: None };
    assert!(stage.thread.order(Order::Admit(RoomId(1), Box::new(admission))).is_ok());
    let mut eve = Player { session, far, clock: stage.clock };
    assert_eq!(eve.hear_until(|_| false), Some(SessionEnd::UnknownRoom));

    // When the server ends, those who are left are told too.
    stage.thread.stop(SessionEnd::ServerClosing);
    for player in [&mut cid, &mut dee] {
        assert_eq!(player.hear_until(|_| false), Some(SessionEnd::ServerClosing));
    }
    assert_eq!((metrics.rooms.get(), metrics.sessions_active.get()), (0, 0));
}

#[test]
fn what_the_failed_room_was_about_to_send_goes_to_nobody() {
    let mut stage = Stage::new();
    let (doomed, sound) = (stage.open(1), stage.open(2));
    let mut ann = stage.join(&doomed, "Ann");
    let mut bob = stage.join(&doomed, "Bob");
    // In the other room, both have the places that Ann and Bob have in theirs.
    let mut others = [stage.join(&sound, "Cid"), stage.join(&sound, "Dee")];
    let (mut payload, mut message) = (Vec::new(), Vec::new());
    encode_payload(&DuelCommand::PanicWhenServed, &mut payload).unwrap();
    bob.session.encode_command(&payload, &mut message).unwrap();
    bob.far.send(message);
    for player in [&mut ann, &mut bob] {
        assert_eq!(player.hear_until(|_| false), Some(SessionEnd::RoomEnded));
    }
    for player in &mut others {
        let seen = player.newest();
        let later = |session: &Session| session.view().is_some_and(|view| view.tick.0 > seen + 10);
        assert_eq!(player.hear_until(later), None);
    }
    assert_eq!(stage.services.metrics.room_panics.get(), 1);
    stage.thread.stop(SessionEnd::ServerClosing);
}
