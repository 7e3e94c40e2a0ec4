//! A running sandbox and its controls.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::calls::{Call, CallKind, Outcome};
use crate::clock::Clock;
use crate::config::Config;
use crate::faults::{Failure, Hold};
use crate::front::{Service, serve};
use crate::provider::KeyRotation;
use crate::secrets::SecretKind;
use crate::world::{Urls, World};
use crate::{console, provider, settings, sts};

/// Three services on loopback. They stop when this is dropped.
pub struct Sandbox {
    world: Arc<World>,
    _runs: Runs,
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Sandbox").field("urls", &self.world.urls).finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts the services as tasks of the caller's Tokio runtime.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        let (world, tasks) = start(config).await?;
        Ok(Self { world, _runs: Runs::Here { _tasks: tasks } })
    }

    /// Starts the services in their own runtime and thread, for callers without one.
    pub fn start_in_thread(config: Config) -> anyhow::Result<Self> {
        let (tell, told) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("sandbox".to_owned()).spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(tell.send(Err(error.into()))),
            };
            runtime.block_on(async {
                // `_tasks` runs until the sandbox is dropped. A failed send means that no caller waits.
                match start(config).await {
                    Ok((world, _tasks)) => {
                        let _ = tell.send(Ok(world));
                        let _ = stopped.await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let world = told.recv().context("the sandbox's thread ended")??;
        Ok(Self { world, _runs: Runs::Elsewhere { stop: Some(stop), thread: Some(thread) } })
    }

    /// The provider's issuer, `http://127.0.0.1:PORT` unless the configuration has a path for it.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.world.issuer()
    }

    /// The provider's origin, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn provider_origin(&self) -> &str {
        &self.world.urls.provider
    }

    /// The provider's discovery document.
    #[must_use]
    pub fn well_known_url(&self) -> String {
        self.world.config().provider.well_known_url(&self.world.urls.provider)
    }

    /// The STS endpoint, `http://127.0.0.1:PORT/`.
    #[must_use]
    pub fn sts_endpoint(&self) -> &str {
        &self.world.urls.sts
    }

    /// The sign-in federation base, `http://127.0.0.1:PORT/federation`.
    #[must_use]
    pub fn console_endpoint(&self) -> &str {
        &self.world.urls.federation
    }

    /// The console, `http://127.0.0.1:PORT/console/`.
    #[must_use]
    pub fn console_url(&self) -> &str {
        &self.world.urls.console
    }

    /// The settings document that points Rolecall to this sandbox, TOML.
    #[must_use]
    pub fn settings_toml(&self) -> String {
        settings::toml(&self.world.config(), &self.world.urls)
    }

    /// The current configuration.
    #[must_use]
    pub fn config(&self) -> Config {
        self.world.config()
    }

    /// Changes the configuration, from the next call on. Ports cannot be changed.
    pub fn change(&self, change: impl FnOnce(&mut Config)) {
        self.world.change(change);
    }

    /// The clock of all three services.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// Adds a new key for the configured signing algorithm and returns its `kid`.
    pub fn rotate_keys(&self, rotation: KeyRotation) -> anyhow::Result<String> {
        let signing = self.world.config().provider.signing;
        self.world.keys().rotate(signing, rotation)
    }

    /// Publishes the keys that [`KeyRotation::publish_late`] held back.
    pub fn publish_keys(&self) {
        self.world.keys().publish();
    }

    /// Ends every single sign-on session at the provider; codes and tokens stay valid.
    pub fn end_provider_sessions(&self) {
        self.world.grants().sessions.clear();
    }

    /// The next `calls` calls of `kind` fail, after the failures planned before.
    pub fn fail_next(&self, kind: CallKind, calls: usize, failure: &Failure) {
        self.world.faults.fail_next(kind, calls, failure);
    }

    /// Every call of `kind` fails until [`Self::heal`].
    pub fn fail_all(&self, kind: CallKind, failure: Failure) {
        self.world.faults.fail_all(kind, failure);
    }

    /// Removes the failures planned for `kind`.
    pub fn heal(&self, kind: CallKind) {
        self.world.faults.heal(kind);
    }

    /// Calls of `kind` arrive, and then wait until the returned value is dropped or released.
    pub fn hold(&self, kind: CallKind) -> Hold {
        self.world.faults.hold(kind)
    }

    /// Closes every connection and refuses further ones, until [`Self::restore_network`].
    pub async fn cut_network(&self) {
        self.world.network.set(true, SERVICES).await;
    }

    /// Accepts connections again.
    pub async fn restore_network(&self) {
        self.world.network.set(false, SERVICES).await;
    }

    /// Calls of `kind` take at least this long. For measurements: tests hold calls instead.
    pub fn delay(&self, kind: CallKind, latency: Duration) {
        self.world.faults.delay(kind, latency);
    }

    /// Every call so far, in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.world.calls.all()
    }

    /// The calls of one kind so far.
    #[must_use]
    pub fn calls_of(&self, kind: CallKind) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.kind == kind).collect()
    }

    /// Every secret that was issued or received so far, and the clients' secrets.
    #[must_use]
    pub fn secrets(&self) -> Vec<(SecretKind, String)> {
        let clients = self.world.config().provider.clients.into_iter();
        let of_clients = clients.filter_map(|client| Some((SecretKind::ClientSecret, client.secret?)));
        of_clients.chain(self.world.secrets.all()).collect()
    }

    /// How many calls of `kind` have arrived.
    #[must_use]
    pub fn count(&self, kind: CallKind) -> usize {
        self.calls_of(kind).len()
    }

    /// Waits until `count` calls of `kind` have arrived. It has no time limit: put `tokio::time::timeout` around it.
    pub async fn arrived(&self, kind: CallKind, count: usize) {
        self.world.calls.until(|calls| calls.iter().filter(|call| call.kind == kind).count() >= count).await;
    }

    /// Waits until `count` calls of `kind` have ended, with any outcome.
    pub async fn ended(&self, kind: CallKind, count: usize) {
        let ended = |call: &&Call| call.kind == kind && call.outcome != Outcome::Pending;
        self.world.calls.until(|calls| calls.iter().filter(ended).count() >= count).await;
    }
}

