//! A sign-in, from a request to credentials, as one line of steps.
//!
//! Sources are tried cheapest first: credentials in memory, the ID token at hand, the refresh token, a silent
//! redirect, a window. Any number of sign-ins may run at once on one [`SharedSession`]: whoever finds fresh credentials
//! waits for nobody, roles are assumed side by side with one ID token, and only getting an ID token is for one at a time.
//!
//! Each function may be dropped wherever it waits. What it had found out by then is kept.

use secrecy::ExposeSecret;

use crate::aws::Credentials;
use crate::freshness::LAST_RESORT;
use crate::oidc::{
    self, AuthorizationRequest, ExpectedRedirect, ExpectedToken, IdToken, IdTokenError, KeySet, Metadata,
    Person, Prompt, RedirectError, Tokens,
};
use crate::platform::{
    AuthorizeError, HttpRequest, HttpResponse, Interaction, Platform, RandomnessError, Route, Step,
    TransportError, retry_after, server_date,
};
use crate::session::{Generation, PersonChanged, ProviderSession, SharedSession};
use crate::settings::{Duration, Provider, Role};
use crate::sts::{self, StsError};
use crate::time::{DateTime, TimeDelta, Utc};
use crate::url::Url;
use crate::{Error, Result};

/// Whether a person can answer a window.
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

/// Gives the role's credentials, signing in as far as is needed.
///
/// Credentials of the session are used if they last for longer than `time_left`
/// ([`ProviderSession::fresh_credentials`]). A chained role is assumed through its `sources`, the nearest first
/// ([`Effective::sources`](crate::settings::Effective::sources)).
pub async fn sign_in(
    platform: &impl Platform,
    provider: &Provider,
    (role, sources): (&Role, &[Role]),
    presence: Presence,
    time_left: TimeDelta,
    session: &impl SharedSession,
) -> Result<Credentials> {
    let Some((first, between)) = sources.split_last() else {
        return sign_in_to(platform, provider, role, presence, time_left, session).await;
    };
    begin(provider, session);
    let now = platform.now();
    let fresh = |role: &Role, sources: &[Role], time_left| {
        session.read(|session| session.fresh_credentials(role, sources, now, time_left).cloned())
    };
    if let Some(credentials) = fresh(role, sources, time_left) {
        return Ok(credentials);
    }
    // A source only has to sign one request, so the chain begins at the nearest one that still can.
    let held = |at| Some((at, fresh(&sources[at], &sources[at + 1..], LAST_RESORT)?));
    let mut held = (0..sources.len()).find_map(held);
    loop {
        let is_held = held.is_some();
        let (at, credentials) = match held.take() {
            Some(held) => held,
            None => (between.len(), sign_in_anew(platform, provider, first, presence, session).await?),
        };
        match assume_chain(platform, provider, (role, sources), (at, credentials), session).await {
            // The source's session may have been revoked, or its role made anew.
            Err(Error::Sts(error)) if is_held && !error.is_transient() => {}
            result => return result,
        }
    }
}

/// The same for a role that is assumed with the ID token.
async fn sign_in_to(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    presence: Presence,
    time_left: TimeDelta,
    session: &impl SharedSession,
) -> Result<Credentials> {
    begin(provider, session);
    // 1. Credentials in memory cost nothing.
    let now = platform.now();
    let fresh = session.read(|session| session.fresh_credentials(role, &[], now, time_left).cloned());
    match fresh {
        Some(credentials) => Ok(credentials),
        None => sign_in_anew(platform, provider, role, presence, session).await,
    }
}

async fn sign_in_anew(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    presence: Presence,
    session: &impl SharedSession,
) -> Result<Credentials> {
    // 2. An ID token that STS still takes costs one request. One that it refuses may be too old to tell of a group
    // that the person was added to since, so a new one is asked for before the refusal is believed.
    let now = platform.now();
    let mut refused = None;
    if let Some(token) = session.read(|session| session.id_token(now).cloned()) {
        match assume_role(platform, provider, role, &token, session).await {
            Err(Error::Sts(error)) if error.asks_for_new_token() => refused = Some(token),
            result => return result,
        }
    }
    // 3. to 5. Otherwise the provider has to be asked.
    let token = id_token(platform, provider, presence, refused.as_ref(), session).await?;
    assume_role(platform, provider, role, &token, session).await
}

