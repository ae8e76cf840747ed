//! With nobody interfering, an avatar is corrected for one reason alone: an input that came late.

use crate::report::{Played, play};
use tickwire_bot::conditioner::Conditions;

#[test]
fn nobody_is_corrected_but_for_a_late_input() {
    for conditions in Conditions::PRESETS {
        let Played { stats, .. } = play(conditions);
        let substituted = stats.inputs_held + stats.inputs_neutral;
        println!(
            "{:10} {} avatars predicted, {} corrections, {} of them with all inputs taken, {} mismatches; {} \
             inputs of {} were substituted",
            conditions.name,
            stats.predicted,
            stats.corrections,
            stats.interfered,
            stats.mismatches,
            substituted,
            stats.inputs,
        );
        assert!(stats.predicted > 4000, "{}", conditions.name);
        assert_eq!((stats.interfered, stats.mismatches), (0, 0), "{}", conditions.name);
        assert!(stats.corrections <= substituted, "{}", conditions.name);
    }
}
