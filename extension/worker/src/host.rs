//! The port to the native host: `hello` first, then questions both ways, each with an id and a deadline.
//!
//! The open port keeps the background alive, and the host process it started serves terminals. A host that stops
//! is started again, later each time; one that is not installed is looked for as long as somebody looks.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use gloo_timers::future::TimeoutFuture;
use rolecall_core::message::host::{
    HostRequest, HostResponse, Id, Outcome, ProtocolRange, SignOutRequest, ToHost, ToWorker, WorkerRequest,
    WorkerResponse,
};
use rolecall_core::message::page::Pages;
use rolecall_core::message::ui::HostState;
use rolecall_core::settings::Reading;
use rolecall_core::{Code, Problem, identity};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::browser::{self, Port};
use crate::{flows, pages, store};

/// The native host, there or not.
#[derive(Default)]
pub(crate) struct Host(RefCell<Line>);

#[derive(Default)]
struct Line {
    port: Option<Port>,
    state: HostState,
    last_id: Id,
    waiting: BTreeMap<Id, oneshot::Sender<Result<HostResponse, Problem>>>,
    /// How often in a row the host stopped.
    failures: u32,
    /// Whether it is looked for again and again.
    watched: bool,
}

impl Host {
    /// What pages are told.
    pub(crate) fn state(&self) -> HostState {
        self.0.borrow().state.clone()
    }

    /// Opens the port, unless it is open.
    pub(crate) fn connect(&self, app: &Rc<App>) {
        if self.0.borrow().port.is_some() {
            return;
        }
        match browser::connect_native(identity::HOST_NAME) {
            Ok(port) => {
                self.0.borrow_mut().port = Some(port.clone());
                let (hearing, closing) = (Rc::clone(app), Rc::clone(app));
                port.listen(
                    move |message| hearing.host.heard(&hearing, message),
                    move |port| closing.host.closed(&closing, &port.native_problem()),
                );
                say_hello(app);
            }
            Err(problem) => self.closed(app, &problem),
        }
        app.publish();
    }

    /// Looks for a host that was not there, and has one that is there read the machine's settings anew.
    pub(crate) fn look_again(&self, app: &Rc<App>) {
        match self.state() {
            HostState::Absent { .. } => self.connect(app),
            HostState::Connected { .. } => say_hello(app),
            HostState::Connecting => {}
        }
    }

    /// Looks for a host that is not installed until it is, as long as a page is open.
    pub(crate) async fn watch(&self, app: &Rc<App>) {
        if std::mem::replace(&mut self.0.borrow_mut().watched, true) {
            return;
        }
        while pages::are_open() {
            TimeoutFuture::new(LOOK_EVERY_MILLISECONDS).await;
            if self.is_missing() {
                self.connect(app);
            }
        }
        self.0.borrow_mut().watched = false;
    }

    fn is_missing(&self) -> bool {
        match &self.0.borrow().state {
            HostState::Absent { problem } => {
                problem.is(Code::HostNotInstalled) || problem.is(Code::HostForbidden)
            }
            HostState::Connecting | HostState::Connected { .. } => false,
        }
    }

