//! The state that the three services of a sandbox share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::Value;

use crate::calls::CallLog;
use crate::clock::Clock;
use crate::config::Config;
use crate::console::Sessions;
use crate::faults::Faults;
use crate::network::Network;
use crate::provider::{Grants, KeyRing};
use crate::secrets::Secrets;
use crate::sts::Issued;

/// The addresses of the three services.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    /// The provider's origin, no trailing slash.
    pub(crate) provider: String,
    /// The STS endpoint, with a trailing slash.
    pub(crate) sts: String,
    /// The sign-in federation base.
    pub(crate) federation: String,
    /// The console, with a trailing slash.
    pub(crate) console: String,
}

impl Urls {
    /// The console's origin.
    pub(crate) fn console_origin(&self) -> &str {
        self.console.strip_suffix("/console/").unwrap_or(&self.console)
    }
}

/// The shared state. Locks are held briefly, never across an await, and never two at once except where noted.
pub(crate) struct World {
    pub(crate) urls: Urls,
    pub(crate) clock: Clock,
    pub(crate) calls: CallLog,
    pub(crate) faults: Faults,
    pub(crate) network: Network,
    pub(crate) secrets: Secrets,
    config: RwLock<Config>,
    keys: Mutex<KeyRing>,
    grants: Mutex<Grants>,
    issued: Mutex<Issued>,
    sessions: Mutex<Sessions>,
}

/// The state as the routers share it.
pub(crate) type SharedWorld = Arc<World>;

impl World {
    pub(crate) fn new(config: Config, urls: Urls) -> anyhow::Result<Self> {
        Ok(Self {
            urls,
            clock: Clock::system(),
            calls: CallLog::new(),
            faults: Faults::default(),
            network: Network::default(),
            secrets: Secrets::default(),
            config: RwLock::new(config),
            keys: Mutex::new(KeyRing::new()?),
            grants: Mutex::default(),
            issued: Mutex::default(),
            sessions: Mutex::default(),
        })
    }

    /// The provider's issuer.
    pub(crate) fn issuer(&self) -> String {
        self.config().provider.issuer(&self.urls.provider)
    }

    /// The current configuration.
    pub(crate) fn config(&self) -> Config {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config.write().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn keys(&self) -> MutexGuard<'_, KeyRing> {
        lock(&self.keys)
    }

    /// The keys that the provider publishes now.
    pub(crate) fn published_keys(&self) -> Vec<Value> {
        let provider = self.config().provider;
        provider.published_keys.unwrap_or_else(|| self.keys().published(provider.signing))
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        lock(&self.grants)
    }

    pub(crate) fn issued(&self) -> MutexGuard<'_, Issued> {
        lock(&self.issued)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        lock(&self.sessions)
    }
}

/// After a panic under a lock, the data is still good enough for a test.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
