//! The console: in which session and in which tab it opens.
//!
//! A browser has one session of the console, unless AWS's multi-session support is on or the session has a container of
//! its own. So that AWS never has to refuse a second one, it is known here which sessions were opened, and the one before
//! is ended first, once a person has agreed to that. The extension sees the address of a console's tab only where it is
//! allowed to; a host that belongs to one session tells that there may be several.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::lock::Mutex;
use rolecall_core::aws::Region;
use rolecall_core::console::{Console, ConsolePage};
use rolecall_core::json::{ReadJson, WriteJson};
use rolecall_core::message::host::Program;
use rolecall_core::message::ui::ConsoleTab;
use rolecall_core::session::{Generation, ProviderSession};
use rolecall_core::settings::{Account, Provider, Role, RoleKey};
use rolecall_core::sign_in::Presence;
use rolecall_core::time::{DateTime, TimeDelta, Utc};
use rolecall_core::{Code, Problem, freshness};
use secrecy::{ExposeSecret as _, SecretString};

use crate::browser::{Browser, Container, StorageArea, TabClosed, TabId};
use crate::settings::find;
use crate::sign_in::SignIn;
use crate::storage::{Storage, Stored};

/// Opens the console.
pub(crate) struct Consoles {
    browser: Rc<dyn Browser>,
    storage: Storage,
    sign_in: Rc<SignIn>,
    /// At most one of each role, the newest last.
    sessions: RefCell<Vec<Session>>,
    /// Whether the person wants the session before to be ended without being asked.
    ends_others: Cell<bool>,
    /// Whose session was shown again last, and when.
    shown: RefCell<Option<(RoleKey, DateTime<Utc>)>>,
    /// What the tab in front shows, if that is a console.
    in_front: RefCell<Option<ConsoleTab>>,
    /// Whether tabs are put into groups; `None` where the browser has none for that.
    groups_tabs: Cell<Option<bool>>,
    /// Only one console at a time is opened, so that each knows of those before.
    opening: Mutex<()>,
}

/// A session of the console. Holds no secret.
#[derive(Clone, ReadJson, WriteJson)]
#[json(rename_all = "camelCase")]
struct Session {
    role: RoleKey,
    /// For whom it was opened.
    generation: Generation,
    tab: TabId,
    until: DateTime<Utc>,
    /// The host where it was signed in to.
    host: String,
    /// The name of its container, if it has one.
    container: Option<String>,
}

impl Session {
    /// Whether one of that host and that container would be refused while it lasts.
    fn is_in_the_way_of(&self, host: &str, container: Option<&str>) -> bool {
        self.host == host && self.container.as_deref() == container
    }
}

/// What is to be opened, and for whom.
pub(crate) struct Wanted {
    /// The role.
    pub(crate) role: RoleKey,
    /// The page; the console's home page without one.
    pub(crate) page: Option<ConsolePage>,
    /// The region whose console is opened; the role's own without one.
    pub(crate) region: Option<Region>,
    /// The tab in which a new session is to go on; one that is found without it.
    pub(crate) tab: Option<TabId>,
    /// Whether a person can answer a window.
    pub(crate) presence: Presence,
    /// The program that asked, if one did.
    pub(crate) asked_by: Option<Program>,
    /// Whether the session of another role may be ended.
    pub(crate) others: Others,
}

impl Wanted {
    /// The home page, for a person.
    pub(crate) fn home(role: RoleKey) -> Self {
        Self {
            role,
            page: None,
            region: None,
            tab: None,
            presence: Presence::Person,
            asked_by: None,
            others: Others::AsBefore,
        }
    }
}

/// What is to become of another role's session, where there can be only one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Others {
    /// What the person has said before; they are asked if they have said nothing.
    AsBefore,
    /// It is ended.
    End,
    /// It is ended, and so are all further ones.
    AlwaysEnd,
}

/// How the console was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    /// With a new session.
    Anew,
    /// In the session that there was.
    Again,
}

impl Consoles {
    /// Knows what was opened before this background started.
    pub(crate) fn new(
        browser: &Rc<dyn Browser>,
        storage: &Storage,
        sign_in: &Rc<SignIn>,
        stored: &mut Stored,
    ) -> Rc<Self> {
        Rc::new(Self {
            browser: Rc::clone(browser),
            storage: storage.clone(),
            sign_in: Rc::clone(sign_in),
            sessions: RefCell::new(stored.take(StorageArea::Session, SESSIONS).unwrap_or_default()),
            ends_others: Cell::new(stored.take(StorageArea::Local, ENDS_OTHERS).unwrap_or_default()),
            shown: RefCell::default(),
            in_front: RefCell::default(),
            groups_tabs: Cell::default(),
            opening: Mutex::default(),
        })
    }

