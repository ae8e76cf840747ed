//! What a player sends in each tick.

use glam::Vec2;
use tickwire_protocol::Replicate;
use tickwire_protocol::game::Input;

/// What a player wants in a tick: 8 + 8 bits of way, 12 of aim, 6 of presses. The default is hands off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Replicate)]
pub struct ArenaInput {
    /// Where to walk: x to the right, y down. Of a length above 1 only the direction counts.
    #[replicate(ranged(min = -1.0, max = 1.0, step = 1.0 / 127.0))]
    pub way: Vec2,
    /// Where to aim: the angle from the direction to the right, clockwise as y goes down.
    #[replicate(angle(steps = 4096))]
    pub aim: f32,
    /// The trigger, for as long as it is held.
    pub fire: bool,
    /// The press of the dash. It leads where `way` does, or where the player aims when it stands.
    pub dash: bool,
    /// The weapon to take into the hand: 0 keeps what is there, 1 is the bolt thrower, 2 the rail gun. Any
    /// other number is no weapon, and ignored.
    #[replicate(int(max = 15))]
    pub weapon: u8,
}

impl Input for ArenaInput {
    fn held(&self) -> ArenaInput {
        ArenaInput { dash: false, weapon: 0, ..*self }
    }

    fn merge_late(&mut self, late: &ArenaInput) {
        self.dash |= late.dash;
        if self.weapon == 0 {
            self.weapon = late.weapon;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tickwire_protocol::game::InputForm;

    #[test]
    fn what_is_held_has_no_presses_and_late_presses_come_along() {
        let input = ArenaInput { way: Vec2::X, aim: 1.0, fire: true, dash: true, weapon: 2 };
        let held = input.held();
        assert_eq!(held, ArenaInput { way: Vec2::X, aim: 1.0, fire: true, dash: false, weapon: 0 });
        assert_eq!(held.held(), held);
        let mut merged = ArenaInput::default();
        merged.merge_late(&input);
        assert_eq!(merged, ArenaInput { dash: true, weapon: 2, ..ArenaInput::default() });
    }

    #[test]
    fn the_quantised_form_keeps_the_axes_and_is_stable() {
        let form = InputForm::<ArenaInput>::new().unwrap();
        for way in [Vec2::X, Vec2::NEG_Y, Vec2::ZERO] {
            let input = ArenaInput { way, aim: 0.7, weapon: 15, ..ArenaInput::default() };
            let canonical = form.canonical(&input).unwrap();
            assert!((canonical.way - way).length() < 1e-6 && (canonical.aim - 0.7).abs() < 1e-3);
            assert_eq!(form.canonical(&canonical), Ok(canonical));
        }
        assert!(form.canonical(&ArenaInput { aim: f32::NAN, ..ArenaInput::default() }).is_err());
    }
}
