//! A sign-in, from a wish to credentials, as one line of steps.
//!
//! Sources are tried cheapest first: credentials in memory, the ID token at hand, the refresh token, a silent
//! redirect, a window. Callers see to it that only one sign-in per provider runs at a time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::aws::{AccountId, Credentials, Region, RoleArn};
use crate::oidc::{
    self, AuthorizationRequest, ExpectedRedirect, ExpectedToken, IdToken, IdTokenError, KeySet, Metadata,
    Person, Prompt, RedirectError, TokenError, Tokens,
};
use crate::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, Route, Step, TransportError,
    server_date,
};
use crate::settings::{Duration, Endpoint, Provider, Role};
use crate::sts::{self, StsError};
use crate::url::Url;
use crate::{Error, Result, secret};

/// Whether somebody is there to answer a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// A person asked and can sign in at the provider's pages.
    Person,
    /// A timer or a batch job asked; nothing may be shown.
    Nobody,
}

impl Presence {
    /// As a message says it.
    #[must_use]
    pub fn of(interactive: bool) -> Self {
        if interactive { Self::Person } else { Self::Nobody }
    }
}

/// What is remembered between sign-ins at one provider. Holds secrets: it lives in memory and `storage.session`.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProviderSession {
    registration: Option<(Endpoint, String)>,
    metadata: Option<Fetched<Metadata>>,
    keys: KeySet,
    id_token: Option<IdToken>,
    #[serde(serialize_with = "secret::expose_option")]
    refresh_token: Option<SecretString>,
    person: Option<Person>,
    listed_roles: Vec<RoleArn>,
    credentials: BTreeMap<RoleArn, Credentials>,
    durations: BTreeMap<RoleArn, Duration>,
    /// Whether the person has signed out: the next sign-in is for them to choose who they are.
    choose_account: bool,
    /// Whether some token of this provider had groups in `amr`.
    amr_held_groups: bool,
    /// Where STS is switched off.
    without_sts: BTreeSet<(AccountId, Region)>,
}

impl ProviderSession {
    /// Whether the role's credentials come from the partition's main region, since the account has no STS in the role's.
    #[must_use]
    pub fn uses_main_region(&self, role: &Role) -> bool {
        self.without_sts.contains(&(role.arn.account().clone(), role.region()))
    }

    /// Who is signed in at the provider, as far as is known.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    /// The role's credentials, if they last for longer than `time_left`, or for half of what they lasted when they came
    /// if that is less: a role of 15 minutes would otherwise be asked for at every call.
    #[must_use]
    pub fn credentials(
        &self,
        role: &RoleArn,
        now: DateTime<Utc>,
        time_left: TimeDelta,
    ) -> Option<&Credentials> {
        let lifetime = self.durations.get(role).copied().unwrap_or(Duration::DEFAULT);
        let needed = time_left.min(TimeDelta::seconds(lifetime.seconds().into()) / 2);
        self.credentials.get(role).filter(|credentials| credentials.time_left(now) > needed)
    }

    /// Every role there are credentials for, and until when.
    pub fn expirations(&self) -> impl Iterator<Item = (&RoleArn, DateTime<Utc>)> {
        self.credentials.iter().map(|(role, credentials)| (role, credentials.expiration))
    }

    /// The roles that the provider lists for this person, as far as they are roles.
    #[must_use]
    pub fn listed_roles(&self) -> &[RoleArn] {
        &self.listed_roles
    }

    /// What the provider says of itself, if it was asked already.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref().map(|read| &read.value)
    }

    /// Forgets one role's credentials.
    pub fn forget_role(&mut self, role: &RoleArn) {
        self.credentials.remove(role);
    }
}

/// Something read from a server, and when.
#[derive(Debug, Serialize, Deserialize)]
struct Fetched<T> {
    value: T,
    at: DateTime<Utc>,
}

/// Gives the role's credentials, signing in as far as is needed.
///
/// Credentials in `session` are used if they last for longer than `time_left`, as [`ProviderSession::credentials`] has it.
pub async fn sign_in(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    presence: Presence,
    time_left: TimeDelta,
    session: &mut ProviderSession,
) -> Result<Credentials> {
    session.begin(provider);
    // 1. Credentials in memory cost nothing.
    if let Some(credentials) = session.credentials(&role.arn, platform.now(), time_left) {
        return Ok(credentials.clone());
    }
    // 2. An ID token that STS still takes costs one request. One that it refuses may be too old to tell of a group
    // that the person was added to since, so a new one is asked for before the refusal is believed.
    if let Some(token) = session.id_token.clone().filter(|token| token.expires_at > platform.now()) {
        match assume_role(platform, provider, role, &token, session).await {
            Err(Error::Sts(error)) if error.asks_for_new_token() => session.id_token = None,
            result => return result,
        }
    }
    // 3. to 5. Otherwise the provider has to be asked.
    let token = authenticate(platform, provider, presence, session).await?;
    assume_role(platform, provider, role, &token, session).await
}