    /// Opens the console in a tab.
    pub(crate) async fn open(&self, wanted: Wanted) -> Result<Opened, Problem> {
        let (role, provider) = self.role(&wanted).await?;
        let mut console = Console::of(&provider, &role, wanted.page.as_ref())?;
        let now = self.browser.now();
        let container = self.container(&wanted.role).await;
        let container_name = container.as_ref().map(|container| container.name.clone());
        let generation = || self.sign_in.sessions.of(&provider.id).read(ProviderSession::generation);
        // Nobody is shown the session of somebody else, or one that is not where it would be opened now.
        let is_usable = |session: &&Session| {
            session.role == wanted.role
                && session.generation == generation()
                && session.container == container_name
        };
        let before = self.sessions.borrow().iter().find(is_usable).cloned();
        let (tab, shown_page) = self.tab_of(before.as_ref(), &provider, &role, &console).await;
        let is_alive = before.as_ref().is_some_and(|before| before.until > now);
        // Whoever has just been shown the session and opens the console again wants another one: it may have been ended
        // where that cannot be seen.
        let is_refused =
            self.shown.take().is_some_and(|(shown, at)| shown == wanted.role && at + AGAIN > now);
        if is_alive && !is_refused && wanted.tab.is_none() {
            if wanted.page.is_none()
                && wanted.region.is_none()
                && let Some(tab) = tab
                && self.browser.show_tab(tab, None).await
            {
                self.shown.replace(Some((wanted.role, now)));
                return Ok(Opened::Again);
            }
            let url = console.address_beside(shown_page.as_ref());
            let tab = self.open_tab(&url, container.as_ref(), &role).await?;
            self.change(|sessions| {
                for session in sessions.iter_mut().filter(|session| session.role == wanted.role) {
                    session.tab = tab;
                }
            });
            self.shown.replace(Some((wanted.role, now)));
            return Ok(Opened::Again);
        }
        if wanted.page.is_none()
            && wanted.region.is_none()
            && let Some(shown_page) = shown_page
        {
            // Where the session ended, the next one goes on.
            console = Console::of(&provider, &role, Some(&shown_page)).unwrap_or(console);
        }
        // A person is asked before they sign in, and not again unless another console was opened meanwhile.
        self.ends_before(&wanted, &console, container_name.as_deref()).await?;

        let (key, presence) = (&wanted.role, wanted.presence);
        let credentials =
            self.sign_in.credentials(key, presence, freshness::CONSOLE, wanted.asked_by.clone()).await?;
        let platform = self.sign_in.platform(&provider, Some(key.clone()), None);
        let mut url = console.login_url(&platform, &credentials).await?;
        let _opening = self.opening.lock().await;
        let ends_before = self.ends_before(&wanted, &console, container_name.as_deref()).await?;
        if ends_before {
            url = console.after_log_out(&platform, url).await;
        }
        let tab = match wanted.tab {
            Some(tab) => self.still_shows(tab, wanted.page.as_ref(), container_name.as_deref()).await,
            None => match self.tab_of(before.as_ref(), &provider, &role, &console).await {
                (tab, Some(_)) => tab,
                (_, None) => None,
            },
        };
        let mut used = None;
        if let Some(tab) = tab
            && self.browser.show_tab(tab, Some(url.expose_secret())).await
        {
            used = Some(tab);
        }
        let tab = match used {
            Some(tab) => tab,
            None => self.open_tab(url.expose_secret(), container.as_ref(), &role).await?,
        };
        let session = Session {
            generation: generation(),
            tab,
            until: console.session_end(now, &credentials),
            host: console.sign_in_host().to_owned(),
            container: container_name,
            role: wanted.role,
        };
        self.change(|sessions| {
            sessions.retain(|other| other.role != session.role && other.tab != session.tab);
            if ends_before {
                for other in sessions.iter_mut() {
                    if other.is_in_the_way_of(&session.host, session.container.as_deref()) {
                        other.until = other.until.min(now);
                    }
                }
            }
            // A tab whose session has ended can go on, and is the first to be forgotten.
            if sessions.len() == MOST_REMEMBERED {
                let ended = sessions.iter().position(|session| session.until <= now);
                sessions.remove(ended.unwrap_or_default());
            }
            sessions.push(session);
        });
        Ok(Opened::Anew)
    }

    /// An address that opens the console; a secret for 15 minutes.
    pub(crate) async fn url(&self, wanted: Wanted) -> Result<SecretString, Problem> {
        let (role, provider) = self.role(&wanted).await?;
        let console = Console::of(&provider, &role, wanted.page.as_ref())?;
        let (role, presence) = (&wanted.role, wanted.presence);
        let credentials =
            self.sign_in.credentials(role, presence, freshness::CONSOLE, wanted.asked_by).await?;
        let platform = self.sign_in.platform(&provider, Some(role.clone()), None);
        let url = console.login_url(&platform, &credentials).await?;
        Ok(if wanted.others == Others::End { console.after_log_out(&platform, url).await } else { url })
    }

