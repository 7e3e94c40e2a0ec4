//! What the four parts say to each other, typed once.
//!
//! ```text
//! ui ──[ui::Intent]──► worker ──[host::ToHost]──► host ◄──[agent::Question]── rolecall command
//! ui ◄──[ui::State]─── worker ◄──[host::ToWorker]─ host ──[agent::Answer]───► rolecall command
//! ```
//!
//! Everything is JSON. Between worker and host it travels in native-messaging frames, between host and command
//! line in the same frames over a socket ([`frame`]). `docs/protocol.md` describes it.

pub mod agent;
pub mod frame;
pub mod host;
pub mod ui;