/// Gets an ID token other than the one that was `refused`: one that somebody else got meanwhile, or a new one by refresh
/// token, silently, or with the person at a window. One at a time.
pub async fn id_token(
    platform: &impl Platform,
    provider: &Provider,
    presence: Presence,
    refused: Option<&IdToken>,
    session: &impl SharedSession,
) -> Result<IdToken> {
    begin(provider, session);
    let _lock = session.lock_login().await?;
    let now = platform.now();
    let is_new = |token: &&IdToken| refused.is_none_or(|refused| !refused.is_same(token));
    if let Some(token) = session.read(|session| session.id_token(now).filter(is_new).cloned()) {
        return Ok(token);
    }
    let generation = session.read(ProviderSession::generation);
    let metadata = discover(platform, provider, session).await?;
    let flow = Flow { platform, provider, metadata: &metadata, generation, session };
    // 3. A refresh token costs one request.
    if let Some(token) = flow.refresh().await? {
        return Ok(token);
    }
    // Whoever signed out is not signed in again behind their back: the provider may still know them.
    if session.read(ProviderSession::chooses_account) {
        return match presence {
            Presence::Person => flow.authorize_another().await,
            Presence::Nobody => Err(AuthorizeError::InteractionRequired.into()),
        };
    }
    // 4. A silent redirect needs no attention.
    match flow.authorize(Prompt::None).await {
        // 5. A window, if a person is there.
        Err(error) if presence == Presence::Person && may_need_person(&error) => {
            flow.authorize(Prompt::AsNeeded).await
        }
        result => result,
    }
}

/// Has the person choose who they are, in a window. Nothing of who they were is lost unless it comes to another account.
pub async fn choose_account(
    platform: &impl Platform,
    provider: &Provider,
    session: &impl SharedSession,
) -> Result<IdToken> {
    begin(provider, session);
    let _lock = session.lock_login().await?;
    let generation = session.read(ProviderSession::generation);
    let metadata = discover(platform, provider, session).await?;
    Flow { platform, provider, metadata: &metadata, generation, session }.authorize_another().await
}

/// Forgets who is signed in and all that came of it, and has the provider revoke the refresh token. A sign-in that is
/// under way comes to nothing. Gives the page at which the person can end their session at the provider, if they were
/// signed in and it has one.
pub async fn sign_out(
    platform: &impl Platform,
    provider: &Provider,
    session: &impl SharedSession,
) -> Option<Url> {
    let (refresh_token, changed) = session.change(ProviderSession::end);
    if let Some(changed) = &changed {
        session.person_changed(changed);
    }
    let metadata = session.read(|session| session.metadata().cloned())?;
    let request = refresh_token.and_then(|token| oidc::revocation_request(provider, &metadata, &token));
    if let Some(request) = request {
        // It is forgotten here whatever the provider answers.
        let _ = platform.send(request, provider.token_exchange.into()).await;
    }
    oidc::end_session_url(provider, &metadata).filter(|_| changed.is_some())
}

/// Starts afresh when the settings have come to mean another provider or client by the same id.
fn begin(provider: &Provider, session: &impl SharedSession) {
    if session.read(|session| session.is_of(provider)) {
        return;
    }
    let changed = session.change(|session| session.begin(provider));
    tell(changed.as_ref(), session);
}

fn tell(changed: Option<&PersonChanged>, session: &impl SharedSession) {
    if let Some(changed) = changed {
        session.person_changed(changed);
    }
}

/// Gives the provider's configuration, read at most once an hour.
async fn discover(
    platform: &impl Platform,
    provider: &Provider,
    session: &impl SharedSession,
) -> Result<Metadata> {
    let now = platform.now();
    let known = session.read(|session| session.fresh_metadata(now, DISCOVERY_LIFETIME).cloned());
    if let Some(metadata) = known {
        return Ok(metadata);
    }
    platform.progress(Step::Discovering);
    let response = platform.send(oidc::metadata_request(provider), Route::Auto).await?;
    let metadata = Metadata::read(provider, &response)?;
    let keys = fetch_keys(platform, provider, &metadata).await?;
    session.change(|session| session.set_metadata(metadata.clone(), keys, now));
    Ok(metadata)
}