    /// Opens a tab, in the group of the role's account if a person wants such groups.
    async fn open_tab(
        &self,
        url: &str,
        container: Option<&Container>,
        role: &Role,
    ) -> Result<TabId, Problem> {
        let tab = self.browser.open_tab(url, container).await?;
        if self.look_whether_tabs_are_grouped().await == Some(true) {
            let effective = self.sign_in.settings.current();
            let account = role.arn.account();
            let color = effective.account(account).and_then(|account| account.color.as_deref());
            self.browser.group_tab(tab, effective.account_label(account), color);
        }
        Ok(tab)
    }

    /// Firefox keeps sessions apart by containers, which have names and colours as well.
    async fn look_whether_tabs_are_grouped(&self) -> Option<bool> {
        let groups = !self.browser.has_containers();
        let groups = if groups { Some(self.browser.has_permission(TAB_GROUPS).await) } else { None };
        self.groups_tabs.set(groups);
        groups
    }

    /// Whether tabs are put into groups; `None` where the browser has none for that.
    pub(crate) fn groups_tabs(&self) -> Option<bool> {
        self.groups_tabs.get()
    }

    /// Looks at the tab in front, whose address the browser tells while the popup is open.
    pub(crate) async fn look_at_tab_in_front(&self, recent: &[RoleKey]) {
        self.look_whether_tabs_are_grouped().await;
        // Whose console it is, the settings tell.
        drop(self.sign_in.settings.known().await);
        let in_front = match self.browser.tab_in_front().await {
            Some((tab, address)) => self.at(tab, &address, recent),
            None => None,
        };
        self.in_front.replace(in_front);
    }

    fn at(&self, tab: TabId, address: &str, recent: &[RoleKey]) -> Option<ConsoleTab> {
        let (page, sign_in) = Console::page_at(address)?;
        let effective = self.sign_in.settings.current();
        let is_console_of = |key: &&RoleKey| {
            let Ok((role, provider)) = find(&effective, key) else { return false };
            let console = Console::of(&provider, &role, Some(&page));
            console.is_ok_and(|console| {
                sign_in.as_ref().is_none_or(|url| console.signs_in_at(url, key.arn.partition()))
            })
        };
        let account = Console::account_at(page.as_str());
        let sessions = self.sessions.borrow();
        let opened = sessions.iter().find(|session| session.tab == tab).map(|session| &session.role);
        let of_account = |key: &&RoleKey| account.map(|account| account == key.arn.account().as_str());
        // In the tab, a person may have chosen another account's session.
        let opened = opened.filter(|key| of_account(key) != Some(false));
        // A tab that Rolecall has not opened tells the account, if anything.
        let of_page = || recent.iter().find(|key| of_account(key) == Some(true) && is_console_of(key));
        let role = opened.filter(is_console_of).or_else(of_page)?.clone();
        Some(ConsoleTab { role, tab, page: page.to_string() })
    }

    /// The popup is closed.
    pub(crate) fn look_away(&self) {
        self.in_front.replace(None);
    }

    /// The tab in front, if it shows a page of a console.
    pub(crate) fn in_front(&self) -> Option<ConsoleTab> {
        self.in_front.borrow().clone()
    }

    /// Whether a tab is in a container, or in none, as far as is known.
    fn is_in_container(&self, tab: TabId, container: Option<&str>) -> bool {
        let sessions = self.sessions.borrow();
        let known = sessions.iter().find(|session| session.tab == tab);
        known.map_or(container.is_none(), |session| session.container.as_deref() == container)
    }

    async fn role(&self, wanted: &Wanted) -> Result<(Role, Provider), Problem> {
        let (mut role, provider) = find(&*self.sign_in.settings.known().await?, &wanted.role)?;
        role.region = wanted.region.clone().or(role.region);
        Ok((role, provider))
    }

    /// The tab of the role's session if it is there, and the page that it shows if the browser tells that. A tab that is
    /// known to show something else is none.
    async fn tab_of(
        &self,
        session: Option<&Session>,
        provider: &Provider,
        role: &Role,
        console: &Console,
    ) -> (Option<TabId>, Option<ConsolePage>) {
        let Some(tab) = session.map(|session| session.tab) else { return (None, None) };
        match self.browser.tab_address(tab).await {
            Err(TabClosed) => (None, None),
            // Where the console's addresses can be seen, one that cannot is something else.
            Ok(None) if self.browser.has_permission(&console.pattern()).await => (None, None),
            Ok(None) => (Some(tab), None),
            Ok(Some(address)) if Console::is_of_another_account(&address, role.arn.account()) => (None, None),
            Ok(Some(address)) => match address.parse() {
                Ok(page) if Console::of(provider, role, Some(&page)).is_ok() => (Some(tab), Some(page)),
                _ => (None, None),
            },
        }
    }

