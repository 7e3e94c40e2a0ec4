//! The AWS files from outside: what is written, what is kept, and what others read there.

// A test fails by panicking; this crate is nothing but tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

mod cases;
mod changing;
mod differential;
mod generator;
mod home;
mod places;
mod readers;
mod reports;
mod roundtrip;
