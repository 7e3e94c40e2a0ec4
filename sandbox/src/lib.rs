//! An OpenID provider, an STS and a simulated AWS console for trying out and testing Rolecall: one process, loopback
//! only, each service on its own port (and so its own origin).
//!
//! It does not know the product. It verifies tokens, trust policies and request signatures with its own code, and
//! responds with AWS's error documents, statuses and limits, so that a mistake on one side shows on the other.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use rolecall_sandbox::{AwsErrorCode, CallKind, Config, Failure, Sandbox};
//!
//! let sandbox = Sandbox::start(Config::default()).await?;
//! println!("{}", sandbox.settings_toml());
//! sandbox.fail_next(CallKind::AssumeRole, 1, &Failure::Aws(AwsErrorCode::Throttling.into()));
//! sandbox.arrived(CallKind::AssumeRole, 2).await;
//! # Ok(())
//! # }
//! ```
//!
//! # The world of `Config::default()`
//!
//! Client `rolecall-sandbox`. Alice Adams (`alice@example.com`, groups `dev` and `admin`) and Bob Brown
//! (`bob@example.com`, `dev`). Accounts 111111111111 `example-dev` and 222222222222 `example-prod`.
//!
//! | role | who | longest session |
//! |---|---|---|
//! | example-dev / developer | `amr` has `dev` | 12 h |
//! | example-dev / readonly | everyone | 1 h |
//! | example-prod / admin | `amr` has `admin*` (Alice) | 1 h |
//! | example-prod / auditor | `sub` is `alice-*` or `bob-*` | 1 h |
//! | example-prod / break-glass | nobody | 1 h |

mod answer;
mod calls;
mod clock;
mod config;
mod console;
mod cookies;
mod cors;
mod faults;
mod front;
mod html;
mod network;
mod params;
mod provider;
mod random;
mod sandbox;
mod secrets;
mod settings;
mod sts;
mod world;

pub use calls::{Call, CallKind, Outcome};
pub use clock::Clock;
pub use config::{
    Account, Catalogue, Client, Config, ConsoleConfig, Dialect, IdTokenFault, Ports, Preset, ProviderConfig,
    RedirectFault, RefreshTokens, Refusal, Refusals, Role, SigningAlgorithm, Silent, StsConfig, TokenCors,
    User,
};
pub use faults::{Failure, Hold};
pub use provider::KeyRotation;
pub use sandbox::Sandbox;
pub use secrets::SecretKind;
pub use sts::{AwsError, AwsErrorCode};

#[cfg(test)]
mod tests;