/// Gets a new ID token: by refresh token, silently, or with the person at a window.
pub async fn authenticate(
    platform: &impl Platform,
    provider: &Provider,
    presence: Presence,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    session.begin(provider);
    let metadata = discover(platform, provider, session).await?;
    // 3. A refresh token costs one request. A provider may have withdrawn it, which is no failure.
    if let Some(refresh_token) = session.refresh_token.clone() {
        match refresh(platform, provider, &metadata, &refresh_token, session).await {
            Err(error @ Error::Transport(_)) => return Err(error),
            Err(_) => session.refresh_token = None,
            token => return token,
        }
    }
    // Whoever signed out is not signed in again behind their back: the provider may still know them.
    if session.choose_account {
        return match presence {
            Presence::Person => authorize_another(platform, provider, &metadata, session).await,
            Presence::Nobody => Err(AuthorizeError::InteractionRequired.into()),
        };
    }
    // 4. A silent redirect costs nobody's attention.
    match authorize(platform, provider, &metadata, Prompt::None, session).await {
        // 5. A window, if somebody is there to see it.
        Err(error) if presence == Presence::Person && may_need_person(&error) => {
            authorize(platform, provider, &metadata, Prompt::AsNeeded, session).await
        }
        result => result,
    }
}

/// Has the person choose who they are, in a window. Nothing of who they were is lost unless it comes to another account.
pub async fn choose_account(
    platform: &impl Platform,
    provider: &Provider,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    session.begin(provider);
    let metadata = discover(platform, provider, session).await?;
    authorize_another(platform, provider, &metadata, session).await
}

async fn authorize_another(
    platform: &impl Platform,
    provider: &Provider,
    metadata: &Metadata,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    let prompt = metadata.prompt_for_account();
    match authorize(platform, provider, metadata, prompt, session).await {
        // A provider that says nothing of what it knows may not know this one.
        Err(Error::Redirect(RedirectError::Refused { .. })) if prompt == Prompt::SelectAccount => {
            authorize(platform, provider, metadata, Prompt::Login, session).await
        }
        result => result,
    }
}

/// Forgets who is signed in and all that came of it, and has the provider make the refresh token worthless. Gives the
/// page at which the person can end their session at the provider, if they were signed in and it has one.
pub async fn sign_out(
    platform: &impl Platform,
    provider: &Provider,
    session: &mut ProviderSession,
) -> Option<Url> {
    session.id_token = None;
    session.listed_roles.clear();
    session.credentials.clear();
    let was_signed_in = session.person.take().is_some();
    session.choose_account |= was_signed_in;
    let refresh_token = session.refresh_token.take();
    let metadata = session.metadata()?;
    let request = refresh_token.and_then(|token| oidc::revocation_request(provider, metadata, &token));
    if let Some(request) = request {
        // Forgotten it is in any case.
        let _ = platform.send(request, provider.token_exchange.into()).await;
    }
    oidc::end_session_url(provider, metadata).filter(|_| was_signed_in)
}

/// Gives the provider's configuration, read at most once an hour.
async fn discover(
    platform: &impl Platform,
    provider: &Provider,
    session: &mut ProviderSession,
) -> Result<Metadata> {
    let now = platform.now();
    if let Some(read) = session.metadata.as_ref().filter(|read| (now - read.at).abs() < DISCOVERY_LIFETIME) {
        return Ok(read.value.clone());
    }
    platform.progress(Step::Discovering);
    let response = platform.send(oidc::metadata_request(provider), Route::Auto).await?;
    let metadata = Metadata::read(provider, &response)?;
    session.keys = fetch_keys(platform, &metadata).await?;
    session.metadata = Some(Fetched { value: metadata.clone(), at: now });
    Ok(metadata)
}

async fn fetch_keys(platform: &impl Platform, metadata: &Metadata) -> Result<KeySet> {
    let response = platform.send(oidc::keys_request(metadata), Route::Auto).await?;
    Ok(KeySet::read(metadata, &response)?)
}

