//! The OpenID provider: Authorization Code with PKCE for public clients, and nothing else.

mod authorize;
mod error;
mod grants;
mod id_token;
mod keys;
mod logout;
mod metadata;
mod pkce;
mod redirect_uri;
mod revoke;
mod role_lists;
mod sign_in;
mod token;
mod userinfo;

use axum::Router;
use axum::routing::{get, post};

pub(crate) use error::oauth_error;
pub(crate) use grants::Grants;
pub(crate) use keys::KeyRing;
pub use keys::KeyRotation;

use crate::world::{SharedWorld, World};

/// The provider's endpoints.
pub(crate) fn router(world: SharedWorld) -> Router {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata::discovery))
        .route("/{*path}", get(metadata::discovery_of_path))
        .route("/jwks", get(metadata::jwks))
        .route("/authorize", get(authorize::authorize).post(authorize::authorize))
        .route("/sign-in", post(sign_in::submit))
        .route("/token", post(token::token))
        .route("/revoke", post(revoke::revoke))
        .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        .route("/catalogue.json", get(role_lists::catalogue))
        .route("/roles", post(role_lists::roles))
        .route("/logout", get(logout::logout).post(logout::logout))
        .with_state(world)
}

/// The name of the single sign-on cookie.
fn cookie_name(world: &World) -> String {
    let port = world.urls.provider.rsplit_once(':').map_or("", |(_, port)| port);
    format!("sandbox_sso_{port}")
}
