//! The state of a provider between sign-ins: the signed-in person, and the credentials of their roles.
//!
//! A [`ProviderSession`] is plain data, which several sign-ins read and change at the same time through
//! [`SharedSession`]. Nothing of it is held while anything is waited for. Whoever signs out, or turns out to be somebody
//! else, ends the [`Generation`] that was: what was under way for it comes to nothing.

use secrecy::SecretString;

use crate::aws::{AccountId, Credentials, Region, RoleArn};
use crate::freshness::Lifetime;
use crate::json::{ReadJson, WriteJson};
use crate::map::{Map, Set};
use crate::oidc::{IdToken, KeySet, Metadata, Person};
use crate::platform::AuthorizeError;
use crate::role_service::ServedRoles;
use crate::settings::{Duration, Endpoint, Listed, Provider, Role};
use crate::time::{DateTime, TimeDelta, Utc};
use crate::{secret, sts};

/// A provider's session, as several sign-ins share it.
#[allow(async_fn_in_trait)] // Every driver waits on the thread that it began on; nothing needs `Send`.
pub trait SharedSession {
    /// The right to get an ID token, for as long as it is held.
    type LoginLock<'a>
    where
        Self: 'a;

    /// Looks at the session.
    fn read<T>(&self, look: impl FnOnce(&ProviderSession) -> T) -> T;

    /// Changes the session, and has it kept for the next start where that is wanted.
    fn change<T>(&self, change: impl FnOnce(&mut ProviderSession) -> T) -> T;

    /// Waits until nobody else is getting an ID token at this provider.
    ///
    /// # Errors
    /// Where that would take longer than the driver waits.
    async fn lock_login(&self) -> Result<Self::LoginLock<'_>, AuthorizeError>;

    /// Whoever was signed in no longer is: what others hold of them has to be forgotten.
    fn person_changed(&self, changed: &PersonChanged);
}

/// That whoever was signed in at a provider no longer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonChanged {
    /// Who it was.
    pub before: Person,
    /// Who it is now, if anybody.
    pub now: Option<Person>,
}

/// Which person's session it is: grows whenever that changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ReadJson, WriteJson)]
pub struct Generation(u32);

/// The state of a provider between sign-ins. It contains secrets and is kept in memory and `storage.session`.
#[derive(Debug, Default, ReadJson, WriteJson)]
#[json(rename_all = "camelCase", default)]
pub struct ProviderSession {
    registration: Option<(Endpoint, String)>,
    generation: Generation,
    metadata: Option<Fetched<Metadata>>,
    keys: KeySet,
    /// When they were read.
    keys_at: Option<DateTime<Utc>>,
    id_token: Option<IdToken>,
    #[json(write = secret::exposed_option)]
    refresh_token: Option<SecretString>,
    /// Until when the token endpoint does not want to be asked for a refresh.
    no_refresh_before: Option<DateTime<Utc>>,
    person: Option<Person>,
    /// The roles of [`Provider::roles_claim`].
    claimed_roles: Vec<RoleArn>,
    /// What [`Provider::roles_url`] has answered.
    served: ServedRoles,
    /// When it did.
    served_at: Option<DateTime<Utc>>,
    groups: Option<Vec<String>>,
    credentials: Map<RoleArn, Held>,
    /// How long each role was seen to allow.
    durations: Map<RoleArn, Duration>,
    /// Whether the person has signed out: the next sign-in is for them to choose who they are.
    choose_account: bool,
    /// Whether some token of this provider had groups in `amr`.
    amr_held_groups: bool,
    /// Where STS is switched off.
    without_sts: Set<(AccountId, Region)>,
}

/// Something read from a server, and when.
#[derive(Debug, ReadJson, WriteJson)]
struct Fetched<T> {
    value: T,
    at: DateTime<Utc>,
}

#[derive(Debug, ReadJson, WriteJson)]
struct Held {
    credentials: Credentials,
    lifetime: Lifetime,
    /// The [`terms`] on which they were asked for.
    terms: String,
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

