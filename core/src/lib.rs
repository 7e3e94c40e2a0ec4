//! Signing in to AWS through OpenID Connect.
//!
//! This crate holds the protocol and nothing else: it performs no I/O, reads no clock and has no randomness of
//! its own. Everything outside enters through [`platform::Platform`], so the browser extension and the
//! command line run the same steps. It compiles to WebAssembly and natively.
//!
//! Where to find what:
//!
//! | question | module |
//! |---|---|
//! | What happens between a click and credentials? | [`sign_in`] |
//! | What is remembered between sign-ins? | [`session`] |
//! | For how long are credentials handed out? | [`freshness`] |
//! | What is asked of the outside world? | [`platform`] |
//! | Discovery, authorization, redirect, tokens, ID token | [`oidc`] |
//! | `AssumeRoleWithWebIdentity` | [`sts`] |
//! | Opening the AWS console | [`console`] |
//! | ARNs, partitions, credentials | [`aws`] |
//! | The settings document and its layers | [`settings`] |
//! | Roles that a document or a service lists | [`catalogue`], [`role_service`] |
//! | Which role fits what was typed? | [`search`] |
//! | What ui, worker, host and command line say to each other | [`message`] |
//! | What can go wrong | [`error`] |
//! | Codes and next steps | [`code`] |
//! | JSON, as the extension reads it | [`json`] |
//! | Maps and sets that bring little code | [`map`] |
//! | Text from outside, as it may be shown | [`text`] |
//! | URLs, natively and in a browser | [`url`] |
//! | Times, natively and in a browser | [`time`] |
//! | Names the product is registered under | [`identity`] |

// What `ReadJson` and `WriteJson` derive names this crate by its name.
extern crate self as rolecall_core;

pub mod aws;
pub mod catalogue;
pub mod code;
pub mod console;
mod crypto;
pub mod error;
pub mod freshness;
pub mod identity;
pub mod json;
pub mod map;
pub mod message;
pub mod oidc;
pub mod platform;
pub mod role_service;
pub mod search;
pub mod secret;
pub mod session;
pub mod settings;
pub mod sign_in;
pub mod sts;
pub mod text;
pub mod time;
pub mod url;

pub use code::{Code, Problem};
pub use error::{Error, Result};
