//! The port to the native host: `hello` first, then the machine's settings, then requests both ways, each with an id and a
//! deadline.
//!
//! The open port keeps the background alive, and the host process that it started serves terminals. A host that stops
//! is started again, later each time; one that is not installed is looked for as long as a page is open.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::FutureExt as _;
use futures_util::future::{Either, select};
use rolecall_core::json;
use rolecall_core::map::Map;
use rolecall_core::message::host::{
    HostRequest, HostResponse, Id, Outcome, ProtocolRange, RoleSelection, ToHost, ToWorker, WorkerRequest,
    WorkerResponse,
};
use rolecall_core::message::page::Pages;
use rolecall_core::message::ui::HostState;
use rolecall_core::settings::Reading;
use rolecall_core::{Code, Problem};

use crate::browser::{Browser, Port, PortListener, Task, within};
use crate::changes::Changes;
use crate::settings::Settings;

/// Who fulfils what programs in terminals request through the host.
pub(crate) trait Requests {
    /// Fulfils one. Dropping the task means that nobody waits for it any more.
    fn fulfil(&self, request: WorkerRequest) -> Task<Result<WorkerResponse, Problem>>;
}

/// The native host, there or not.
pub(crate) struct Host {
    browser: Rc<dyn Browser>,
    changes: Changes,
    settings: Rc<Settings>,
    requests: OnceCell<Rc<dyn Requests>>,
    line: RefCell<Line>,
}

#[derive(Default)]
struct Line {
    port: Option<Rc<dyn Port>>,
    /// Which port it is: what an earlier one still says is ignored.
    number: u32,
    state: HostState,
    last_id: Id,
    /// Which revision of the machine's settings it sent last.
    settings_revision: Option<u32>,
    waiting: Map<Id, oneshot::Sender<Result<HostResponse, Problem>>>,
    /// Requests of the host that are being fulfilled.
    fulfilling: Map<Id, oneshot::Sender<()>>,
    /// How often in a row the host stopped.
    failures: u32,
    /// Whether it is looked for again and again.
    watched: bool,
    /// What a host that was not there is to forget when it comes.
    to_forget: Vec<RoleSelection>,
}

impl Host {
    /// Not connected yet.
    pub(crate) fn new(browser: &Rc<dyn Browser>, changes: &Changes, settings: &Rc<Settings>) -> Rc<Self> {
        Rc::new(Self {
            browser: Rc::clone(browser),
            changes: changes.clone(),
            settings: Rc::clone(settings),
            requests: OnceCell::new(),
            line: RefCell::default(),
        })
    }

    /// Connects; from now on `requests` fulfils what the host wants.
    pub(crate) fn start(self: &Rc<Self>, requests: Rc<dyn Requests>) {
        let _ = self.requests.set(requests);
        self.connect();
    }

    /// What pages are told.
    pub(crate) fn state(&self) -> HostState {
        self.line.borrow().state.clone()
    }

    /// Whether it is there and has answered.
    pub(crate) fn is_connected(&self) -> bool {
        matches!(self.line.borrow().state, HostState::Connected { .. })
    }

    /// Looks for a host that was not there, and has one that is there read the machine's settings anew.
    pub(crate) fn try_again(self: &Rc<Self>) {
        match self.state() {
            HostState::Absent { .. } => self.connect(),
            HostState::Connected { .. } => {
                let (this, number) = (Rc::clone(self), self.line.borrow().number);
                let reading = async move {
                    match this.read_changed_settings().await {
                        Ok(Some(settings)) if this.is_current(number) => this.settings.set_machine(settings),
                        Ok(_) => {}
                        Err(problem) => this.fail(number, &problem),
                    }
                };
                self.browser.spawn(reading.boxed_local());
            }
            HostState::Connecting => {}
        }
    }

    /// Looks for a host that is not installed until it is, as long as `is_wanted`.
    pub(crate) fn watch(self: &Rc<Self>, is_wanted: impl Fn() -> bool + 'static) {
        if std::mem::replace(&mut self.line.borrow_mut().watched, true) {
            return;
        }
        let this = Rc::clone(self);
        let watching = async move {
            while is_wanted() {
                this.browser.wait(LOOK_EVERY).await;
                if this.is_missing() {
                    this.connect();
                }
            }
            this.line.borrow_mut().watched = false;
        };
        self.browser.spawn(watching.boxed_local());
    }

    /// Sends a request and waits for the response, no longer than `limit`.
    pub(crate) async fn request(&self, body: HostRequest, limit: Duration) -> Result<HostResponse, Problem> {
        let (sender, response) = oneshot::channel();
        let id = {
            let mut line = self.line.borrow_mut();
            line.last_id = line.last_id.wrapping_add(1);
            let id = line.last_id;
            line.waiting.insert(id, sender);
            id
        };
        if let Err(problem) = self.post(&ToHost::Request { id, body }) {
            self.line.borrow_mut().waiting.remove(&id);
            return Err(problem);
        }
        match within(&*self.browser, limit, response).await {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(stopped()),
            None => {
                self.line.borrow_mut().waiting.remove(&id);
                let seconds = limit.as_secs();
                let sentence = format!("The Rolecall host program did not answer within {seconds} seconds.");
                Err(Problem::new(Code::HostTimedOut, sentence))
            }
        }
    }

