//! What a person in the popup or a program in a terminal wants, from the wish to its end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, Shared};
use rolecall_core::aws::Credentials;
use rolecall_core::freshness;
use rolecall_core::message::host::{
    ConsoleUrlRequest, CredentialsRequest, HostRequest, HostResponse, ProfileSpec, Program, RoleSelection,
    WorkerResponse,
};
use rolecall_core::message::ui::{Activity, Intent, Purpose};
use rolecall_core::platform::Step;
use rolecall_core::session::SharedSession as _;
use rolecall_core::settings::{Approve, CredentialsMode, Provider, ProviderId, Role, RoleKey};
use rolecall_core::sign_in::{self, Presence, sign_in};
use rolecall_core::url::Url;
use rolecall_core::{Code, Problem, console};
use secrecy::SecretString;
use wasm_bindgen_futures::spawn_local;

use crate::app::App;
use crate::platform::Browser;
use crate::{approvals, browser, renewal};

/// Does what a person wants.
pub(crate) fn fulfil(app: &Rc<App>, intent: Intent) {
    match intent {
        Intent::DismissProblem => app.dismiss_problem(),
        Intent::ConnectHost => app.host.look_again(app),
        Intent::Answer { approval, decision } => app.approvals.decide(approval, decision),
        // The browser offers no way to close the window of an identity redirect; the person can.
        Intent::Cancel { .. } => {}
        // The popup and the permission's own event may both say so: only the first finds the problem still there.
        Intent::Retry => {
            if let Some(intent) = app.failed_intent() {
                fulfil(app, intent);
            }
        }
        Intent::SignOut { provider, end_session } => {
            let app = Rc::clone(app);
            spawn_local(async move { sign_out(&app, &provider, end_session).await });
        }
        Intent::SignIn { .. }
        | Intent::OpenConsole { .. }
        | Intent::WriteProfile { .. }
        | Intent::ChooseAccount { .. } => {
            // A second press of a button, or another one meanwhile, starts nothing.
            if app.is_busy() {
                return;
            }
            app.begin(&intent);
            let app = Rc::clone(app);
            spawn_local(async move {
                let outcome = match &intent {
                    Intent::OpenConsole { role } => open_console(&app, role).await,
                    Intent::WriteProfile { role } => write_profile(&app, role).await,
                    Intent::SignIn { role } => sign_in_to(&app, role).await,
                    Intent::ChooseAccount { provider } => choose_account(&app, provider).await,
                    _ => return,
                };
                app.end(outcome);
            });
        }
    }
}

/// Goes on with what failed for want of a permission, once it is granted. The popup may have been closed by the
/// browser's own question, so it cannot be relied on to say so.
pub(crate) async fn go_on_if_granted(app: &Rc<App>) {
    if let Some(pattern) = app.wanted_grant()
        && browser::may_talk_to(&pattern).await
    {
        fulfil(app, Intent::Retry);
    }
}

/// Sign-ins under way: whoever wants the same role in the same way, and for as long, waits for the same one.
#[derive(Default)]
pub(crate) struct Flights(RefCell<BTreeMap<(RoleKey, bool, TimeDelta), Flight>>);

type Flight = Shared<LocalBoxFuture<'static, Result<Credentials, Problem>>>;

/// Credentials for a program in a terminal.
pub(crate) async fn credentials_for_program(
    app: &Rc<App>,
    request: CredentialsRequest,
) -> Result<WorkerResponse, Problem> {
    let presence = Presence::of(request.interactive);
    let time_left = TimeDelta::seconds(request.time_left_seconds.into());
    let (role, provider) = find(app, &request.role)?;
    let asked_by = request.asked_by;
    approvals::ask(app, &role, &provider, asked_by.clone(), Purpose::Credentials, presence).await?;
    let credentials = credentials(app, &request.role, presence, time_left, Some(known(asked_by))).await;
    app.show_activity(None);
    let credentials = credentials?;
    renewal::plan(&request.role, &credentials);
    Ok(WorkerResponse::Credentials { credentials, keep: role.approve(&provider) == Approve::Never })
}

