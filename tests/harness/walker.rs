//! A client of the swarm: it walks about, and predicts nothing.

use crate::net::Path;
use crate::sim::Brain;
use tickwire_protocol::client::{Received, Session};
use tickwire_protocol::determinism::SimRng;
use tickwire_protocol::end::SessionEnd;
use tickwire_protocol::game::InputForm;
use tickwire_protocol::message::{Features, SessionState};
use tickwire_protocol::time::Micros;
use tickwire_swarm::{Intent, Swarm, SwarmInput};

/// Sends an input 25 times a second.
pub struct Walker {
    intent: Intent,
    form: InputForm<SwarmInput>,
    next: Micros,
    phase: Micros,
    /// Whether it only acknowledges.
    pub is_idle: bool,
}

const INPUT_PERIOD: Micros = Micros(40_000);

impl Brain for Walker {
    type Game = Swarm;
    const FEATURES: Features = Features(0);

    fn new(seed: u64) -> Walker {
        let mut random = SimRng::from_u64(seed);
        Walker {
            intent: Intent::new(random.next_u64()),
            form: InputForm::new().expect("the swarm's input has a form"),
            next: Micros(0),
            phase: Micros(u64::from(random.u32_up_to(INPUT_PERIOD.0 as u32))),
            is_idle: false,
        }
    }

    fn handle_connected(&mut self, _: &Path) {}

    fn handle_message(
        &mut self,
        session: &mut Session,
        bytes: &[u8],
        now: Micros,
    ) -> Result<Received, SessionEnd> {
        session.handle_message(bytes, now)
    }

    fn poll(&mut self, session: &mut Session, now: Micros, send: &mut dyn FnMut(Vec<u8>)) {
        if session.state() != SessionState::Active || now < self.next {
            return;
        }
        self.next = Micros((now.0 / INPUT_PERIOD.0 + 1) * INPUT_PERIOD.0) + self.phase;
        let mut message = Vec::new();
        if self.is_idle {
            session.encode_acknowledgement(&mut message);
        } else {
            let mut row = vec![0; self.form.codec().lanes()];
            let input = self.intent.next_input();
            self.form.quantize(&input, &mut row).expect("the swarm's wishes are within their ranges");
            let number = session.next_input();
            session.encode_inputs(number, &row, None, &mut message);
        }
        send(message);
    }
}