async fn start(config: Config) -> anyhow::Result<(Arc<World>, JoinSet<std::io::Result<()>>)> {
    for role in &config.sts.roles {
        sts::check_policy(&role.trust_policy).with_context(|| format!("the trust policy of {}", role.arn))?;
    }
    let listen = async |port: u16| {
        TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))
    };
    let ports = config.ports;
    let (provider, sts, console) =
        (listen(ports.provider).await?, listen(ports.sts).await?, listen(ports.console).await?);
    let origin = |listener: &TcpListener| listener.local_addr().map(|address| format!("http://{address}"));
    let console_origin = origin(&console)?;
    let urls = Urls {
        provider: origin(&provider)?,
        sts: format!("{}/", origin(&sts)?),
        federation: format!("{console_origin}/federation"),
        console: format!("{console_origin}/console/"),
    };
    let world = Arc::new(World::new(config, urls)?);
    let mut tasks = JoinSet::new();
    let share = || Arc::clone(&world);
    tasks.spawn(serve(provider, Service::Provider, share(), provider::router(share())));
    tasks.spawn(serve(sts, Service::Sts, share(), sts::router(share())));
    tasks.spawn(serve(console, Service::Console, share(), console::router(share())));
    Ok((world, tasks))
}

/// The running services: dropping it stops them.
enum Runs {
    Here { _tasks: JoinSet<std::io::Result<()>> },
    Elsewhere { stop: Option<oneshot::Sender<()>>, thread: Option<JoinHandle<()>> },
}

impl Drop for Runs {
    fn drop(&mut self) {
        if let Self::Elsewhere { stop, thread } = self {
            drop(stop.take());
            if let Some(thread) = thread.take() {
                // A panic in the thread was reported there.
                let _ = thread.join();
            }
        }
    }
}

/// The provider, the STS and the console.
const SERVICES: usize = 3;
