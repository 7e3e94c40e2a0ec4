//! End-to-end tests: the built product in a real browser, with the real tools that use its credentials.
//!
//! A [`Scene`] is an isolated machine for one test: folders for everything in a home folder, a sandbox for the
//! services, settings as an administrator writes them, the native host registered as its users register it. A
//! [`Browser`] is a real one in that scene, of any [`Kind`], a [`Popup`] is the extension's popup, and a [`Terminal`]
//! runs commands. Third-party programs are AWS's SDKs ([`Sdk`]), and a provider and an STS ([`Independent`]).
//!
//! The tests use the product only as its users do: pages, files, commands and settings. Nothing waits by sleeping: a
//! wait polls a condition until it holds, and reports what it saw last when it times out.

mod accessible;
pub mod axe;
mod browser;
mod canaries;
mod fixtures;
mod folder;
mod independent;
mod popup;
mod program;
mod question;
mod recorder;
mod scene;
mod sdk;
mod sign_in_window;
mod terminal;
mod wait;

pub use accessible::{Accessible, Element};
pub use browser::{Browser, Kind, Look, Options};
pub use canaries::{Canaries, Found, Watch};
pub use fixtures::Fixtures;
pub use folder::mode;
pub use independent::{Independent, Provider, Setup, Sts};
pub use popup::Popup;
pub use program::Program;
pub use question::Question;
pub use recorder::{Recorded, Recorder};
pub use scene::{Scene, entries};
pub use sdk::Sdk;
pub use sign_in_window::SignInWindow;
pub use terminal::{Output, Terminal};
pub use wait::{TIMEOUT, until};
