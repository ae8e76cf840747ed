//! Bots on the network play with the brain that NPCs have, and are about as good.

use std::sync::Arc;
use tickwire_arena::brain::{Brain, Senses};
use tickwire_arena::level::{Map, MapSource};
use tickwire_arena::{Arena, ArenaConfig, ArenaEvent, ArenaInput, is_npc};
use tickwire_bot::conditioner::Conditions;
use tickwire_protocol::time::{Micros, Tick};
use tickwire_tests::party::{Party, Play};

/// Somebody who plays with a brain, from what its client shows. It looks at no more than it needs, and would
/// do the same if it looked at everything.
fn bot(seed: u64, map: Arc<Map>) -> Play<Arena> {
    let (mut brain, mut senses, mut before) = (Brain::new(seed), Senses::new(), None);
    let mut all_seeing = Senses::new();
    Play::Own(Box::new(move |client, now| {
        let player = client.session().welcome()?.body.player;
        let tick = client.input_tick().unwrap_or(Tick(0));
        // A frame is about as long as a tick.
        let dt = 1.0 / 60.0;
        all_seeing.look(player, &client.view(now));
        senses.attend(&brain, tick, dt);
        senses.look(player, &client.view_of(now, |index, _| senses.needs(index)));
        if before.is_none() && senses.place().is_some() {
            brain.handle_spawned();
        }
        let mut same = brain.clone();
        let with_all = all_seeing.view(tick, dt, &map).map(|view| same.think(&view));
        let input = senses.view(tick, dt, &map).map(|view| brain.think(&view));
        assert_eq!(input, with_all, "what it did not look at makes no difference");
        before = senses.place();
        Some(input.unwrap_or_else(ArenaInput::default))
    }))
}

#[test]
fn bots_on_the_network_play_like_npcs() {
    let source = MapSource::built_in().swap_remove(1);
    let map = Arc::new(source.read().expect("the box has sound levels"));
    let config = ArenaConfig { maps: vec![source], npcs: 8, round_seconds: 600, ..ArenaConfig::default() };
    let mut party: Party<Arena> = Party::new(60, config, 12);
    for (number, conditions) in
        [Conditions::LAN, Conditions::BROADBAND, Conditions::WIFI].into_iter().enumerate()
    {
        party.join(&format!("Bot {number}"), conditions, bot(number as u64 + 40, Arc::clone(&map)));
    }
    party.run(Micros(120_000_000));
    let kills = |of: &dyn Fn(&ArenaEvent) -> bool| {
        party.members[0].heard.iter().filter(|(_, event)| of(event)).count()
    };
    let bots = kills(&|event| matches!(event, ArenaEvent::Killed { by, .. } if !is_npc(*by)));
    let npcs = kills(&|event| matches!(event, ArenaEvent::Killed { by, .. } if is_npc(*by)));
    println!("{bots} kills of three bots, {npcs} of five NPCs");
    assert!(bots >= 10 && npcs >= 10, "{bots} {npcs}");
    for member in &party.members {
        let stats = member.client.stats();
        println!("{}: {stats:?}", member.conditions.name);
        assert_eq!(stats.mismatches, 0, "what was not corrected was predicted");
    }
}