/// Authorization Code + PKCE, from the request to a verified ID token.
async fn authorize(
    platform: &impl Platform,
    provider: &Provider,
    metadata: &Metadata,
    prompt: Prompt,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    match authorize_once(platform, provider, metadata, prompt, session).await {
        // A browser may keep an answer from an extension after the server has used the code up. The route that
        // works is known by now, and a new code costs nobody's attention.
        Err(error @ Error::Token(_)) if is_invalid_grant(&error) => {
            authorize_once(platform, provider, metadata, Prompt::None, session).await.map_err(|_| error)
        }
        result => result,
    }
}

async fn authorize_once(
    platform: &impl Platform,
    provider: &Provider,
    metadata: &Metadata,
    prompt: Prompt,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    let interaction = prompt.interaction();
    let step = match interaction {
        Interaction::Silent => Step::AskingSilently,
        Interaction::Window => Step::WaitingForPerson,
    };
    // Who is to choose is not told whom to choose.
    let chooses = matches!(prompt, Prompt::SelectAccount | Prompt::Login);
    let person = session.person.as_ref().filter(|_| !chooses);
    let login_hint = person.and_then(|person| person.email.as_deref());
    let request = AuthorizationRequest::new(platform, provider, metadata, prompt, login_hint)?;

    platform.progress(step);
    let redirect = platform.authorize(&request.url, interaction).await?;
    let redirect_uri = platform.redirect_uri();
    let expected = ExpectedRedirect { redirect_uri: &redirect_uri, state: &request.state, metadata };
    let code = oidc::read_redirect(&redirect, expected)?;

    platform.progress(Step::RedeemingCode);
    let exchange = oidc::code_request(provider, metadata, &redirect_uri, &code, &request.code_verifier);
    let response = platform.send(exchange, provider.token_exchange.into()).await?;
    let tokens = oidc::read_tokens(&response)?;
    let token =
        verify(platform, provider, metadata, &response, &tokens, Some(&request.nonce), session).await?;
    session.remember(token.clone(), tokens.refresh_token);
    Ok(token)
}

async fn refresh(
    platform: &impl Platform,
    provider: &Provider,
    metadata: &Metadata,
    refresh_token: &SecretString,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    platform.progress(Step::RedeemingCode);
    let request = oidc::refresh_request(provider, metadata, refresh_token);
    let response = platform.send(request, provider.token_exchange.into()).await?;
    let tokens = oidc::read_tokens(&response)?;
    let token = verify(platform, provider, metadata, &response, &tokens, None, session).await?;
    // OIDC Core 12.2: the subject must be the one who signed in.
    if session.person.as_ref().is_some_and(|person| person.sub != token.person.sub) {
        return Err(IdTokenError::SubjectChanged.into());
    }
    // RFC 6749 section 6: a new refresh token replaces the old one; without a new one the old one stays.
    let refresh_token = tokens.refresh_token.or_else(|| Some(refresh_token.clone()));
    session.remember(token.clone(), refresh_token);
    Ok(token)
}

/// Verifies an ID token, fetching the keys once more if it was signed with a new one (OIDC Core 10.1.1).
async fn verify(
    platform: &impl Platform,
    provider: &Provider,
    metadata: &Metadata,
    response: &HttpResponse,
    tokens: &Tokens,
    nonce: Option<&str>,
    session: &mut ProviderSession,
) -> Result<IdToken> {
    platform.progress(Step::VerifyingIdToken);
    let expected = ExpectedToken {
        issuer: &metadata.issuer,
        client_id: &provider.client_id,
        nonce,
        roles_claim: provider.roles_claim.as_deref(),
        clocks: (platform.now(), server_date(response)),
    };
    match oidc::verify(tokens.id_token.clone(), &session.keys, expected) {
        Err(IdTokenError::KeyUnknown { .. }) => {
            session.keys = fetch_keys(platform, metadata).await?;
            Ok(oidc::verify(tokens.id_token.clone(), &session.keys, expected)?)
        }
        result => Ok(result?),
    }
}

