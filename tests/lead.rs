//! Under each preset the client's clock settles within five seconds. Afterwards few inputs come late, and the
//! buffer is no larger than the network makes necessary.

use crate::report::{Played, play};
use tickwire_bot::conditioner::Conditions;

#[test]
fn few_inputs_come_late_and_the_buffer_is_small() {
    for conditions in Conditions::PRESETS {
        let Played { inputs, late, mean_lead, stats, .. } = play(conditions);
        let bound = 2 * stats.input_jitter_micros as i64 + PERIOD;
        println!(
            "{:10} {late} of {inputs} inputs late; buffer {mean_lead} µs, below {bound} (jitter {} µs)",
            conditions.name, stats.input_jitter_micros,
        );
        assert!(mean_lead < bound, "{}: {mean_lead} µs", conditions.name);
        let allowed = match conditions.name {
            "broadband" => inputs / 1000,
            "4g" => inputs / 100,
            _ => continue,
        };
        assert!(late <= allowed, "{}: {late} of {inputs} inputs came late", conditions.name);
    }
}

/// A tick at 60 Hz.
const PERIOD: i64 = 16_667;
