//! A timer wheel for clients that all send with the same period, each at its own phase.
//!
//! Thousands of timers would cost more than what they are for. As the periods are equal, a ring of slots
//! does: whoever is in a slot is due when its time comes, once per turn of the ring.

use tickwire_protocol::time::Micros;

/// The wheel of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    /// Who is due in each slot.
    slots: Vec<Vec<usize>>,
    slot_micros: u64,
    start: Micros,
    /// The slot that is next, counted from the start.
    next: u64,
}

impl Wheel {
    /// A wheel that turns once in `period` from `start` on.
    pub(crate) fn new(period: Micros, start: Micros) -> Wheel {
        let count = period.0.div_ceil(SLOT_MICROS).max(1);
        Wheel {
            slots: vec![Vec::new(); count as usize],
            slot_micros: period.0.div_ceil(count).max(1),
            start,
            next: 0,
        }
    }

    /// Adds a client, at a phase that follows from its number: neighbours are far apart.
    pub(crate) fn insert(&mut self, client: usize, number: u32) {
        let spread = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let slot = spread as usize % self.slots.len();
        self.slots[slot].push(client);
    }

    /// When the next slot is due.
    pub(crate) fn next_due(&self) -> Micros {
        self.start + Micros(self.next * self.slot_micros)
    }

    /// Takes out a slot that is due at `now`, and when it was. [`Wheel::put_back`] comes next.
    pub(crate) fn poll_slot(&mut self, now: Micros) -> Option<(Vec<usize>, Micros)> {
        let due = self.next_due();
        (due <= now).then(|| (std::mem::take(self.slot()), due))
    }

    /// Puts back who stays in the slot that was taken out, and goes on to the next.
    pub(crate) fn put_back(&mut self, clients: Vec<usize>) {
        *self.slot() = clients;
        self.next += 1;
    }

    fn slot(&mut self) -> &mut Vec<usize> {
        let place = (self.next % self.slots.len() as u64) as usize;
        &mut self.slots[place]
    }
}

/// Time of a slot, about: what the system's timers can do.
const SLOT_MICROS: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_due_once_per_turn() {
        let mut wheel = Wheel::new(Micros(40_000), Micros(500));
        (0..100).for_each(|client| wheel.insert(client, client as u32));
        let mut turns = vec![Vec::new(); 100];
        for now in 0..400 {
            while let Some((clients, due)) = wheel.poll_slot(Micros(500 + now * 1_000)) {
                clients.iter().for_each(|client| turns[*client].push(due.0));
                wheel.put_back(clients);
            }
        }
        for turn in &turns {
            assert_eq!(turn.len(), 10);
            assert!(turn.windows(2).all(|pair| pair[1] - pair[0] == 40_000));
        }
        let mut phases: Vec<u64> = turns.iter().map(|turn| turn[0]).collect();
        phases.sort_unstable();
        phases.dedup();
        assert!(phases.len() > 30, "{} phases", phases.len());
    }
}