async fn fetch_keys(platform: &impl Platform, provider: &Provider, metadata: &Metadata) -> Result<KeySet> {
    let response = platform.send(oidc::keys_request(provider, metadata), Route::Auto).await?;
    Ok(KeySet::read(metadata, &response)?)
}

/// One attempt to get an ID token.
struct Flow<'a, P, S> {
    platform: &'a P,
    provider: &'a Provider,
    metadata: &'a Metadata,
    /// Whose session it was at the beginning.
    generation: Generation,
    session: &'a S,
}

impl<P: Platform, S: SharedSession> Flow<'_, P, S> {
    async fn authorize_another(&self) -> Result<IdToken> {
        let prompt = self.metadata.prompt_for_account();
        match self.authorize(prompt).await {
            // A provider that says nothing of what it knows may not know this one.
            Err(Error::Redirect(RedirectError::Refused { .. })) if prompt == Prompt::SelectAccount => {
                self.authorize(Prompt::Login).await
            }
            result => result,
        }
    }

    /// Authorization Code + PKCE, from the request to a verified ID token.
    async fn authorize(&self, prompt: Prompt) -> Result<IdToken> {
        match self.authorize_once(prompt).await {
            // A browser may keep an answer from an extension after the server has used the code up. The route that
            // works is known by now, and a new code rarely costs anybody's attention.
            Err(Error::Token(error)) if error.is_invalid_grant() => {
                let again = match self.authorize_once(Prompt::None).await {
                    // Whoever has just signed in at a window is there for another one.
                    Err(error) if prompt != Prompt::None && may_need_person(&error) => {
                        self.authorize_once(Prompt::AsNeeded).await
                    }
                    result => result,
                };
                again.map_err(|again| match again {
                    Error::Authorize(AuthorizeError::Cancelled | AuthorizeError::SignedOut) => again,
                    _ => error.into(),
                })
            }
            result => result,
        }
    }

    async fn authorize_once(&self, prompt: Prompt) -> Result<IdToken> {
        let Self { platform, provider, metadata, session, .. } = *self;
        let interaction = prompt.interaction();
        // Providers that answer `prompt=none` with a page cost everybody the time until the browser gives up.
        if interaction == Interaction::Silent && !provider.silent {
            return Err(AuthorizeError::InteractionRequired.into());
        }
        let step = match interaction {
            Interaction::Silent => Step::AskingSilently,
            Interaction::Window => Step::WaitingForPerson,
        };
        // Who is to choose is not told whom to choose.
        let chooses = matches!(prompt, Prompt::SelectAccount | Prompt::Login);
        let hint = session.read(|session| session.person().and_then(|person| person.login_hint.clone()));
        let login_hint = hint.as_deref().filter(|_| !chooses);
        let redirect_uri = platform.redirect_uri(metadata.authorization_response_iss_parameter_supported);
        let request =
            AuthorizationRequest::new(platform, provider, metadata, &redirect_uri, prompt, login_hint)
                .await?;

        platform.progress(step);
        let redirect = platform.authorize(&request.url, interaction).await?;
        let expected = ExpectedRedirect { redirect_uri: &redirect_uri, state: &request.state, metadata };
        let code = oidc::read_redirect(&redirect, expected)?;

        platform.progress(Step::RedeemingCode);
        let route = provider.token_exchange.into();
        platform.find_route(oidc::probe_request(provider, metadata), route).await;
        let exchange = oidc::code_request(provider, metadata, &redirect_uri, &code, &request.code_verifier);
        let response = platform.send(exchange, route).await?;
        let tokens = oidc::read_tokens(provider, &response)?;
        let token = self.verify(&response, &tokens, Some(&request.nonce)).await?;
        self.remember(token, tokens)
    }

    /// Uses the refresh token, if there is one. `None` where that leads nowhere and the provider has to be asked by a
    /// redirect.
    async fn refresh(&self) -> Result<Option<IdToken>> {
        let Self { platform, session, .. } = *self;
        let now = platform.now();
        let Some(refresh_token) = session.read(|session| session.refresh_token(now).cloned()) else {
            return Ok(None);
        };
        platform.progress(Step::RedeemingCode);
        let request = || oidc::refresh_request(self.provider, self.metadata, &refresh_token);
        let response = self.send_patiently(request).await?;
        let tokens = match oidc::read_tokens(self.provider, &response) {
            Ok(tokens) => tokens,
            // RFC 6749 section 5.2: only this says that the token itself is of no use any more.
            Err(error) if error.is_invalid_grant() => {
                session.change(ProviderSession::drop_refresh_token);
                return Ok(None);
            }
            Err(_) => {
                if let Some(wait) = retry_after(&response, now) {
                    let until = now + wait.min(LONGEST_POSTPONEMENT);
                    session.change(|session| session.postpone_refresh(until));
                }
                return Ok(None);
            }
        };
        let token = match self.verify(&response, &tokens, None).await {
            Ok(token) => token,
            Err(error @ Error::Transport(_)) => return Err(error),
            Err(_) => return Ok(None),
        };
        // OIDC Core 12.2: the subject must be the one who signed in.
        let is_somebody_else =
            |session: &ProviderSession| session.person().is_some_and(|person| person.sub != token.person.sub);
        if session.read(is_somebody_else) {
            // It is not the person's, and would say the same again.
            session.change(ProviderSession::drop_refresh_token);
            return Err(IdTokenError::SubjectChanged.into());
        }
        self.remember(token, tokens).map(Some)
    }

    /// Sends a request to the token endpoint, and again after a while what it has no time for now (RFC 6585 section 4,
    /// RFC 9110 section 15.6.4). The last answer comes back whatever it is.
    async fn send_patiently(&self, request: impl Fn() -> HttpRequest) -> Result<HttpResponse> {
        let Self { platform, provider, .. } = *self;
        let mut random = [0; 2];
        platform.random(&mut random)?;
        for delay in sts::delays(random) {
            let response = platform.send(request(), provider.token_exchange.into()).await?;
            if !is_busy(&response) {
                return Ok(response);
            }
            let wanted = retry_after(&response, platform.now()).and_then(|wait| wait.to_std().ok());
            match wanted {
                // Whoever waits for credentials does not wait for that long.
                Some(wanted) if wanted > LONGEST_WAIT => return Ok(response),
                wanted => platform.wait(wanted.unwrap_or_default().max(delay)).await,
            }
        }
        Ok(platform.send(request(), provider.token_exchange.into()).await?)
    }

    /// Verifies an ID token, fetching the keys once more if it was signed with a new one (OIDC Core 10.1.1).
    async fn verify(&self, response: &HttpResponse, tokens: &Tokens, nonce: Option<&str>) -> Result<IdToken> {
        let Self { platform, provider, metadata, session, .. } = *self;
        platform.progress(Step::VerifyingIdToken);
        let expected = ExpectedToken {
            issuer: &metadata.issuer,
            client_id: &provider.client_id,
            nonce,
            username_claim: provider.username_claim.as_deref(),
            roles_claim: provider.roles_claim.as_deref(),
            groups_claim: provider.groups_claim(),
            clocks: (platform.now(), server_date(response)),
        };
        let now = platform.now();
        let (keys, age) = session.read(|session| (session.keys().clone(), session.age_of_keys(now)));
        let verified = oidc::verify(tokens.id_token.clone(), &keys, expected).await;
        let may_be_outdated = match &verified {
            Err(IdTokenError::KeyUnknown { .. }) => true,
            // A provider may have given a new key the name of an old one. Whoever sends bad signatures must not have it
            // asked again and again.
            Err(IdTokenError::Signature | IdTokenError::KeyWeak | IdTokenError::KeyUnfit { .. }) => {
                age.is_none_or(|age| age >= KEYS_REFRESH_FLOOR)
            }
            _ => false,
        };
        if !may_be_outdated {
            return Ok(verified?);
        }
        let keys = fetch_keys(platform, self.provider, metadata).await?;
        session.change(|session| session.set_keys(keys.clone(), now));
        Ok(oidc::verify(tokens.id_token.clone(), &keys, expected).await?)
    }

    fn remember(&self, token: IdToken, tokens: Tokens) -> Result<IdToken> {
        let remembered = self.session.change(|session| {
            let is_same = session.generation() == self.generation;
            is_same.then(|| session.remember(token.clone(), tokens.refresh_token))
        });
        let changed = remembered.ok_or(AuthorizeError::SignedOut)?;
        tell(changed.as_ref(), self.session);
        Ok(token)
    }
}