/// An address that opens the console, for a program in a terminal.
pub(crate) async fn console_url_for_program(
    app: &Rc<App>,
    request: ConsoleUrlRequest,
) -> Result<SecretString, Problem> {
    let ConsoleUrlRequest { role: key, service, interactive, asked_by } = request;
    let presence = Presence::of(interactive);
    let (role, provider) = find(app, &key)?;
    approvals::ask(app, &role, &provider, asked_by.clone(), Purpose::Console, presence).await?;
    let url = console_url(app, &key, service.as_deref(), presence, Some(known(asked_by))).await;
    app.show_activity(None);
    url
}

fn known(program: Option<Program>) -> Program {
    program.unwrap_or_else(|| Program { path: "A program in a terminal".to_owned(), parent: None })
}

/// An address that opens the console.
async fn console_url(
    app: &Rc<App>,
    key: &RoleKey,
    service: Option<&str>,
    presence: Presence,
    asked_by: Option<Program>,
) -> Result<SecretString, Problem> {
    let credentials = credentials(app, key, presence, freshness::CONSOLE, asked_by).await?;
    let (role, provider) = find(app, key)?;
    let redirect = provider.redirect;
    let platform = Browser { app: Rc::clone(app), role: Some(role.key()), redirect, asked_by: None };
    Ok(console::login_url(&platform, &provider, &role, &credentials, service).await?)
}

/// Forgets roles. With all of them, every person is signed out, and their sessions at the providers are ended if that is
/// wished.
pub(crate) async fn forget(app: &Rc<App>, roles: &RoleSelection, end_session: bool) {
    app.approvals.forget(roles);
    let effective = app.effective();
    match roles {
        RoleSelection::All => {
            for provider in effective.providers() {
                sign_out_and_open_page(app, &provider.value, end_session).await;
            }
        }
        RoleSelection::Provider(id) => {
            if let Some(provider) = effective.provider(id) {
                sign_out_and_open_page(app, provider, end_session).await;
            }
        }
        RoleSelection::Role(role) => {
            app.session(&role.provider).change(|session| session.forget_role(&role.arn));
        }
    }
    tell_host_to_forget(app, roles.clone()).await;
}

async fn sign_out_and_open_page(app: &Rc<App>, provider: &Provider, end_session: bool) {
    let page = sign_out_at(app, provider).await;
    if let Some(page) = page.filter(|_| end_session) {
        // A browser that opens no tab leaves the session to its own end.
        let _ = browser::open_tab(page.as_str()).await;
    }
}

async fn sign_in_to(app: &Rc<App>, role: &RoleKey) -> Result<String, Problem> {
    credentials(app, role, Presence::Person, freshness::SDK_RENEWAL, None).await?;
    let (settings, provider) = find(app, role)?;
    let elsewhere = app.session(&provider.id).read(|session| session.uses_main_region(&settings));
    let note = if elsewhere {
        format!(
            " AWS STS is not enabled in {} for this account, so {} was asked.",
            settings.region(),
            role.arn.partition().default_region()
        )
    } else {
        String::new()
    };
    Ok(format!("Signed in to {}.{note}", label(app, role)))
}

async fn open_console(app: &Rc<App>, role: &RoleKey) -> Result<String, Problem> {
    use secrecy::ExposeSecret;

    let url = console_url(app, role, None, Presence::Person, None).await?;
    browser::open_tab(url.expose_secret()).await?;
    Ok(format!("Opened the console as {}.", label(app, role)))
}

async fn write_profile(app: &Rc<App>, key: &RoleKey) -> Result<String, Problem> {
    let (role, provider) = find(app, key)?;
    let refused = |why: &str| Problem::new(Code::ProfileInvalid, format!("{why} {}.", label(app, key)));
    let for_everybody = role.approve(&provider) == Approve::Never;
    match role.credentials {
        CredentialsMode::None => return Err(refused("The settings want no AWS profile for")),
        CredentialsMode::File if !for_everybody => {
            return Err(refused(
                "Every program can read a file of credentials, and the settings want each one approved for",
            ));
        }
        CredentialsMode::File | CredentialsMode::Process => {}
    }
    // Credentials come first: a profile that cannot work is not written.
    let credentials = credentials(app, key, Presence::Person, freshness::SDK_RENEWAL, None).await?;
    app.show_activity(Some(Activity { role: Some(key.clone()), step: Step::WritingProfile }));
    let spec = ProfileSpec {
        profile: app.effective().profile_name(&role),
        role: key.clone(),
        region: role.region(),
        mode: role.credentials,
        endpoint_url: provider.endpoint_url.clone(),
        // What a person has to allow each program is not given to the host for all of them.
        credentials: for_everybody.then_some(credentials),
    };
    match app.host.ask(HostRequest::WriteProfile(Box::new(spec)), WRITE_SECONDS).await? {
        HostResponse::ProfileWritten { profile, file, changed: true } => {
            Ok(format!("Wrote the profile {profile} to {file}."))
        }
        HostResponse::ProfileWritten { profile, file, changed: false } => {
            Ok(format!("The profile {profile} is already in {file}."))
        }
        _ => Err(Problem::new(
            Code::HostProtocol,
            "The Rolecall host program answered something else than was asked.",
        )),
    }
}