/// `AssumeRoleWithWebIdentity`, for as long as the role allows.
async fn assume_role(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    token: &IdToken,
    session: &mut ProviderSession,
) -> Result<Credentials> {
    platform.progress(Step::AssumingRole);
    let durations = sts::durations(role.duration, session.durations.get(&role.arn).copied());
    let mut refusal = None;
    for duration in durations {
        match assume_role_for(platform, provider, role, token, duration, session).await {
            Ok(credentials) => {
                session.durations.insert(role.arn.clone(), duration);
                session.credentials.insert(role.arn.clone(), credentials.clone());
                return Ok(credentials);
            }
            // Where another argument is meant, the first refusal says it best.
            Err(Error::Sts(error)) if error.may_be_the_duration() => refusal = refusal.or(Some(error)),
            Err(Error::Sts(error)) => {
                let amr_held_groups = session.amr_held_groups;
                let context = sts::Context { role: &role.arn, token, keys: &session.keys, amr_held_groups };
                return Err(error.explained(context).into());
            }
            Err(error) => return Err(error),
        }
    }
    Err(refusal.unwrap_or(StsError::DurationTooLong).into())
}

/// One duration: in the role's region, and in the partition's main region where the account has no STS in the first.
async fn assume_role_for(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    token: &IdToken,
    duration: Duration,
    session: &mut ProviderSession,
) -> Result<Credentials> {
    let main_region = role.arn.partition().default_region();
    let no_sts = (role.arn.account().clone(), role.region());
    let mut region = role.region();
    if session.without_sts.contains(&no_sts) {
        region = main_region.clone();
    }
    loop {
        let endpoint = sts::endpoint(provider, role, &region);
        let request = || sts::assume_role_request(&endpoint, role, token, duration);
        match ask_sts_patiently(platform, role, request).await {
            // STS cannot be switched off in a partition's main region, and its credentials work in all regions.
            Err(Error::Sts(StsError::RegionDisabled))
                if provider.sts_endpoint.is_none() && region != main_region =>
            {
                session.without_sts.insert(no_sts.clone());
                region = main_region.clone();
                platform.progress(Step::AssumingRoleInMainRegion);
            }
            result => return result,
        }
    }
}

/// Asks again after a while what may succeed then.
async fn ask_sts_patiently(
    platform: &impl Platform,
    role: &Role,
    request: impl Fn() -> HttpRequest,
) -> Result<Credentials> {
    let mut random = [0; 2];
    platform.random(&mut random)?;
    for delay in sts::delays(random) {
        match ask_sts(platform, role, request()).await {
            Err(Error::Sts(error)) if error.is_transient() => platform.wait(delay).await,
            result => return result,
        }
    }
    ask_sts(platform, role, request()).await
}

async fn ask_sts(platform: &impl Platform, role: &Role, request: HttpRequest) -> Result<Credentials> {
    match platform.send(request, Route::Auto).await {
        Ok(response) => Ok(sts::read_credentials(&response, &role.arn, platform.now())?),
        Err(error @ TransportError::Unreachable { .. }) => {
            Err(StsError::Unreachable { reason: error.to_string() }.into())
        }
        Err(error @ TransportError::TimedOut { .. }) => {
            Err(StsError::TimedOut { reason: error.to_string() }.into())
        }
        Err(error) => Err(error.into()),
    }
}

impl ProviderSession {
    /// Starts afresh when the settings have come to mean another provider or client by the same id.
    fn begin(&mut self, provider: &Provider) {
        let registration = Some((provider.well_known_url.clone(), provider.client_id.clone()));
        if self.registration != registration {
            *self = Self { registration, ..Self::default() };
        }
    }

    fn remember(&mut self, token: IdToken, refresh_token: Option<SecretString>) {
        // Somebody else has signed in at the provider: nothing of the person before may be served to them.
        if self.person.as_ref().is_some_and(|person| person.sub != token.person.sub) {
            self.credentials.clear();
        }
        self.person = Some(token.person.clone());
        self.choose_account = false;
        self.amr_held_groups |= sts::holds_groups(&token.amr);
        self.listed_roles = token.roles.iter().filter_map(|text| text.parse().ok()).collect();
        self.id_token = Some(token);
        self.refresh_token = refresh_token;
    }
}

/// Whether what failed silently may succeed in a window. Providers differ in how they refuse `prompt=none`.
fn may_need_person(error: &Error) -> bool {
    match error {
        Error::Authorize(error) => *error != AuthorizeError::Cancelled,
        Error::Redirect(error) => matches!(
            error,
            RedirectError::InteractionRequired { .. }
                | RedirectError::Refused { .. }
                | RedirectError::AccessDenied { .. }
        ),
        _ => false,
    }
}

fn is_invalid_grant(error: &Error) -> bool {
    matches!(error, Error::Token(error) if TokenError::is_invalid_grant(error))
}

/// How long a provider's configuration is believed.
const DISCOVERY_LIFETIME: TimeDelta = TimeDelta::hours(1);

#[cfg(test)]
mod tests;
