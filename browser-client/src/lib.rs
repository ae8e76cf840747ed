//! The client core for web pages.
//!
//! A page plays a game with the very code that its server rules with: [`Client`](tickwire_protocol::client),
//! compiled to WebAssembly. What a game needs for that is a crate of its own, of the type `cdylib`, that
//! depends on this one, on `wasm-bindgen` and on the game, with one line:
//!
//! ```
//! tickwire_browser::export!(tickwire_swarm::Swarm);
//! # fn main() {}
//! ```
//!
//! `arena/` and `swarm/` beside this are such crates; `cargo xtask web` builds them. The JavaScript package
//! (`js/tickwire.js`) opens the sockets, has the clock and the timers, and gives a page what it needs to
//! draw. It knows no game: kinds, fields, inputs, events and commands come from the module by name.
//!
//! # How the two sides talk
//!
//! What happens in each frame crosses over as numbers in the module's memory, so that a frame leaves no
//! garbage behind: the scene (a row of components per entity), the avatar, the figures of the net graph, the
//! input, and the bytes of messages. [`Shim`] has them as vectors, and tells where they are. What happens
//! seldom (events, effects, commands, the welcome) crosses over as JavaScript values, as serde sees them. A
//! fraction that a function returns becomes an object too, so what is asked in each turn is answered with
//! whole numbers, or lies in memory.
//!
//! Where to find what: [`shim`](Shim) is the interface, `numbers` turns an avatar into a row of numbers,
//! `figures` the client's statistics, `describe` tells the page the names of it all.
#![forbid(unsafe_code)]

mod describe;
mod figures;
mod numbers;
mod shim;

pub use describe::Description;
pub use numbers::{NamedNumber, flatten, names};
pub use shim::{Shim, ShimError};