    /// Has the host forget roles: at once, or as soon as there is one.
    pub(crate) fn forget(self: &Rc<Self>, roles: RoleSelection) {
        let mut line = self.line.borrow_mut();
        if !line.to_forget.contains(&roles) {
            line.to_forget.push(roles);
        }
        drop(line);
        if self.is_connected() {
            self.send_what_to_forget();
        }
    }

    /// The requests are sent now, ahead of whatever is sent later; nothing waits for the responses.
    fn send_what_to_forget(self: &Rc<Self>) {
        let selections = std::mem::take(&mut self.line.borrow_mut().to_forget);
        for roles in selections {
            let this = Rc::clone(self);
            let mut request =
                async move { this.request(HostRequest::Forget(roles), FORGET_LIMIT).await.map(drop) }
                    .boxed_local();
            if (&mut request).now_or_never().is_none() {
                self.browser.spawn(request.map(drop).boxed_local());
            }
        }
    }

    fn is_missing(&self) -> bool {
        match &self.line.borrow().state {
            HostState::Absent { problem } => {
                problem.is(Code::HostNotInstalled) || problem.is(Code::HostForbidden)
            }
            HostState::Connecting | HostState::Connected { .. } => false,
        }
    }

    fn connect(self: &Rc<Self>) {
        let number = {
            let mut line = self.line.borrow_mut();
            if line.port.is_some() {
                return;
            }
            line.number = line.number.wrapping_add(1);
            line.number
        };
        let (receiving, closing) = (Rc::clone(self), Rc::clone(self));
        let listener = PortListener {
            message: Box::new(move |message| receiving.receive(number, &message)),
            closed: Box::new(move |problem| closing.closed(number, &problem)),
        };
        match self.browser.connect_native(listener) {
            Ok(port) => {
                self.line.borrow_mut().port = Some(port);
                let this = Rc::clone(self);
                self.browser.spawn(async move { this.greet(number).await }.boxed_local());
            }
            Err(problem) => self.closed(number, &problem),
        }
        self.changes.notify();
    }

    async fn greet(self: &Rc<Self>, number: u32) {
        let hello = HostRequest::Hello { protocol: ProtocolRange::CURRENT, version: self.browser.version() };
        // Both are sent at once; nothing of a host of another version is used.
        let (mut greeting, mut settings) = (
            self.request(hello, HELLO_LIMIT).boxed_local(),
            self.read_settings(HELLO_LIMIT + SETTINGS_LIMIT).boxed_local(),
        );
        let greeting = if let Some(greeting) = (&mut greeting).now_or_never() {
            greeting
        } else {
            drop((&mut settings).now_or_never());
            greeting.await
        };
        match greeting {
            Ok(HostResponse::Hello { protocol, version }) => {
                if ProtocolRange::CURRENT.common(protocol).is_none() {
                    return self.fail(number, &other_version(&version, &self.browser.version()));
                }
                let settings = match settings.await {
                    Ok(settings) => settings,
                    Err(problem) => return self.fail(number, &problem),
                };
                if !self.is_current(number) {
                    return;
                }
                self.settings.set_machine(settings);
                let mut line = self.line.borrow_mut();
                line.state = HostState::Connected { version };
                line.failures = 0;
                drop(line);
                self.changes.notify();
                self.send_what_to_forget();
            }
            Ok(_) => self.fail(number, &not_understood()),
            Err(problem) => self.fail(number, &problem),
        }
    }

    /// Has the host read the machine's settings, if they are others than before.
    async fn read_changed_settings(&self) -> Result<Option<Reading>, Problem> {
        // A host program that does not know the question is asked for the settings.
        if let Ok(HostResponse::SettingsRevision(now)) =
            self.request(HostRequest::SettingsRevision, SETTINGS_LIMIT).await
            && self.line.borrow().settings_revision == Some(now)
        {
            return Ok(None);
        }
        self.read_settings(SETTINGS_LIMIT).await.map(Some)
    }

    /// Has the host read the machine's settings, page by page.
    async fn read_settings(&self, limit: Duration) -> Result<Reading, Problem> {
        let mut pages = Pages::default();
        loop {
            let request = HostRequest::Settings(pages.request());
            let HostResponse::Settings(page) = self.request(request, limit).await? else {
                return Err(not_understood());
            };
            if let Some(settings) = pages.add(page)? {
                self.line.borrow_mut().settings_revision = Some(settings.revision);
                return Ok(settings.into());
            }
        }
    }

    /// Gives a host up that does not do what it should. One whose port was closed has been given up already, for a reason
    /// that tells more than this could.
    fn fail(&self, number: u32, problem: &Problem) {
        if self.is_current(number) {
            self.hang_up(problem);
        }
    }

