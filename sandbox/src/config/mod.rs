//! The configuration of a sandbox: who exists, what they may do, and how each service misbehaves.
//!
//! The same document starts a sandbox and changes it while it runs ([`crate::Sandbox::change`]).

mod console;
mod preset;
mod provider;
mod sts;
mod world;

pub use console::ConsoleConfig;
pub use preset::Preset;
pub use provider::{
    Catalogue, Client, IdTokenFault, ProviderConfig, RedirectFault, RefreshTokens, Refusal, Refusals,
    SigningAlgorithm, Silent, TokenCors, User,
};
pub use sts::{Account, Dialect, Role, StsConfig};

/// A whole sandbox. [`Config::default`] is the world of the demo; its roles and users are listed in
/// [`Role`] and [`User`] terms in the crate's documentation.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; read once, at the start.
    pub ports: Ports,
    /// The OpenID provider.
    pub provider: ProviderConfig,
    /// The STS, with its accounts and roles.
    pub sts: StsConfig,
    /// The console stand-in.
    pub console: ConsoleConfig,
}

/// The ports on 127.0.0.1; 0 takes a free one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// The OpenID provider's.
    pub provider: u16,
    /// The STS's.
    pub sts: u16,
    /// The console's.
    pub console: u16,
}