/// Makes a game's module: a JavaScript class `GameClient`, which is a [`Shim`] of the game. It stands alone
/// in a crate of the type `cdylib`.
///
/// The game is a [`Simulation`](tickwire_protocol::game::Simulation) whose effects can be serialised.
#[macro_export]
macro_rules! export {
    ($game:ty) => {
        use ::wasm_bindgen::prelude::{JsError, JsValue, wasm_bindgen};

        /// A client of the game. Times are milliseconds of `performance.now()`.
        #[wasm_bindgen]
        #[expect(missing_debug_implementations, reason = "JavaScript has no use for it")]
        pub struct GameClient($crate::Shim<$game>);

        #[wasm_bindgen]
        impl GameClient {
            /// A client that wants a connection. `room` is `''`, `'new'`, `'private'`, a room's number, or
            /// the code of a private room; `seed` is any number.
            #[wasm_bindgen(constructor)]
            pub fn new(
                name: &str,
                room: &str,
                spectator: bool,
                seed: f64,
                now: f64,
            ) -> Result<GameClient, JsError> {
                Ok(GameClient($crate::Shim::new(name, room, spectator, seed, now)?))
            }

            /// The names of what comes as numbers.
            pub fn describe() -> Result<JsValue, JsError> {
                Ok($crate::Shim::<$game>::describe()?)
            }

            /// The table of session ends: code, name, text.
            pub fn ends() -> Result<JsValue, JsError> {
                Ok($crate::Shim::<$game>::ends()?)
            }

            /// The names of the avatar's numbers; undefined before there was one.
            #[wasm_bindgen(js_name = avatarFields)]
            pub fn avatar_fields(&self) -> Result<JsValue, JsError> {
                Ok(self.0.avatar_fields()?)
            }

            /// Where a message or a level of so many bytes is to be put.
            pub fn receive(&mut self, length: usize) -> *const u8 {
                self.0.receive(length)
            }

            /// Takes in the message that was put there.
            #[wasm_bindgen(js_name = handleMessage)]
            pub fn handle_message(&mut self, connection: u32, now: f64) {
                self.0.handle_message(connection, now);
            }

            /// Takes in the level that was put there.
            #[wasm_bindgen(js_name = handleLevel)]
            pub fn handle_level(&mut self, now: f64) -> Result<(), JsError> {
                Ok(self.0.handle_level(now)?)
            }

            /// A connection is open.
            #[wasm_bindgen(js_name = handleOpened)]
            pub fn handle_opened(&mut self, connection: u32, now: f64) {
                self.0.handle_opened(connection, now);
            }

            /// A connection was closed with this code.
            #[wasm_bindgen(js_name = handleClosed)]
            pub fn handle_closed(&mut self, connection: u32, code: u16, now: f64) {
                self.0.handle_closed(connection, code, now);
            }

            /// Where the input's components are.
            pub fn input(&self) -> *const f64 {
                self.0.input()
            }

            /// The input's components are what the player wants from now on. False if they cannot be.
            #[wasm_bindgen(js_name = handleInput)]
            pub fn handle_input(&mut self) -> bool {
                self.0.handle_input()
            }

            /// Takes in a command of the game.
            #[wasm_bindgen(js_name = handleCommand)]
            pub fn handle_command(&mut self, command: JsValue) -> Result<(), JsError> {
                Ok(self.0.handle_command(command)?)
            }

            /// Nobody looks any more.
            #[wasm_bindgen(js_name = handleHidden)]
            pub fn handle_hidden(&mut self, now: f64) {
                self.0.handle_hidden(now);
            }

            /// Somebody looks again.
            #[wasm_bindgen(js_name = handleShown)]
            pub fn handle_shown(&mut self, now: f64) {
                self.0.handle_shown(now);
            }

            /// The player leaves for good.
            #[wasm_bindgen(js_name = handleLeave)]
            pub fn handle_leave(&mut self, now: f64) {
                self.0.handle_leave(now);
            }

            /// Lets time pass.
            #[wasm_bindgen(js_name = handleTime)]
            pub fn handle_time(&mut self, now: f64) {
                self.0.handle_time(now);
            }

            /// Writes the next message; over which connection it goes, or -1 if there is none.
            #[wasm_bindgen(js_name = pollMessage)]
            pub fn poll_message(&mut self) -> f64 {
                self.0.poll_message()
            }

            /// Where that message is.
            pub fn message(&self) -> *const u8 {
                self.0.message()
            }

            /// How long it is.
            #[wasm_bindgen(js_name = messageLength)]
            pub fn message_length(&self) -> usize {
                self.0.message_length()
            }

            /// What is next to be done or known: 0 for nothing, 1 for a level that is wanted, 2 for a
            /// connection, 3 for an event, 4 for an event of the game, 5 for an effect of the own avatar's
            /// step.
            pub fn poll(&mut self) -> u32 {
                self.0.poll()
            }

            /// What was polled.
            pub fn take(&mut self) -> JsValue {
                // A result would be an array of its own each time.
                self.0.take().unwrap_or_else(|error| ::wasm_bindgen::throw_str(&error.to_string()))
            }

            /// For how many milliseconds the timer is to be set anew; -1 if it need not be.
            #[wasm_bindgen(js_name = pollTimer)]
            pub fn poll_timer(&mut self, now: f64) -> i32 {
                self.0.poll_timer(now)
            }

            /// The timer went off.
            #[wasm_bindgen(js_name = handleTimer)]
            pub fn handle_timer(&mut self) {
                self.0.handle_timer();
            }

            /// How often it has changed how things stand.
            pub fn changes(&mut self) -> u32 {
                self.0.changes()
            }

            /// How things stand: the place in `states` of the description.
            pub fn state(&self) -> u32 {
                self.0.state()
            }

            /// Since when or until when they stand so.
            #[wasm_bindgen(js_name = stateTime)]
            pub fn state_time(&self) -> f64 {
                self.0.state_time()
            }

            /// The code of the end that they stand so after; 0 for none.
            #[wasm_bindgen(js_name = stateEnd)]
            pub fn state_end(&self) -> u16 {
                self.0.state_end()
            }

            /// Works out what to draw; the number of rows of the scene.
            pub fn draw(&mut self, now: f64) -> usize {
                self.0.draw(now)
            }

            /// Where the rows of the scene are.
            pub fn scene(&self) -> *const f64 {
                self.0.scene()
            }

            /// Where the time is that the scene shows, in ticks.
            #[wasm_bindgen(js_name = sceneTick)]
            pub fn scene_tick(&self) -> *const f64 {
                self.0.scene_tick()
            }

            /// Where the own avatar's numbers are.
            pub fn avatar(&self) -> *const f64 {
                self.0.avatar()
            }

            /// How many they are; 0 while there is no avatar.
            #[wasm_bindgen(js_name = avatarLength)]
            pub fn avatar_length(&self) -> usize {
                self.0.avatar_length()
            }

            /// Works out what the newest snapshot says, in place of the scene; the number of rows.
            #[wasm_bindgen(js_name = drawServer)]
            pub fn draw_server(&mut self) -> usize {
                self.0.draw_server()
            }

            /// Works out the figures of the net graph, and says where they are.
            pub fn stats(&mut self) -> *const f64 {
                self.0.stats()
            }
        }
    };
}