/// `AssumeRoleWithWebIdentity`, for as long as the role allows. Any number of roles may be assumed at once.
pub async fn assume_role(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    token: &IdToken,
    session: &impl SharedSession,
) -> Result<Credentials> {
    platform.progress(Step::AssumingRole);
    let length = token.text.expose_secret().len();
    if length > LONGEST_TOKEN {
        return Err(StsError::TokenTooLong { length }.into());
    }
    let (generation, accepted) =
        session.read(|session| (session.generation(), session.accepted_duration(&role.arn)));
    let mut refusal = None;
    for duration in sts::durations(role.duration, accepted) {
        match credentials_for(platform, provider, role, Proof::Token(token, duration), session).await {
            Ok(credentials) => {
                let now = platform.now();
                let is_held = session.change(|session| {
                    let is_theirs = session.person().is_some_and(|person| person.sub == token.person.sub);
                    let is_held = is_theirs && session.generation() == generation;
                    if is_held {
                        session.hold((role, &[]), &credentials, duration, now);
                    }
                    is_held
                });
                return if is_held { Ok(credentials) } else { Err(AuthorizeError::SignedOut.into()) };
            }
            // Where another argument is meant, the first refusal says it best.
            Err(Error::Sts(error)) if error.may_be_the_duration() => refusal = refusal.or(Some(error)),
            Err(Error::Sts(error)) => {
                let explained = |session: &ProviderSession| {
                    error.explained(sts::Context {
                        role: &role.arn,
                        token,
                        keys: session.keys(),
                        amr_held_groups: session.amr_held_groups(),
                    })
                };
                return Err(session.read(explained).into());
            }
            Err(error) => return Err(error),
        }
    }
    Err(refusal.unwrap_or(StsError::DurationTooLong).into())
}

