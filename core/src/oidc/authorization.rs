//! OpenID Connect Core 3.1.2.1: the authentication request.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::{CodeVerifier, Metadata};
use crate::platform::{Interaction, Platform, RandomnessError};
use crate::settings::Provider;
use crate::url::Url;

/// One authentication request and what must be remembered until its answer comes.
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// Where to send the browser.
    pub url: Url,
    /// Comes back in the redirect; ties it to this request (RFC 6749 section 10.12).
    pub state: String,
    /// Comes back in the ID token; ties that to this request (OIDC Core 3.1.3.7, step 11).
    pub nonce: String,
    /// Goes with the code (RFC 7636 section 4.5).
    pub code_verifier: CodeVerifier,
}

/// How the provider may treat the person (OIDC Core 3.1.2.1, `prompt`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prompt {
    /// `prompt=none`: answer from the session or refuse.
    None,
    /// The `prompt` of the settings, or none: ask what has to be asked.
    AsNeeded,
    /// `prompt=select_account`: let the person choose among the accounts that the provider knows.
    SelectAccount,
    /// `prompt=login`: let the person sign in anew.
    Login,
}

impl Prompt {
    /// The parameter's value, if it is sent. Of what the settings add to windows, `consent` goes with a choice of the
    /// account as well: Google gives a refresh token only with it.
    fn value(self, provider: &Provider) -> Option<String> {
        let configured = provider.prompt.as_deref();
        let chosen = match self {
            Self::None => return Some("none".to_owned()),
            Self::AsNeeded => return configured.map(str::to_owned),
            Self::SelectAccount => "select_account",
            Self::Login => "login",
        };
        let consents = configured.is_some_and(|prompt| prompt.split(' ').any(|word| word == "consent"));
        Some(if consents { format!("{chosen} consent") } else { chosen.to_owned() })
    }

    /// Whether a window may be shown.
    #[must_use]
    pub fn interaction(self) -> Interaction {
        if self == Self::None { Interaction::Silent } else { Interaction::Window }
    }
}

impl AuthorizationRequest {
    /// Builds a request with fresh `state`, `nonce` and code verifier, to be answered at `redirect_uri`.
    ///
    /// `login_hint` names the person who was signed in before, so that the provider need not ask.
    pub async fn new(
        platform: &impl Platform,
        provider: &Provider,
        metadata: &Metadata,
        redirect_uri: &Url,
        prompt: Prompt,
        login_hint: Option<&str>,
    ) -> Result<Self, RandomnessError> {
        let random = || {
            let mut bytes = [0; 32];
            platform.random(&mut bytes).map(|()| bytes)
        };
        let code_verifier = CodeVerifier::from_random(&random()?);
        let state = Base64UrlUnpadded::encode_string(&random()?);
        let nonce = Base64UrlUnpadded::encode_string(&random()?);

        let challenge = code_verifier.challenge().await?;

        let mut url = metadata.authorization_endpoint.url().clone();
        let mut query = url.query_pairs_mut();
        // The settings refuse `authorize_params` that name a parameter set below.
        query.extend_pairs(provider.authorize_params.iter());
        query.append_pair("response_type", "code");
        query.append_pair("client_id", &provider.client_id);
        query.append_pair("redirect_uri", redirect_uri.as_str());
        query.append_pair("scope", &provider.scope);
        query.append_pair("state", &state);
        query.append_pair("nonce", &nonce);
        query.append_pair("code_challenge", &challenge);
        query.append_pair("code_challenge_method", "S256");
        if let Some(prompt) = prompt.value(provider) {
            query.append_pair("prompt", &prompt);
        }
        if let Some(hint) = login_hint {
            query.append_pair("login_hint", hint);
        }
        drop(query);
        Ok(Self { url, state, nonce, code_verifier })
    }
}
