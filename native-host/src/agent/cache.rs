//! The agent's credentials in memory, and for how long they are handed out. Zeroed on drop.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use rolecall_core::aws::Credentials;
use rolecall_core::freshness::{Lifetime, SDK_RENEWAL};
use rolecall_core::message::host::RoleSelection;
use rolecall_core::settings::RoleKey;
use rolecall_core::{Code, Problem};

/// What the agent can answer without asking the browser.
#[derive(Debug, Default)]
pub(super) struct Cache {
    credentials: HashMap<RoleKey, (Credentials, Lifetime)>,
    refusals: HashMap<RoleKey, (Instant, Problem)>,
}

impl Cache {
    /// Credentials that last longer than `time_left`, and as long as SDKs require.
    pub(super) fn credentials(
        &self,
        role: &RoleKey,
        now: DateTime<Utc>,
        time_left: TimeDelta,
    ) -> Option<&Credentials> {
        let (credentials, lifetime) = self.credentials.get(role)?;
        lifetime.is_fresh(now, time_left.max(SDK_RENEWAL)).then_some(credentials)
    }

    /// A person's refusal of a moment ago, for the rest of a parallel run: one closed window refuses all of it.
    pub(super) fn refusal(&self, role: &RoleKey) -> Option<&Problem> {
        let (since, problem) = self.refusals.get(role)?;
        (since.elapsed() < REFUSAL_LIFETIME).then_some(problem)
    }

    /// Stores credentials.
    pub(super) fn keep(&mut self, role: RoleKey, credentials: Credentials, now: DateTime<Utc>) {
        self.refusals.remove(&role);
        let lifetime = Lifetime::of(&credentials, now);
        self.credentials.insert(role, (credentials, lifetime));
    }

    /// Stores a person's refusal.
    pub(super) fn keep_refusal(&mut self, role: RoleKey, problem: &Problem) {
        if problem.is(Code::SignInCancelled) || problem.is(Code::AccessDeniedByProvider) {
            self.refusals.insert(role, (Instant::now(), problem.clone()));
        }
    }

    /// Removes these roles.
    pub(super) fn forget(&mut self, roles: &RoleSelection) {
        self.credentials.retain(|role, _| !roles.contains(role));
        self.refusals.retain(|role, _| !roles.contains(role));
    }
}

/// Long enough for processes started together, short enough not to delay a second attempt.
const REFUSAL_LIFETIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn role() -> RoleKey {
        of("corp", "example")
    }

    fn of(provider: &str, name: &str) -> RoleKey {
        RoleKey {
            provider: provider.parse().unwrap(),
            arn: format!("arn:aws:iam::123456789012:role/{name}").parse().unwrap(),
        }
    }

    fn cache(now: DateTime<Utc>, minutes: i64) -> Cache {
        let credentials = Credentials {
            access_key_id: "ASIAEXAMPLE".into(),
            secret_access_key: "secret".into(),
            session_token: "token".into(),
            expiration: now + TimeDelta::minutes(minutes),
        };
        let mut cache = Cache::default();
        cache.keep(role(), credentials, now);
        cache
    }

    #[test]
    fn credentials_are_handed_out_while_more_than_15_minutes_are_left() {
        let now = Utc::now();
        let cache = cache(now, 60);
        let fresh = |minutes| {
            cache.credentials(&role(), now + TimeDelta::minutes(minutes), TimeDelta::zero()).is_some()
        };
        assert!(fresh(0) && fresh(44));
        assert!(!fresh(45) && !fresh(61));
        assert!(
            cache.credentials(&role(), now, TimeDelta::minutes(61)).is_some(),
            "half of their life is enough"
        );
        assert!(cache.credentials(&role(), now + TimeDelta::minutes(31), TimeDelta::minutes(61)).is_none());
    }

    #[test]
    fn credentials_of_15_minutes_are_handed_out_for_half_of_them() {
        let now = Utc::now();
        let cache = cache(now, 15);
        let fresh = |minutes| {
            cache.credentials(&role(), now + TimeDelta::minutes(minutes), TimeDelta::zero()).is_some()
        };
        assert!(fresh(7));
        assert!(!fresh(8));
    }

    #[test]
    fn one_arn_of_two_providers_is_two_roles() {
        let now = Utc::now();
        let cache = cache(now, 60);
        assert!(cache.credentials(&of("corp", "example"), now, TimeDelta::zero()).is_some());
        assert!(cache.credentials(&of("other", "example"), now, TimeDelta::zero()).is_none());
    }

    #[test]
    fn removed_roles_have_no_credentials() {
        let now = Utc::now();
        let mut cache = cache(now, 60);
        cache.forget(&RoleSelection::Role(of("corp", "other")));
        cache.forget(&RoleSelection::Role(of("other", "example")));
        assert!(cache.credentials(&role(), now, TimeDelta::zero()).is_some());
        cache.forget(&RoleSelection::Provider("corp".parse().unwrap()));
        assert!(cache.credentials(&role(), now, TimeDelta::zero()).is_none());
    }
}