/// Assumes each role with the credentials of the one before: from the source at this position, whose credentials these are, to
/// the nearest one and to `role` itself.
async fn assume_chain(
    platform: &impl Platform,
    provider: &Provider,
    (role, sources): (&Role, &[Role]),
    (at, mut credentials): (usize, Credentials),
    session: &impl SharedSession,
) -> Result<Credentials> {
    for at in (0..=at).rev() {
        let next = at.checked_sub(1).map_or(role, |nearer| &sources[nearer]);
        credentials =
            assume_chained_role(platform, provider, (next, &sources[at..]), &credentials, session).await?;
    }
    Ok(credentials)
}

/// `AssumeRole` with the credentials of the nearest of the role's `sources`, which AWS limits to one hour.
async fn assume_chained_role(
    platform: &impl Platform,
    provider: &Provider,
    (role, sources): (&Role, &[Role]),
    credentials: &Credentials,
    session: &impl SharedSession,
) -> Result<Credentials> {
    platform.progress(Step::AssumingRole);
    let (generation, person) = session.read(|session| (session.generation(), session.person().cloned()));
    let person = person.ok_or(AuthorizeError::SignedOut)?;
    let proof = Proof::Role(credentials, &person);
    let credentials = credentials_for(platform, provider, role, proof, session).await;
    let credentials = credentials.map_err(|error| match error {
        Error::Sts(StsError::AccessDenied { message, .. }) => StsError::ChainDenied {
            role: role.arn.clone(),
            source_role: sources.first().map(|source| source.arn.name().to_owned()).unwrap_or_default(),
            message,
        }
        .into(),
        error => error,
    })?;
    let now = platform.now();
    let is_held = session.change(|session| {
        let is_held = session.generation() == generation;
        if is_held {
            session.hold((role, sources), &credentials, Duration::DEFAULT, now);
        }
        is_held
    });
    if is_held { Ok(credentials) } else { Err(AuthorizeError::SignedOut.into()) }
}

/// What STS is shown for a role's credentials.
#[derive(Clone, Copy)]
enum Proof<'a> {
    /// The ID token, for credentials of this duration.
    Token(&'a IdToken, Duration),
    /// Another role's credentials, of this person.
    Role(&'a Credentials, &'a Person),
}

