//! Whether a program in a terminal may have what it asks for, where the settings want a person to say so.
//!
//! Each question has a window of its own. Closing it is a no; so that nobody says yes to one program and means another,
//! a question never changes and never gives way to another. Programs that are one and the same program ask once.

use std::cell::RefCell;
use std::rc::Rc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_channel::oneshot;
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, Shared, select};
use gloo_timers::future::TimeoutFuture;
use rolecall_core::message::host::{Program, RoleSelection};
use rolecall_core::message::ui::{ApprovalState, Decision, Purpose};
use rolecall_core::settings::{Approve, Provider, Role, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::{Code, Problem};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::{browser, store};

/// What was asked and what was allowed.
pub(crate) struct Approvals(RefCell<Book>);

#[derive(Default)]
struct Book {
    last_id: u32,
    open: Vec<Question>,
    allowed: Vec<Allowed>,
}

struct Question {
    shown: ApprovalState,
    decide: Option<oneshot::Sender<Decision>>,
    answer: Answer,
}

/// `None` if nobody answers in time, or the browser opens no window. Programs that are one and the same share it.
type Answer = Shared<LocalBoxFuture<'static, Option<Decision>>>;

/// That a program may have a role for a while. Holds no secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Allowed {
    role: RoleKey,
    program: Program,
    until: DateTime<Utc>,
}

impl Approvals {
    /// What was allowed before this background started.
    pub(crate) async fn load() -> Self {
        // The window of a question of the background before may still be open: it must not show another.
        let last_id = u32::try_from(Utc::now().timestamp() & 0x7FFF_FFFF).unwrap_or_default();
        Self(RefCell::new(Book { last_id, allowed: store::load_allowed().await, ..Book::default() }))
    }

    /// Every open question, as pages show it.
    pub(crate) fn open(&self) -> Vec<ApprovalState> {
        self.0.borrow().open.iter().map(|question| question.shown.clone()).collect()
    }

    /// Takes a person's decision. One that comes too late is nobody's.
    pub(crate) fn decide(&self, id: u32, decision: Decision) {
        let mut book = self.0.borrow_mut();
        let question = book.open.iter_mut().find(|question| question.shown.id == id);
        if let Some(decide) = question.and_then(|question| question.decide.take()) {
            let _ = decide.send(decision);
        }
    }

    /// Forgets what was allowed for these roles.
    pub(crate) fn forget(&self, roles: &RoleSelection) {
        self.change_allowed(|allowed| allowed.retain(|allowed| !roles.contains(&allowed.role)));
    }

    /// The answer that this program waits for already.
    fn same(&self, role: &RoleKey, program: Option<&Program>, purpose: Purpose) -> Option<Answer> {
        program?;
        let book = self.0.borrow();
        let same = |question: &&Question| {
            let shown = &question.shown;
            shown.role == *role && shown.program.as_ref() == program && shown.purpose == purpose
        };
        book.open.iter().find(same).map(|question| question.answer.clone())
    }

    fn is_allowed(&self, role: &RoleKey, program: &Program) -> bool {
        let now = Utc::now();
        let allowed =
            |allowed: &Allowed| allowed.role == *role && allowed.program == *program && allowed.until > now;
        self.0.borrow().allowed.iter().any(allowed)
    }

    fn change_allowed(&self, change: impl FnOnce(&mut Vec<Allowed>)) {
        let mut book = self.0.borrow_mut();
        let now = Utc::now();
        book.allowed.retain(|allowed| allowed.until > now);
        change(&mut book.allowed);
        let allowed = book.allowed.clone();
        drop(book);
        wasm_bindgen_futures::spawn_local(async move { store::save_allowed(&allowed).await });
    }
}