    /// The tab, if it is seen to show this page, in this container. Only then is it led elsewhere: a person may need what another one
    /// shows.
    async fn still_shows(
        &self,
        tab: TabId,
        page: Option<&ConsolePage>,
        container_name: Option<&str>,
    ) -> Option<TabId> {
        let address = self.browser.tab_address(tab).await.ok().flatten()?;
        let (shown, _) = Console::page_at(&address)?;
        (page == Some(&shown) && self.is_in_container(tab, container_name)).then_some(tab)
    }

    /// Whether the session before has to be ended first. `Err` if the person has to be asked.
    async fn ends_before(
        &self,
        wanted: &Wanted,
        console: &Console,
        container: Option<&str>,
    ) -> Result<bool, Problem> {
        let now = self.browser.now();
        let sessions = self.sessions.borrow().clone();
        let is_in_the_way = |session: &Session| {
            session.until > now && session.is_in_the_way_of(console.sign_in_host(), container)
        };
        let sessions: Vec<_> = sessions.into_iter().filter(is_in_the_way).collect();
        let others: Vec<_> = sessions
            .iter()
            .filter(|session| session.role != wanted.role)
            .map(|session| &session.role)
            .collect();
        if sessions.is_empty() {
            return Ok(false);
        }
        let names: Vec<_> = others.iter().map(|role| self.sign_in.settings.label(role)).collect();
        let is_agreed = wanted.others != Others::AsBefore;
        for session in &sessions {
            let address = self.browser.tab_address(session.tab).await.ok().flatten();
            if !address.is_some_and(|address| Console::is_one_of_several(&address)) {
                continue;
            }
            if names.len() < MOST_SESSIONS || is_agreed {
                return Ok(false);
            }
            return Err(Problem::new(
                Code::ConsoleSessionsFull,
                format!(
                    "The console is open as {}, and AWS allows five sessions in a browser.",
                    names.join(", ")
                ),
            ));
        }
        if others.is_empty() || is_agreed || self.ends_others.get() {
            if !others.is_empty() && wanted.others == Others::AlwaysEnd && !self.ends_others.replace(true) {
                self.storage.save(StorageArea::Local, ENDS_OTHERS, &true);
            }
            return Ok(true);
        }
        Err(self.question(&names.join(", "), console).await)
    }

    /// Asks what is to become of the sessions that are open, and offers another way if the browser has one.
    async fn question(&self, names: &str, console: &Console) -> Problem {
        let (grant, way) = if self.browser.has_containers() {
            (CONTAINERS.to_owned(), "use a container for each role, which keeps their sessions apart")
        } else {
            (console.pattern(), "let Rolecall see the console's addresses, which tell whether it is on")
        };
        let mut problem = Problem::new(
            Code::ConsoleSessionOpen,
            format!(
                "The console is open as {names}. AWS allows one session, unless its multi-session support is on."
            ),
        );
        if !self.browser.has_permission(&grant).await {
            problem = problem
                .with_next_step(format!(
                    "End the other session (from then on, Rolecall does so without asking), or {way}."
                ))
                .with_grant(&grant);
        }
        problem
    }

    /// The role's container, where the browser has containers and the extension may use them.
    async fn container(&self, role: &RoleKey) -> Option<Container> {
        if !self.browser.has_containers() || !self.browser.has_permission(CONTAINERS).await {
            return None;
        }
        let effective = self.sign_in.settings.current();
        let color = effective.role(role).and_then(|(role, _)| role.color.clone());
        // Two accounts may be called the same, and a container must keep its name when they come to be.
        let id = role.arn.account();
        let account = effective.account(id).map_or(id.as_str(), Account::label);
        let name = format!("{account} / {} ({id})", role.arn.name());
        Some(Container { name, color })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Session>)) {
        let mut sessions = self.sessions.borrow_mut();
        change(&mut sessions);
        self.storage.save(StorageArea::Session, SESSIONS, &*sessions);
    }
}

/// The permission without which a tab cannot be opened in a container.
const CONTAINERS: &str = "cookies";

/// The permission without which a group of tabs cannot be named.
const TAB_GROUPS: &str = "tabGroups";

/// For how long whoever was shown a session and opens the console again is taken to want another one.
const AGAIN: TimeDelta = TimeDelta::minutes(1);

/// AWS Management Console, "Signing in to multiple accounts".
const MOST_SESSIONS: usize = 5;

/// How many sessions are remembered, ended ones among them.
const MOST_REMEMBERED: usize = 50;

const SESSIONS: &str = "consoleSessions";

const ENDS_OTHERS: &str = "consoleEndsOthers";

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests;
