//! The sandbox over HTTP, as a browser, an SDK and an extension use it.

mod browser;
mod console;
mod controls;
mod flow;
mod metadata;
mod presets;
mod provider;
mod recorded;
mod role_chaining;
mod role_lists;
mod signing;
mod sts;
mod tokens;

use browser::{Browser, Tokens};

use crate::{Config, Sandbox};

const CLIENT: &str = "rolecall-sandbox";
const REDIRECT: &str = "https://ganjefdifpdbcgkcmbniolbdkacieled.chromiumapp.org/";
const DEVELOPER: &str = "arn:aws:iam::111111111111:role/developer";
const READONLY: &str = "arn:aws:iam::111111111111:role/readonly";
const ADMIN: &str = "arn:aws:iam::222222222222:role/admin";
const ALICE: &str = "alice-0001";
const BOB: &str = "bob-0002";
// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn sandbox() -> Sandbox {
    Sandbox::start(Config::default()).await.unwrap()
}

/// A sandbox and tokens of a user who has just signed in.
async fn signed_in(user: &str) -> (Sandbox, Tokens) {
    let sandbox = sandbox().await;
    let tokens = Browser::new(&sandbox).tokens(user).await;
    (sandbox, tokens)
}