/// Asks a person whether the program may have what it is after, if the settings want that. `Err` if it may not.
pub(crate) async fn ask(
    app: &Rc<App>,
    role: &Role,
    provider: &Provider,
    program: Option<Program>,
    purpose: Purpose,
    presence: Presence,
) -> Result<(), Problem> {
    let approve = role.approve(provider);
    let key = role.key();
    // What nobody knows cannot be known again.
    let remembered = program.clone().filter(|_| approve == Approve::First);
    let is_allowed = |program: &Program| app.approvals.is_allowed(&key, program);
    if approve == Approve::Never || remembered.as_ref().is_some_and(is_allowed) {
        return Ok(());
    }
    let name = program.as_ref().map_or(UNKNOWN.to_owned(), ToString::to_string);
    if presence == Presence::Nobody {
        let sentence = format!("Somebody has to allow {name} to use {}, and nobody may be asked.", role.arn);
        return Err(Problem::new(Code::ApprovalNeeded, sentence));
    }
    let may_be_remembered = remembered.is_some();
    let answer = match app.approvals.same(&key, program.as_ref(), purpose) {
        Some(answer) => answer,
        // Nobody reads a screen full of windows.
        None if app.approvals.0.borrow().open.len() >= MOST_QUESTIONS => {
            let sentence = format!(
                "Nobody is asked about {name} while {MOST_QUESTIONS} other programs wait for an answer."
            );
            return Err(Problem::new(Code::ApprovalNeeded, sentence));
        }
        None => open_question(app, role, program, purpose, may_be_remembered),
    };
    match answer.await {
        Some(Decision::Refuse) => {
            let sentence = format!("You did not allow {name} to use {}.", role.arn);
            Err(Problem::new(Code::ApprovalRefused, sentence))
        }
        Some(Decision::AllowOnce) => Ok(()),
        Some(Decision::AllowForAWhile) => {
            // Of those who asked as one, the first has it written down.
            if let Some(program) = remembered.filter(|program| !is_allowed(program)) {
                let allowed = Allowed { role: key.clone(), program, until: Utc::now() + A_WHILE };
                app.approvals.change_allowed(|all| all.push(allowed));
            }
            Ok(())
        }
        None => {
            let sentence = format!("Nobody said in time whether {name} may use {}.", role.arn);
            Err(Problem::new(Code::ApprovalNeeded, sentence))
        }
    }
}

/// Opens the question's window.
fn open_question(
    app: &Rc<App>,
    role: &Role,
    program: Option<Program>,
    purpose: Purpose,
    may_be_remembered: bool,
) -> Answer {
    let (decide, decided) = oneshot::channel();
    let mut book = app.approvals.0.borrow_mut();
    book.last_id = book.last_id.wrapping_add(1);
    let id = book.last_id;
    let asking = Rc::clone(app);
    let answer = async move {
        let window = browser::open_window(&format!("{PAGE}#{id}")).await;
        let patience = TimeoutFuture::new(PATIENCE_SECONDS * 1_000);
        let answer = match &window {
            Some(_) => match select(decided, patience).await {
                Either::Left((decision, _)) => decision.ok(),
                Either::Right(_) => None,
            },
            // Nobody sees the question.
            None => None,
        };
        asking.approvals.0.borrow_mut().open.retain(|question| question.shown.id != id);
        asking.publish();
        if let Some(window) = window {
            browser::close_window(window).await;
        }
        answer
    };
    let answer = answer.boxed_local().shared();
    let shown = ApprovalState {
        id,
        role: role.key(),
        account: app.effective().account_label(role.arn.account()).to_owned(),
        color: role.color.clone(),
        program,
        purpose,
        may_be_remembered,
        until: Utc::now() + TimeDelta::seconds(PATIENCE_SECONDS.into()),
    };
    book.open.push(Question { shown, decide: Some(decide), answer: answer.clone() });
    drop(book);
    app.publish();
    answer
}

/// How long a yes for a while holds.
const A_WHILE: TimeDelta = TimeDelta::hours(8);

/// How long a question stays open, in seconds. The program's own patience is 55.
const PATIENCE_SECONDS: u32 = 50;

/// How many questions are open at once.
const MOST_QUESTIONS: usize = 4;

const UNKNOWN: &str = "an unknown program";

const PAGE: &str = "approval.html";
