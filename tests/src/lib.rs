//! End to end: the built product in a real browser, beside the real tools that consume what it leaves on the machine.
//!
//! A [`Scene`] is a machine of its own for one test: folders for everything that lives in a home folder, a sandbox for
//! the services, settings as an administrator writes them, the native host registered as its users register it. A
//! [`Browser`] is a real one in that scene, of whichever [`Kind`], a [`Popup`] what a person sees of the extension, a [`Terminal`] where
//! they type commands. Beside them stand programs that others made: AWS's SDKs ([`Sdk`]), and a provider and an STS
//! ([`Independent`]).
//!
//! The tests know the product as its users do: pages, files, commands and settings. Nothing here reaches into it, and
//! nothing waits by sleeping: a wait polls a condition until it holds, and says what it saw when it gave up.

mod accessible;
mod browser;
mod fixtures;
mod folder;
mod independent;
mod patience;
mod popup;
mod program;
mod question;
mod recorder;
mod scene;
mod sdk;
mod sign_in_window;
mod terminal;

pub use accessible::{Accessible, Element};
pub use browser::{Browser, Kind, Look, Options};
pub use fixtures::Fixtures;
pub use folder::mode;
pub use independent::Independent;
pub use patience::{PATIENCE, until};
pub use popup::Popup;
pub use program::Program;
pub use question::Question;
pub use recorder::{Recorded, Recorder};
pub use scene::{Scene, entries};
pub use sdk::Sdk;
pub use sign_in_window::SignInWindow;
pub use terminal::{Output, Terminal};