    /// The role's credentials, if they last for longer than `time_left` ([`crate::freshness`]) and the settings still have it
    /// assumed in the same way, through the same `sources`.
    #[must_use]
    pub fn fresh_credentials(
        &self,
        role: &Role,
        sources: &[Role],
        now: DateTime<Utc>,
        time_left: TimeDelta,
    ) -> Option<&Credentials> {
        let held = self.credentials.get(&role.arn).filter(|held| held.lifetime.is_fresh(now, time_left))?;
        (held.terms == terms(role, sources)).then_some(&held.credentials)
    }

    /// Whether the settings would now have the role's credentials asked for on other terms.
    #[must_use]
    pub fn is_outdated(&self, role: &Role, sources: &[Role]) -> bool {
        self.credentials.get(&role.arn).is_some_and(|held| held.terms != terms(role, sources))
    }

    /// Every role there are credentials for, and how long they last.
    pub fn lifetimes(&self) -> impl Iterator<Item = (&RoleArn, Lifetime)> {
        self.credentials.iter().map(|(role, held)| (role, held.lifetime))
    }

    /// What the provider lists for this person.
    #[must_use]
    pub fn listed(&self) -> Listed {
        Listed {
            roles: self.claimed_roles.iter().chain(&self.served.roles).cloned().collect(),
            aliases: self.served.aliases.clone(),
            groups: self.groups.clone(),
        }
    }

    /// Whether the role service has not answered for this long.
    #[must_use]
    pub fn wants_served_roles(&self, now: DateTime<Utc>, max_age: TimeDelta) -> bool {
        self.served_at.is_none_or(|at| (now - at).abs() >= max_age)
    }

    /// Takes what the role service has answered for this person.
    pub fn set_served(&mut self, served: ServedRoles, at: DateTime<Utc>) {
        self.served_at = Some(at);
        self.served = served;
    }