/// Signs in as whom a person chooses. Of another person than before, nothing stays in the host's memory.
async fn choose_account(app: &Rc<App>, provider: &ProviderId) -> Result<String, Problem> {
    let effective = app.effective();
    let Some(provider) = effective.provider(provider) else {
        return Err(Problem::new(Code::ProviderUnknown, "The provider is no longer in the settings."));
    };
    let platform = Browser { app: Rc::clone(app), role: None, redirect: provider.redirect, asked_by: None };
    let person = sign_in::choose_account(&platform, provider, &app.session(&provider.id)).await?.person;
    Ok(format!("Signed in at {} as {}.", provider.label(), person.label()))
}

async fn sign_out(app: &Rc<App>, provider: &ProviderId, end_session: bool) {
    let effective = app.effective();
    let Some(provider) = effective.provider(provider) else { return };
    let page = sign_out_at(app, provider).await;
    let outcome = match page.filter(|_| end_session) {
        Some(page) => browser::open_tab(page.as_str()).await.map(|()| {
            format!("Signed out of Rolecall. The new tab ends the session at {}.", provider.label())
        }),
        None => Ok("Signed out of Rolecall.".to_owned()),
    };
    app.end(outcome);
}

/// Gives the page at which the session at the provider ends.
async fn sign_out_at(app: &Rc<App>, provider: &Provider) -> Option<Url> {
    let redirect = provider.redirect;
    let platform = Browser { app: Rc::clone(app), role: None, redirect, asked_by: None };
    sign_in::sign_out(&platform, provider, &app.session(&provider.id)).await
}

pub(crate) async fn tell_host_to_forget(app: &Rc<App>, roles: RoleSelection) {
    if app.host_is_connected() {
        // A host that has stopped has forgotten everything.
        let _ = app.host.ask(HostRequest::Forget(roles), WRITE_SECONDS).await;
    }
}

/// The role's credentials, joining a sign-in that is under way for the same.
pub(crate) async fn credentials(
    app: &Rc<App>,
    role: &RoleKey,
    presence: Presence,
    time_left: TimeDelta,
    asked_by: Option<Program>,
) -> Result<Credentials, Problem> {
    let key = (role.clone(), presence == Presence::Person, time_left);
    let (role, provider) = find(app, role)?;
    let under_way = app.flights.0.borrow().get(&key).cloned();
    if let Some(flight) = under_way {
        return flight.await;
    }
    let flight = {
        let (app, key) = (Rc::clone(app), key.clone());
        let fly = async move {
            let session = app.session(&provider.id);
            let redirect = provider.redirect;
            let platform = Browser { app: Rc::clone(&app), role: Some(role.key()), redirect, asked_by };
            let credentials = sign_in(&platform, &provider, &role, presence, time_left, &session).await;
            app.flights.0.borrow_mut().remove(&key);
            credentials.map_err(Problem::from)
        };
        fly.boxed_local().shared()
    };
    app.flights.0.borrow_mut().insert(key, flight.clone());
    flight.await
}

fn find(app: &App, role: &RoleKey) -> Result<(Role, Provider), Problem> {
    let effective = app.effective();
    let unknown = || Problem::new(Code::RoleUnknown, format!("The role {role} is not in the settings."));
    let (role, provider) = effective.role(role).ok_or_else(unknown)?;
    Ok((role.clone(), provider.clone()))
}

fn label(app: &App, role: &RoleKey) -> String {
    format!("{} / {}", app.effective().account_label(role.arn.account()), role.arn.name())
}

/// How long writing a file may take, in seconds: another program may hold its lock.
const WRITE_SECONDS: u32 = 15;
