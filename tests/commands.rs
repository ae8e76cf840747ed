//! What else the client core sees to: commands that must not be lost, events in their time, corrections that
//! nobody sees as a jump, and a view that allocates nothing.

use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::game::ViewTime;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::duel::{Duel, DuelCommand, DuelConfig, Stick};
use tickwire_tests::party::{Party, Play};

fn party(conditions: Conditions, seed: u64) -> Party<Duel> {
    let mut party = Party::new(60, DuelConfig { sight: 1000.0, ..DuelConfig::default() }, seed);
    party.join("Ann", conditions, Play::Wild(Stick::default()));
    party.join("Bob", conditions, Play::Idle);
    party.run(Micros(4_000_000));
    party
}

#[test]
fn commands_that_were_lost_with_a_connection_are_sent_again_and_each_counts_once() {
    let mut party = party(Conditions::BROADBAND, 3);
    let heard = party.members[1].log.events.len();
    let say = |party: &mut Party<Duel>, text: &str| {
        let command = DuelCommand::SayAll(text.to_owned());
        party.members[0].client.handle_command(&command).expect("there is a session");
        party.step();
    };
    say(&mut party, "this one comes");
    party.run(Micros(500_000));
    say(&mut party, "this one is under way");
    party.run(Micros(5_000));
    party.members[0].cut(false);
    party.step();
    say(&mut party, "and this one is said in between");
    party.run(Micros(3_000_000));
    assert_eq!(party.members[1].log.events.len(), heard + 3);
    assert_eq!(party.members[0].client.stats().resumes, 1);
}

#[test]
fn events_come_when_the_view_has_reached_their_tick() {
    let mut party = party(Conditions::MOBILE, 4);
    for _ in 0..20 {
        let command = DuelCommand::SayAll("hello".to_owned());
        party.members[0].client.handle_command(&command).expect("there is a session");
        party.run(Micros(100_000));
    }
    party.run(Micros(1_000_000));
    let events = &party.members[1].log.events;
    assert!(events.len() >= 20);
    let is_in_time = |(tick, shown): &(Tick, ViewTime)| *tick <= shown.tick && shown.tick.0 < tick.0 + 6;
    let late: Vec<_> = events.iter().skip(2).filter(|event| !is_in_time(event)).collect();
    assert!(late.len() <= 2, "{late:?}");
}

#[test]
fn a_shove_is_a_correction_that_is_not_a_jump() {
    let mut party = party(Conditions::BROADBAND, 5);
    party.members[0].play = Play::Idle;
    party.run(Micros(1_000_000));
    let before = party.members[0].client.stats();
    let from = party.members[0].log.own_frames.len();
    party.members[1].client.handle_command(&DuelCommand::Shove).expect("there is a session");
    party.run(Micros(500_000));
    let after = party.members[0].client.stats();
    assert_eq!((after.corrections - before.corrections, after.interfered - before.interfered), (1, 1));
    assert!(!party.members[0].client.is_correcting());
    let frames = &party.members[0].log.own_frames[from..];
    let steps: Vec<f32> = frames.windows(2).map(|pair| pair[0].1.distance(pair[1].1)).collect();
    let (most, way) =
        (steps.iter().copied().fold(0.0, f32::max), frames[0].1.distance(frames[frames.len() - 1].1));
    // It slides some four units; the first frame of a jump would be most of them.
    assert!(way > 3.0 && most < way / 5.0, "{most} in a frame, {way} in all");
    let drawn = frames[frames.len() - 1].1;
    let predicted = party.members[0].client.avatar().expect("it lives").position;
    assert!(drawn.distance(predicted) < 0.5, "what is drawn is what is predicted again");
}

#[test]
fn a_view_allocates_nothing() {
    let mut party = party(Conditions::LAN, 6);
    party.run(Micros(1_000_000));
    let now = party.now();
    let client = &mut party.members[1].client;
    assert!(client.view(now).entities.len() > 10);
    let allocated = allocation_counter::measure(|| {
        for frame in 0..30 {
            let scene = client.view(Micros(now.0 + frame * 1000));
            assert!(scene.avatar.is_some());
            assert!(scene.entities.clone().all(|entity| entity.components.len() > 1));
        }
    });
    assert_eq!(allocated.count_total, 0);
}
