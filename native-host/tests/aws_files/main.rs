//! The AWS files from outside: what is written, what is kept, and what others read there.

mod cases;
mod changing;
mod differential;
mod generator;
mod home;
mod places;
mod readers;
mod reports;
mod roundtrip;
