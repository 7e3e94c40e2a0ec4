//! Puts the background together: every part is made here, and knows only the parts that it is given.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_util::FutureExt as _;
use rolecall_core::console;

use crate::approvals::Approvals;
use crate::badge::Badge;
use crate::browser::{Browser, REDIRECT_WINDOW, StorageArea, WindowId};
use crate::changes::Changes;
use crate::console::Consoles;
use crate::flights::Flights;
use crate::host::Host;
use crate::intents::Intents;
use crate::omnibox::Omnibox;
use crate::pages::Pages;
use crate::programs::Programs;
use crate::progress::Progress;
use crate::renewal::Renewal;
use crate::role_lists::RoleLists;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::shortlist::Shortlist;
use crate::sign_in::SignIn;
use crate::storage::{Storage, Stored};
use crate::transport::Transport;
use crate::view::View;

/// The background, as far as events of the browser concern it.
pub(crate) struct Background {
    /// The ports to the pages.
    pub(crate) pages: Rc<Pages>,
    /// The roles in the address bar.
    pub(crate) omnibox: Omnibox,
    badge: Badge,
    settings: Rc<Settings>,
    sign_in: Rc<SignIn>,
    renewal: Rc<Renewal>,
    transport: Rc<Transport>,
    intents: Rc<Intents>,
    role_lists: Rc<RoleLists>,
    browser: Rc<dyn Browser>,
}

impl Background {
    /// Reads what outlived the last background, has the policy read, and connects to the native host.
    pub(crate) async fn start(browser: Rc<dyn Browser>) -> Rc<Self> {
        let changes = Changes::default();
        let settings = Settings::new(&browser, &changes);
        settings.read_policy();
        let storage = Storage::new(&browser);
        let mut stored = storage.load().await;
        close_window_left_open(&*browser, &storage, &mut stored);
        let sessions = Sessions::new(&storage, &changes, &settings, &mut stored);
        let progress = Progress::new(&storage, &changes, &mut stored);
        let shortlist = Shortlist::new(&browser, &storage, &changes, &mut stored);
        let approvals = Approvals::new(&browser, &storage, &changes, &mut stored);
        let host = Host::new(&browser, &changes, &settings);
        let transport = Transport::new(&browser, &storage, &host, &mut stored);
        let sign_in = Rc::new(SignIn {
            browser: Rc::clone(&browser),
            settings: Rc::clone(&settings),
            sessions: Rc::clone(&sessions),
            progress: Rc::clone(&progress),
            transport: Rc::clone(&transport),
            host: Rc::clone(&host),
            approvals: Rc::clone(&approvals),
            flights: Flights::default(),
            window: Rc::default(),
            choices: Flights::default(),
        });
        let role_lists =
            RoleLists::new(&browser, &storage, &settings, &sessions, &transport, &changes, &mut stored);
        let consoles = Consoles::new(&browser, &storage, &sign_in, &mut stored);
        let renewal = Renewal::new(&browser, &sign_in);
        let view = Rc::new(View {
            settings: Rc::clone(&settings),
            sessions: Rc::clone(&sessions),
            progress: Rc::clone(&progress),
            host: Rc::clone(&host),
            approvals: Rc::clone(&approvals),
            role_lists: Rc::clone(&role_lists),
            shortlist: Rc::clone(&shortlist),
            consoles: Rc::clone(&consoles),
        });
        let intents = Rc::new(Intents {
            browser: Rc::clone(&browser),
            settings: Rc::clone(&settings),
            progress,
            sign_in: Rc::clone(&sign_in),
            consoles: Rc::clone(&consoles),
            approvals: Rc::clone(&approvals),
            host: Rc::clone(&host),
            role_lists: Rc::clone(&role_lists),
            shortlist: Rc::clone(&shortlist),
            popup_count: Cell::default(),
            tasks: RefCell::default(),
        });
        let omnibox = Omnibox {
            settings: Rc::clone(&settings),
            shortlist,
            intents: Rc::clone(&intents),
            index: RefCell::default(),
        };
        let badge = Badge::new(&browser, &settings, sessions);
        let programs = Programs {
            browser: Rc::clone(&browser),
            settings: Rc::clone(&settings),
            sign_in: Rc::clone(&sign_in),
            approvals: Rc::clone(&approvals),
            consoles,
            renewal: Rc::clone(&renewal),
            view: Rc::clone(&view),
        };
        let pages = Rc::new(Pages {
            browser: Rc::clone(&browser),
            storage,
            settings: Rc::clone(&settings),
            view,
            intents: Rc::clone(&intents),
            approvals,
            host: Rc::clone(&host),
            role_lists: Rc::clone(&role_lists),
            open: RefCell::default(),
            last_number: Cell::default(),
            sent: RefCell::default(),
        });
        host.start(Rc::new(programs));
        pages.begin_soon();
        let background = Rc::new(Self {
            pages,
            omnibox,
            badge,
            settings,
            sign_in,
            renewal,
            transport,
            intents,
            role_lists,
            browser: Rc::clone(&browser),
        });
        browser.spawn(Rc::clone(&background).follow(changes).boxed_local());
        background
    }