    /// What the provider says of itself, if it was asked already.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.metadata.as_ref().map(|fetched| &fetched.value)
    }

    /// An ID token that has not expired. STS may refuse it all the same.
    #[must_use]
    pub fn id_token(&self, now: DateTime<Utc>) -> Option<&IdToken> {
        self.id_token.as_ref().filter(|token| token.expires_at > now)
    }

    /// Forgets one role's credentials.
    pub fn forget_role(&mut self, role: &RoleArn) {
        self.credentials.remove(role);
    }

    /// Whether it is a session at this provider, of this client.
    #[must_use]
    pub fn is_of(&self, provider: &Provider) -> bool {
        let (url, client) = (&provider.well_known_url, &provider.client_id);
        self.registration.as_ref().is_some_and(|known| (&known.0, &known.1) == (url, client))
    }

    /// Starts afresh at this provider.
    pub(crate) fn begin(&mut self, provider: &Provider) -> Option<PersonChanged> {
        let registration = Some((provider.well_known_url.clone(), provider.client_id.clone()));
        let before = self.person.take();
        *self = Self { registration, generation: self.generation.next(), ..Self::default() };
        before.map(|before| PersonChanged { before, now: None })
    }

    /// Forgets who is signed in and all that came of it, and gives the refresh token and whether anybody was signed in.
    pub(crate) fn end(&mut self) -> (Option<SecretString>, Option<PersonChanged>) {
        self.forget_person();
        let before = self.person.take();
        self.choose_account |= before.is_some();
        (self.refresh_token.take(), before.map(|before| PersonChanged { before, now: None }))
    }

    /// Takes a new ID token. Nothing of somebody who was signed in before is left when it is somebody else's.
    pub(crate) fn remember(
        &mut self,
        token: IdToken,
        refresh_token: Option<SecretString>,
    ) -> Option<PersonChanged> {
        let before = self.person.take().filter(|before| before.sub != token.person.sub);
        let now = token.person.clone();
        if before.is_some() {
            self.forget_person();
            self.refresh_token = None;
        }
        self.person = Some(now.clone());
        self.choose_account = false;
        self.amr_held_groups |= sts::holds_groups(&token.amr);
        self.claimed_roles = token.roles.iter().filter_map(|text| role_of_claim(text)).collect();
        self.groups.clone_from(&token.groups);
        self.id_token = Some(token);
        // RFC 6749 section 6: a new refresh token replaces the old one; without a new one the old one stays.
        if refresh_token.is_some() {
            self.refresh_token = refresh_token;
            self.no_refresh_before = None;
        }
        before.map(|before| PersonChanged { before, now: Some(now) })
    }

    fn forget_person(&mut self) {
        self.generation = self.generation.next();
        self.id_token = None;
        self.no_refresh_before = None;
        self.claimed_roles.clear();
        self.served = ServedRoles::default();
        self.served_at = None;
        self.groups = None;
        self.credentials.clear();
    }

    /// Whose session it is.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// What the provider says of itself, if that was read within this time.
    pub(crate) fn fresh_metadata(&self, now: DateTime<Utc>, lifetime: TimeDelta) -> Option<&Metadata> {
        let fetched = self.metadata.as_ref().filter(|fetched| (now - fetched.at).abs() < lifetime)?;
        Some(&fetched.value)
    }

    pub(crate) fn set_metadata(&mut self, metadata: Metadata, keys: KeySet, at: DateTime<Utc>) {
        self.set_keys(keys, at);
        self.metadata = Some(Fetched { value: metadata, at });
    }

    pub(crate) fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// How old the keys are.
    pub(crate) fn age_of_keys(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        self.keys_at.map(|at| (now - at).abs())
    }

    /// Takes the provider's keys.
    pub(crate) fn set_keys(&mut self, keys: KeySet, at: DateTime<Utc>) {
        self.keys = keys;
        self.keys_at = Some(at);
    }

    /// The refresh token, unless the token endpoint does not want to be asked yet.
    pub(crate) fn refresh_token(&self, now: DateTime<Utc>) -> Option<&SecretString> {
        let is_welcome = self.no_refresh_before.is_none_or(|begin| begin <= now);
        self.refresh_token.as_ref().filter(|_| is_welcome)
    }

    pub(crate) fn drop_refresh_token(&mut self) {
        self.refresh_token = None;
    }

    pub(crate) fn postpone_refresh(&mut self, until: DateTime<Utc>) {
        self.no_refresh_before = Some(until);
    }

    pub(crate) fn chooses_account(&self) -> bool {
        self.choose_account
    }

    pub(crate) fn amr_held_groups(&self) -> bool {
        self.amr_held_groups
    }

    pub(crate) fn accepted_duration(&self, role: &RoleArn) -> Option<Duration> {
        self.durations.get(role).copied()
    }

    pub(crate) fn hold(
        &mut self,
        (role, sources): (&Role, &[Role]),
        credentials: &Credentials,
        duration: Duration,
        now: DateTime<Utc>,
    ) {
        // AWS's limit of a chain is none of the role's own.
        if sources.is_empty() {
            self.durations.insert(role.arn.clone(), duration);
        }
        let lifetime = Lifetime::of(credentials, now);
        let held = Held { credentials: credentials.clone(), lifetime, terms: terms(role, sources) };
        self.credentials.insert(role.arn.clone(), held);
    }

    pub(crate) fn note_without_sts(&mut self, role: &Role) {
        self.without_sts.insert((role.arn.account().clone(), role.region()));
    }
}

/// What else decides what the credentials of a chained role may do: how it, and each role that it is assumed through, is
/// assumed. Empty for a role that is assumed with the ID token.
fn terms(role: &Role, sources: &[Role]) -> String {
    let mut terms = String::new();
    let mut add = |part: &str| {
        terms.push_str(part);
        terms.push('\0');
    };
    for (role, source) in std::iter::once(role).chain(sources).zip(sources) {
        add(source.arn.as_str());
        add(role.external_id.as_deref().unwrap_or_default());
        add(role.session_policy.as_deref().unwrap_or_default());
        add(if role.source_identity { "1" } else { "" });
        for (key, value) in role.session_tags.iter() {
            add(key);
            add(value);
            add(if role.transitive_tags.contains(key) { "1" } else { "" });
        }
    }
    terms
}

/// A role as a claim lists it: its ARN, or a pair with that of an identity provider, as SAML has it, in either order.
fn role_of_claim(text: &str) -> Option<RoleArn> {
    text.split([',', '|']).find_map(|part| part.trim().parse().ok())
}

impl Generation {
    fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}
