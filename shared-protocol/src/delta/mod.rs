//! The delta of one entity: what changed between a baseline and now, in a few bits that are the same for
//! everybody.
//!
//! The data passes from top to bottom: `publish` turns the truth of the simulation into a state (a row of
//! lanes), [`KindCodec::encode`] turns a state and its baselines into bits, [`KindCodec::decode`] turns those
//! back, and [`KindCodec::value`] gives the values that a client shows. Underneath, `segment` is the
//! arithmetic of moving fields, `predict` that of expectations, `transcode` the layout of the bits, `model`
//! and `tables` their codes, and `train` fits the codes to a recording.

mod codec;
mod energy;
mod form;
mod model;
mod plan;
mod predict;
mod publish;
mod segment;
mod tables;
mod train;
mod transcode;
mod trends;

pub use codec::{Baselines, DeltaCodec, DeltaError, KindCodec, StateError};
pub use form::{BaselineForm, FormError};
pub use publish::{PublishError, Published};
pub use tables::{EntropyTables, TablesError};
pub use train::Trainer;
