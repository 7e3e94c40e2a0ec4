//! What programs in terminals request through the native host.

use std::rc::Rc;

use futures_util::FutureExt as _;
use rolecall_core::Problem;
use rolecall_core::message::host::{
    ConsoleRequest, CredentialsRequest, Program, RoleSelection, SignOutRequest, WorkerRequest, WorkerResponse,
};
use rolecall_core::message::ui::Purpose;
use rolecall_core::settings::{Approve, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::time::TimeDelta;

use crate::approvals::{ApprovalRequest, Approvals};
use crate::browser::{Browser, Task};
use crate::console::{Consoles, Others, Wanted};
use crate::host::Requests;
use crate::renewal::Renewal;
use crate::settings::{Settings, find};
use crate::sign_in::SignIn;
use crate::view::View;

/// What programs want.
#[derive(Clone)]
pub(crate) struct Programs {
    /// The browser.
    pub(crate) browser: Rc<dyn Browser>,
    /// The settings.
    pub(crate) settings: Rc<Settings>,
    /// Who signs in and out.
    pub(crate) sign_in: Rc<SignIn>,
    /// Who decides what a program may have.
    pub(crate) approvals: Rc<Approvals>,
    /// Who opens the console.
    pub(crate) consoles: Rc<Consoles>,
    /// Who renews what is in use.
    pub(crate) renewal: Rc<Renewal>,
    /// What there is to see.
    pub(crate) view: Rc<View>,
}

impl Requests for Programs {
    fn fulfil(&self, request: WorkerRequest) -> Task<Result<WorkerResponse, Problem>> {
        let this = self.clone();
        let work = async move {
            match request {
                WorkerRequest::Credentials(request) => this.credentials(request).await,
                WorkerRequest::Console(request) => this.console(request).await,
                WorkerRequest::Status(page) => {
                    // Without a policy that can be read there are no roles, which the status tells.
                    let _ = this.settings.known().await;
                    Ok(WorkerResponse::Status(this.view.status(page)))
                }
                WorkerRequest::SignOut(request) => this.sign_out(request).await,
            }
        };
        work.boxed_local()
    }
}

impl Programs {
    async fn credentials(&self, request: CredentialsRequest) -> Result<WorkerResponse, Problem> {
        let CredentialsRequest { role: key, time_left_seconds, interactive, asked_by } = request;
        let presence = Presence::of(interactive);
        let approve = self.approved(&key, Purpose::Credentials, asked_by.clone(), presence).await?;
        let time_left = TimeDelta::seconds(time_left_seconds.into());
        let credentials = self.sign_in.credentials(&key, presence, time_left, Some(named(asked_by))).await?;
        self.renewal.schedule(&key, &credentials);
        Ok(WorkerResponse::Credentials { credentials, keep: approve == Approve::Never })
    }

    async fn console(&self, request: ConsoleRequest) -> Result<WorkerResponse, Problem> {
        let ConsoleRequest { role, page, region, open, end_session, interactive, asked_by } = request;
        let presence = Presence::of(interactive);
        self.approved(&role, Purpose::Console, asked_by.clone(), presence).await?;
        let asked_by = Some(named(asked_by));
        let others = if end_session { Others::End } else { Others::AsBefore };
        let wanted = Wanted { role, page, region, tab: None, presence, asked_by, others };
        if open {
            self.consoles.open(wanted).await?;
            return Ok(WorkerResponse::Done);
        }
        let url = self.consoles.url(wanted).await?;
        Ok(WorkerResponse::ConsoleUrl { url })
    }

    /// Waits until the person has allowed the program what it wants, if the role's settings say that they are asked, and gives
    /// that setting.
    async fn approved(
        &self,
        key: &RoleKey,
        purpose: Purpose,
        program: Option<Program>,
        presence: Presence,
    ) -> Result<Approve, Problem> {
        let effective = self.settings.known().await?;
        let (role, provider) = find(&effective, key)?;
        let request = ApprovalRequest { role: &role, provider: &provider, program, purpose, presence };
        self.approvals.ask(&effective, request).await?;
        Ok(role.approve(&provider))
    }

    /// Signing out of everything signs the people out, too, and ends their sessions at the providers if that is wanted.
    async fn sign_out(&self, request: SignOutRequest) -> Result<WorkerResponse, Problem> {
        let effective = self.settings.known().await?;
        let providers = effective.providers().map(|provider| &provider.value);
        match &request.roles {
            RoleSelection::Role(role) => self.sign_in.forget_role(role),
            selection => {
                let is_meant = |id: &_| match selection {
                    RoleSelection::Provider(wanted) => wanted == id,
                    _ => true,
                };
                for provider in providers.filter(|provider| is_meant(&provider.id)) {
                    let page = self.sign_in.sign_out(provider).await;
                    if let Some(page) = page.filter(|_| request.end_session) {
                        // A browser that opens no tab leaves the session to its own end.
                        let _ = self.browser.open_tab(page.as_str(), None).await;
                    }
                }
            }
        }
        if request.roles == RoleSelection::All {
            self.sign_in.forget_grants(RoleSelection::All);
        }
        Ok(WorkerResponse::Done)
    }
}

fn named(program: Option<Program>) -> Program {
    program.unwrap_or_else(|| Program {
        path: "A program in a terminal".to_owned(),
        parent: None,
        is_recognisable: false,
    })
}
