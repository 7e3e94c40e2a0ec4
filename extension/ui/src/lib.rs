//! Rolecall.
