//! The built program, driven as browsers and people drive it.

#![cfg(unix)]
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agent;
mod aws;
mod browser;
mod cache;
mod catalogues;
mod certificates;
mod commands;
mod files;
mod host;
mod install;
mod keyring;
mod loopback;
mod machine;
mod other_user;
mod settings;
mod shells;