    /// Asks the host and waits for its answer, `seconds` at most.
    pub(crate) async fn ask(&self, body: HostRequest, seconds: u32) -> Result<HostResponse, Problem> {
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut line = self.0.borrow_mut();
            line.last_id = line.last_id.wrapping_add(1);
            let id = line.last_id;
            line.waiting.insert(id, sender);
            id
        };
        self.send(&ToHost::Request { id, body })?;
        match select(answer, TimeoutFuture::new(seconds.saturating_mul(1_000))).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(_), _)) => Err(stopped()),
            Either::Right(_) => {
                self.0.borrow_mut().waiting.remove(&id);
                let sentence = format!("The Rolecall host program did not answer within {seconds} seconds.");
                Err(Problem::new(Code::HostTimedOut, sentence))
            }
        }
    }

    async fn greet(&self, app: &Rc<App>) {
        let hello = HostRequest::Hello { protocol: ProtocolRange::CURRENT, version: browser::version() };
        match self.ask(hello, HELLO_SECONDS).await {
            Ok(HostResponse::Hello { protocol, version }) => {
                if ProtocolRange::CURRENT.common(protocol).is_none() {
                    self.hang_up(app, &other_version(&version));
                    return;
                }
                match self.machine_settings().await {
                    Ok(machine) => {
                        let mut line = self.0.borrow_mut();
                        line.state = HostState::Connected { version };
                        line.failures = 0;
                        drop(line);
                        app.set_machine_settings(machine);
                    }
                    Err(problem) if problem.is(Code::HostExited) => {}
                    Err(problem) => self.hang_up(app, &problem),
                }
            }
            Ok(_) => self.hang_up(app, &not_understood()),
            // The port's own end has told more than this could.
            Err(problem) if problem.is(Code::HostExited) => {}
            Err(problem) => self.hang_up(app, &problem),
        }
    }

    /// The machine's settings, put together from their pages.
    async fn machine_settings(&self) -> Result<Reading, Problem> {
        let mut pages = Pages::default();
        loop {
            match self.ask(HostRequest::Settings(pages.request()), HELLO_SECONDS).await? {
                HostResponse::Settings(page) => {
                    if let Some(whole) = pages.add(page)? {
                        return Ok(whole.into());
                    }
                }
                _ => return Err(not_understood()),
            }
        }
    }

    fn heard(&self, app: &Rc<App>, message: JsValue) {
        match serde_wasm_bindgen::from_value(message) {
            Ok(ToWorker::Response { id, result }) => {
                // A response that comes too late is dropped.
                if let Some(waiting) = self.0.borrow_mut().waiting.remove(&id) {
                    let _ = waiting.send(result.into_result());
                }
            }
            Ok(ToWorker::Request { id, body }) => {
                let app = Rc::clone(app);
                spawn_local(async move {
                    let result = Outcome::from(answer(&app, body).await);
                    // If the port is closed by now, so is whoever asked.
                    let _ = app.host.send(&ToHost::Response { id, result });
                });
            }
            // What is under way goes on: whoever asks next for the same finds it done.
            Ok(ToWorker::Cancel { .. }) => {}
            Err(_) => self.hang_up(app, &not_understood()),
        }
    }

    fn send(&self, message: &ToHost) -> Result<(), Problem> {
        let port = self.0.borrow().port.clone().ok_or_else(|| self.absence())?;
        let message = store::to_js(message).map_err(|_| not_understood())?;
        port.post_message(&message).map_err(|_| stopped())
    }

    fn absence(&self) -> Problem {
        match self.state() {
            HostState::Absent { problem } => problem,
            HostState::Connecting | HostState::Connected { .. } => stopped(),
        }
    }

    /// Closes the port from this side, for good until somebody looks again.
    fn hang_up(&self, app: &Rc<App>, problem: &Problem) {
        if let Some(port) = self.0.borrow_mut().port.take() {
            port.disconnect();
        }
        self.give_up(app, problem);
    }

    /// The port was closed by the host or the browser.
    fn closed(&self, app: &Rc<App>, problem: &Problem) {
        self.0.borrow_mut().port = None;
        let stopped = problem.is(Code::HostExited);
        self.give_up(app, problem);
        if stopped {
            let mut line = self.0.borrow_mut();
            let seconds = 2_u32.saturating_pow(line.failures).min(LONGEST_PAUSE_SECONDS);
            line.failures = line.failures.saturating_add(1);
            let app = Rc::clone(app);
            spawn_local(async move {
                TimeoutFuture::new(seconds * 1_000).await;
                app.host.look_again(&app);
            });
        }
    }

    fn give_up(&self, app: &Rc<App>, problem: &Problem) {
        let mut line = self.0.borrow_mut();
        let waiting = std::mem::take(&mut line.waiting);
        line.state = HostState::Absent { problem: problem.clone() };
        drop(line);
        for waiting in waiting.into_values() {
            let _ = waiting.send(Err(problem.clone()));
        }
        app.publish();
    }
}

fn say_hello(app: &Rc<App>) {
    let app = Rc::clone(app);
    spawn_local(async move { app.host.greet(&app).await });
}

/// Answers what a terminal asks through the host.
async fn answer(app: &Rc<App>, body: WorkerRequest) -> Result<WorkerResponse, Problem> {
    match body {
        WorkerRequest::Credentials(request) => flows::credentials_for_program(app, request).await,
        WorkerRequest::ConsoleUrl(request) => {
            let url = flows::console_url_for_program(app, request).await?;
            Ok(WorkerResponse::ConsoleUrl { url })
        }
        WorkerRequest::Status(request) => Ok(WorkerResponse::Status(app.status(request))),
        WorkerRequest::SignOut(SignOutRequest { roles, end_session }) => {
            flows::forget(app, &roles, end_session).await;
            Ok(WorkerResponse::Done)
        }
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

fn other_version(version: &str) -> Problem {
    let own = browser::version();
    let sentence =
        format!("The Rolecall host program (version {version}) does not fit this extension (version {own}).");
    Problem::new(Code::HostVersion, sentence)
}

/// How long `hello` may take, in seconds. The host has to be started for it.
const HELLO_SECONDS: u32 = 10;

/// How often a host is looked for that a person may be installing at this moment.
const LOOK_EVERY_MILLISECONDS: u32 = 1_500;

/// The longest pause before a host that stopped is started again, in seconds.
const LONGEST_PAUSE_SECONDS: u32 = 60;