/// Asks in the role's region, and in the partition's main region where the account has no STS in the first.
async fn credentials_for(
    platform: &impl Platform,
    provider: &Provider,
    role: &Role,
    proof: Proof<'_>,
    session: &impl SharedSession,
) -> Result<Credentials> {
    let main_region = role.arn.partition().default_region();
    let mut region = role.region();
    if session.read(|session| session.uses_main_region(role)) {
        region = main_region.clone();
    }
    // Of STS, once it has not accepted the time of the signature.
    let mut clock = None;
    loop {
        let endpoint = sts::endpoint(provider, role, &region);
        let request = match proof {
            Proof::Token(token, duration) => sts::assume_role_request(&endpoint, role, token, duration),
            Proof::Role(credentials, person) => {
                let signed = (&region, clock.unwrap_or_else(|| platform.now()));
                let request = sts::chained_role_request(&endpoint, role, person, credentials, signed).await;
                request.map_err(RandomnessError::from)?
            }
        };
        let mut date = None;
        match ask_sts_patiently(platform, role, &request, &mut date).await {
            // STS cannot be switched off in a partition's main region, and its credentials work in all regions.
            Err(Error::Sts(StsError::RegionDisabled))
                if provider.sts_endpoint.is_none() && region != main_region =>
            {
                session.change(|session| session.note_without_sts(role));
                region = main_region.clone();
                platform.progress(Step::AssumingRoleInMainRegion);
            }
            Err(Error::Sts(StsError::SignatureRefused { .. }))
                if clock.is_none()
                    && date
                        .is_some_and(|date: DateTime<Utc>| (date - platform.now()).abs() > CLOCK_ERROR) =>
            {
                clock = date;
            }
            result => return result,
        }
    }
}

/// Asks again after a while what may succeed then.
async fn ask_sts_patiently(
    platform: &impl Platform,
    role: &Role,
    request: &HttpRequest,
    date: &mut Option<DateTime<Utc>>,
) -> Result<Credentials> {
    let mut random = [0; 2];
    platform.random(&mut random)?;
    for delay in sts::delays(random) {
        match ask_sts(platform, role, request.clone(), date).await {
            Err(Error::Sts(error)) if error.is_transient() => platform.wait(delay).await,
            result => return result,
        }
    }
    ask_sts(platform, role, request.clone(), date).await
}

/// Asks once. `date` becomes the time at STS, if the response tells it.
async fn ask_sts(
    platform: &impl Platform,
    role: &Role,
    request: HttpRequest,
    date: &mut Option<DateTime<Utc>>,
) -> Result<Credentials> {
    match platform.send(request, Route::Auto).await {
        Ok(response) => {
            *date = server_date(&response);
            Ok(sts::read_credentials(&response, &role.arn, platform.now())?)
        }
        Err(error @ TransportError::Unreachable { .. }) => {
            Err(StsError::Unreachable { reason: error.to_string() }.into())
        }
        Err(error @ TransportError::TimedOut { .. }) => {
            Err(StsError::TimedOut { reason: error.to_string() }.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether what failed silently may succeed in a window. Providers differ in how they refuse `prompt=none`.
fn may_need_person(error: &Error) -> bool {
    match error {
        Error::Authorize(error) => !matches!(error, AuthorizeError::Cancelled | AuthorizeError::SignedOut),
        Error::Redirect(error) => matches!(
            error,
            RedirectError::InteractionRequired { .. }
                | RedirectError::Refused { .. }
                | RedirectError::AccessDenied { .. }
        ),
        _ => false,
    }
}

/// Whether the same request may be answered later.
fn is_busy(response: &HttpResponse) -> bool {
    response.status == 429 || (500..600).contains(&response.status)
}

/// The longest token that STS takes, in bytes (STS API reference, `WebIdentityToken`).
const LONGEST_TOKEN: usize = 20_000;

/// From which difference on a signature is made anew by the clock of STS. AWS accepts five minutes.
const CLOCK_ERROR: TimeDelta = TimeDelta::minutes(1);

/// How long a provider's configuration is cached.
const DISCOVERY_LIFETIME: TimeDelta = TimeDelta::hours(1);

/// How old keys must be to be read again because a signature does not match.
const KEYS_REFRESH_FLOOR: TimeDelta = TimeDelta::seconds(60);

/// The longest `Retry-After` of a token endpoint that a sign-in waits for.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(5);

/// The longest time for which a token endpoint's `Retry-After` is respected.
const LONGEST_POSTPONEMENT: TimeDelta = TimeDelta::hours(1);

#[cfg(test)]
mod tests;