    fn receive(self: &Rc<Self>, number: u32, message: &str) {
        if !self.is_current(number) {
            return;
        }
        match json::from_str(message) {
            Ok(ToWorker::Response { id, result }) => {
                // A response that comes too late has no one waiting for it.
                if let Some(waiting) = self.line.borrow_mut().waiting.remove(&id) {
                    let _ = waiting.send(result.into_result());
                }
            }
            Ok(ToWorker::Request { id, body }) => self.fulfil(id, body),
            Ok(ToWorker::Cancel { id }) => {
                if let Some(cancel) = self.line.borrow_mut().fulfilling.remove(&id) {
                    let _ = cancel.send(());
                }
            }
            Err(_) => self.hang_up(&not_understood()),
        }
    }

    /// Fulfils a request and responds on the port on which it came: on another one, its id belongs to another request.
    fn fulfil(self: &Rc<Self>, id: Id, body: WorkerRequest) {
        let (Some(requests), Some(port)) = (self.requests.get(), self.line.borrow().port.clone()) else {
            return;
        };
        let work = requests.fulfil(body);
        let (cancel, cancelled) = oneshot::channel();
        self.line.borrow_mut().fulfilling.insert(id, cancel);
        let (this, number) = (Rc::clone(self), self.line.borrow().number);
        let fulfilling = async move {
            let result = match select(work, cancelled).await {
                Either::Left((result, _)) => Some(result),
                // Whoever asks again at once, as a person who has pressed Ctrl-C may, finds the work still under way.
                Either::Right((Ok(()), work)) => {
                    within(&*this.browser, LINGER, work).await;
                    None
                }
                // The port has closed. The next host may be asked for the same.
                Either::Right((Err(_), work)) => {
                    work.await.ok();
                    None
                }
            };
            let Some(result) = result else { return };
            if this.is_current(number) {
                this.line.borrow_mut().fulfilling.remove(&id);
            }
            // If the port is closed by now, whoever asked has gone.
            let _ = port.post(&json::to_string(&ToHost::Response { id, result: Outcome::from(result) }));
        };
        self.browser.spawn(fulfilling.boxed_local());
    }

    fn is_current(&self, number: u32) -> bool {
        let line = self.line.borrow();
        line.number == number && line.port.is_some()
    }

    fn post(&self, message: &ToHost) -> Result<(), Problem> {
        let port = self.line.borrow().port.clone().ok_or_else(|| self.absence())?;
        port.post(&json::to_string(message)).map_err(|_| stopped())
    }

    fn absence(&self) -> Problem {
        match self.state() {
            HostState::Absent { problem } => problem,
            HostState::Connecting | HostState::Connected { .. } => stopped(),
        }
    }

    /// Closes the port from this side, for good until somebody tries again.
    fn hang_up(&self, problem: &Problem) {
        let port = self.line.borrow_mut().port.take();
        if let Some(port) = port {
            port.disconnect();
        }
        self.give_up(problem);
    }

    /// The port was closed by the host or the browser.
    fn closed(self: &Rc<Self>, number: u32, problem: &Problem) {
        if self.line.borrow().number != number {
            return;
        }
        self.line.borrow_mut().port = None;
        self.give_up(problem);
        if problem.is(Code::HostExited) {
            let mut line = self.line.borrow_mut();
            let seconds = 2_u64.saturating_pow(line.failures).min(LONGEST_PAUSE_SECONDS);
            line.failures = line.failures.saturating_add(1);
            drop(line);
            let (this, pause) = (Rc::clone(self), self.browser.wait(Duration::from_secs(seconds)));
            let connecting = async move {
                pause.await;
                this.connect();
            };
            self.browser.spawn(connecting.boxed_local());
        }
    }

    fn give_up(&self, problem: &Problem) {
        let mut line = self.line.borrow_mut();
        let waiting = std::mem::take(&mut line.waiting);
        let fulfilling = std::mem::take(&mut line.fulfilling);
        line.state = HostState::Absent { problem: problem.clone() };
        drop(line);
        drop(fulfilling);
        for (_, waiting) in waiting {
            let _ = waiting.send(Err(problem.clone()));
        }
        self.settings.machine_is_absent();
        self.changes.notify();
    }
}

fn stopped() -> Problem {
    Problem::new(Code::HostExited, "The Rolecall host program stopped.")
}

fn not_understood() -> Problem {
    Problem::new(
        Code::HostProtocol,
        "The Rolecall host program says something this extension does not understand.",
    )
}

fn other_version(version: &str, own: &str) -> Problem {
    let sentence =
        format!("The Rolecall host program (version {version}) does not fit this extension (version {own}).");
    Problem::new(Code::HostVersion, sentence)
}

/// How long `hello` may take. The host has to be started for it.
const HELLO_LIMIT: Duration = Duration::from_secs(10);

/// How long a page of the machine's settings may take.
const SETTINGS_LIMIT: Duration = Duration::from_secs(10);

/// How long forgetting may take: the keyring may be slow.
const FORGET_LIMIT: Duration = Duration::from_secs(15);

/// How often a host is looked for that a person may be installing at this moment.
const LOOK_EVERY: Duration = Duration::from_millis(1_500);

/// How long the work for a program goes on that has gone.
const LINGER: Duration = Duration::from_secs(2);

/// The longest pause before a host that stopped is started again, in seconds.
const LONGEST_PAUSE_SECONDS: u64 = 60;

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
