//! What cannot be is refused by name, has no effect, and is counted where whoever runs a server looks.

use glam::Vec2;
use std::collections::BTreeMap;
use tickwire_arena::entities::FIGURE;
use tickwire_arena::{Arena, ArenaCommand, ArenaEvent, ArenaInput, Refusal};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::time::Micros;
use tickwire_tests::arena::wide_hall;
use tickwire_tests::party::{Party, Play};

/// What `/metrics` has of refusals, by reason.
fn refusals(party: &Party<Arena>) -> BTreeMap<String, u64> {
    let text = party.services.metrics.to_text();
    let lines = text.lines().filter_map(|line| line.strip_prefix("tickwire_refusals_total{game=\"arena\","));
    let parsed = lines.filter_map(|line| line.strip_prefix("reason=\"")?.split_once("\"} "));
    parsed.map(|(reason, count)| (reason.to_owned(), count.parse().expect("a number"))).collect()
}

/// Shoots at whoever is there with the rail gun, for as long as there is somebody.
fn hunter() -> Play<Arena> {
    Play::Own(Box::new(|client, now| {
        let scene = client.view(now);
        let own = scene.avatar?.position;
        let other = scene.entities.clone().find_map(|entity| entity.get(FIGURE))?;
        let way: Vec2 = other.position - own;
        Some(ArenaInput { aim: way.to_angle(), fire: true, weapon: 2, ..ArenaInput::default() })
    }))
}

#[test]
fn impossible_commands_are_refused_by_name_and_counted() {
    let mut party: Party<Arena> = Party::new(60, wide_hall(), 9);
    let before = refusals(&party);
    assert_eq!(before.len(), 10, "all reasons are there from the beginning: {before:?}");
    assert!(before.values().all(|count| *count == 0));
    // Ann dashes without end, wants a weapon that there is not, and shoots when she is dead.
    let ann = party.join(
        "Ann",
        Conditions::LAN,
        Play::Own(Box::new(|client, _| {
            let is_alive = client.avatar().is_some();
            let (fire, way) = (!is_alive, Vec2::Y);
            Some(ArenaInput { fire, dash: true, weapon: 9, way, ..ArenaInput::default() })
        })),
    );
    party.run(Micros(1_500_000));
    let dashing = refusals(&party);
    assert!(dashing["dash_too_early"] > 10 && dashing["unknown_weapon"] > 10, "{dashing:?}");
    assert_eq!(dashing["fire_while_dead"], 0, "{dashing:?}");
    party.join("Ben", Conditions::LAN, hunter());
    party.run(Micros(9_000_000));
    assert!(party.members[ann].heard.iter().any(|(_, event)| matches!(event, ArenaEvent::Killed { .. })));
    assert!(refusals(&party)["fire_while_dead"] > 10, "{:?}", refusals(&party));

    let said = [
        (ArenaCommand::Say("\u{7}\u{200b}".to_owned()), Refusal::Empty),
        (ArenaCommand::Say("x".repeat(121)), Refusal::TooLong),
        (ArenaCommand::Rename("\u{7}\u{1b}\n".to_owned()), Refusal::Name),
        (ArenaCommand::SayTeam("hello".to_owned()), Refusal::NoSuchTeam),
        (ArenaCommand::Say("hello".to_owned()), Refusal::TooOften),
    ];
    for (command, _) in &said {
        party.members[ann].client.handle_command(command).expect("there is a session");
    }
    party.run(Micros(1_000_000));
    let told = party.members[ann].heard.iter().filter_map(|(_, event)| match event {
        ArenaEvent::Refused(refusal) => Some(*refusal),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), said.each_ref().map(|(_, refusal)| *refusal));
    let after = refusals(&party);
    for (_, refusal) in said {
        assert_eq!(after[refusal.name()], 1, "{}: {after:?}", refusal.name());
    }
    assert_eq!(after.len(), before.len(), "nothing that a client sends makes another line");
}