    /// Does what each change calls for, for as long as the background lives.
    async fn follow(self: Rc<Self>, changes: Changes) {
        loop {
            changes.next().await;
            self.sign_in.forget_outdated();
            self.role_lists.refresh(false);
            self.pages.publish();
            self.badge.update();
        }
    }

    /// An alarm went off.
    pub(crate) async fn on_alarm(&self, name: &str) {
        self.badge.on_alarm(name);
        self.renewal.renew(name).await;
    }

    /// A host permission was granted or revoked: which way a request takes is found out anew, and what waited for it goes
    /// on.
    pub(crate) async fn on_permissions_changed(&self) {
        self.transport.forget_routes();
        self.role_lists.refresh(true);
        self.intents.go_on_if_granted().await;
        self.pages.look_around();
    }

    /// A person wants to open this address of a console: they choose the role in the popup's page, in a window of its own, whose
    /// search begins with the address, and with the account if that is known and has roles.
    pub(crate) fn on_console_address(self: &Rc<Self>, address: String) {
        let this = Rc::clone(self);
        let opening = async move {
            // Without settings, the page says so.
            let effective = this.settings.known().await.unwrap_or_default();
            let has_roles =
                |account: &&str| effective.roles().any(|role| role.value.arn.account().as_str() == *account);
            let account = console::Console::account_at(&address).filter(has_roles).unwrap_or_default();
            let search = console::escaped(&[account, " > ", &address].concat());
            this.browser.open_window(&["popup.html#", &search].concat()).await;
        };
        self.browser.spawn(opening.boxed_local());
    }

    /// The organisation's policy has changed.
    pub(crate) fn on_policy_changed(&self) {
        self.settings.read_policy();
    }
}

/// Closes the sign-in window that the last background was stopped with.
fn close_window_left_open(browser: &dyn Browser, storage: &Storage, stored: &mut Stored) {
    let window = stored.take::<u32>(StorageArea::Session, REDIRECT_WINDOW);
    if let Some(Ok(window)) = window.map(i32::try_from) {
        browser.close_window(WindowId(window));
        storage.remove(StorageArea::Session, REDIRECT_WINDOW);
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
impl Background {
    pub(crate) fn sign_in(&self) -> &Rc<SignIn> {
        &self.sign_in
    }

    pub(crate) fn settings(&self) -> &Rc<Settings> {
        &self.settings
    }

    pub(crate) fn host(&self) -> &Rc<Host> {
        &self.sign_in.host
    }

    pub(crate) fn activities(&self) -> Vec<rolecall_core::message::ui::Activity> {
        self.sign_in.progress.activities()
    }

    pub(crate) fn last_intent(&self) -> Option<rolecall_core::message::ui::Intent> {
        self.sign_in.progress.outcome().intent
    }

    pub(crate) fn sign_out_at(&self, provider: &str) {
        let effective = self.settings.current();
        let provider = effective.provider(&provider.parse().unwrap()).unwrap();
        // Nobody waits for the provider to revoke the refresh token.
        drop(self.sign_in.sign_out(provider).now_or_never());
    }
}
