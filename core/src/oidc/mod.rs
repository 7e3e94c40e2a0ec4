//! OpenID Connect as a public client speaks it: one file per step of Authorization Code + PKCE.
//!
//! Each file builds a request, or reads an answer and refuses what the standard refuses. Nothing here sends
//! anything; [`crate::sign_in`] puts the steps in order.

mod authorization;
mod discovery;
mod id_token;
mod json;
mod jwks;
mod logout;
mod pkce;
mod redirect;
mod token;

pub use authorization::{AuthorizationRequest, Prompt};
pub use discovery::{DiscoveryError, Metadata};
pub use id_token::{ExpectedToken, IdToken, IdTokenError, Person, verify};
pub use jwks::{KeyFinding, KeySet};
pub use logout::{end_session_url, revocation_request};
pub use pkce::CodeVerifier;
pub use redirect::{AuthorizationCode, ExpectedRedirect, RedirectError, own_redirect_uri, read_redirect};
pub(crate) use token::post_form;
pub use token::{TokenError, Tokens, code_request, probe_request, read_tokens, refresh_request};

pub use discovery::{keys_request, metadata_request};
