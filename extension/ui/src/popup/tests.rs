//! The popup in a browser: `popup.html` itself, with a stand-in for the extension API.

use rolecall_core::message::ui::{ConsoleTab, HostState, Intent, RoleSession};
use rolecall_core::platform::Step;
use rolecall_core::settings::{CredentialsMode, DefaultAction, GroupBy, ProviderId};
use rolecall_core::time::{DateTime, Utc};
use rolecall_core::{Code, Problem};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

use crate::opened::{Opened, port_name};
use crate::view::fixture::{Scene, activity, provider, role, state_with};

wasm_bindgen_test_configure!(run_in_browser);

fn three_roles() -> Scene {
    state_with(vec![
        role("acme-dev", "Developer"),
        role("acme-dev", "ReadOnly"),
        role("acme-prod", "Administrator"),
    ])
}

fn sign_in(state: &Scene, index: usize) -> Intent {
    Intent::SignIn { role: state.roles[index].key.clone() }
}

fn open_console(state: &Scene, index: usize) -> Intent {
    Intent::OpenConsole { role: state.roles[index].key.clone() }
}

#[wasm_bindgen_test]
fn the_search_has_the_focus_on_opening_and_is_wired_to_the_list() {
    let popup = Opened::new();
    assert_eq!(popup.focused(), "search");
    let search = popup.get("[role=combobox][aria-label='Search roles']");
    assert_eq!(search.get_attribute("aria-expanded").as_deref(), Some("false"));
    popup.receive(&three_roles());
    assert_eq!(search.get_attribute("aria-expanded").as_deref(), Some("true"));
    let list = popup.get("[role=listbox][aria-label=Roles]");
    assert_eq!(search.get_attribute("aria-controls"), Some(list.id()));
    assert_eq!(search.get_attribute("aria-activedescendant"), Some(popup.selected().unwrap().id()));
}

#[wasm_bindgen_test]
fn each_role_is_an_option_named_by_account_and_role() {
    let popup = Opened::with(&three_roles());
    assert_eq!(popup.options(), ["acme-dev / Developer", "acme-dev / ReadOnly", "acme-prod / Administrator"]);
    assert_eq!(popup.selected_name(), "acme-dev / Developer");
}

#[wasm_bindgen_test]
fn arrows_move_the_selection_and_enter_opens_the_console() {
    let state = three_roles();
    let popup = Opened::with(&state);
    popup.key("ArrowDown");
    assert_eq!(popup.selected_name(), "acme-dev / ReadOnly");
    popup.key("End");
    assert_eq!(popup.selected_name(), "acme-prod / Administrator");
    popup.key("ArrowUp");
    popup.key("Enter");
    popup.key("Home");
    popup.key("Enter");
    assert_eq!(popup.posted(), [open_console(&state, 1), open_console(&state, 0)]);
    assert_eq!(popup.focused(), "search");
}

#[wasm_bindgen_test]
fn enter_with_ctrl_signs_in_and_other_keys_with_ctrl_are_left_to_the_browser() {
    let state = three_roles();
    let popup = Opened::with(&state);
    assert!(popup.key_with_ctrl("Enter"));
    assert_eq!(popup.posted(), [sign_in(&state, 0)]);
    assert!(!popup.key_with_ctrl("End"));
    assert_eq!(popup.selected_name(), "acme-dev / Developer");
}

#[wasm_bindgen_test]
fn enter_a_double_click_and_the_first_button_do_what_the_settings_want_first() {
    let mut state = three_roles();
    for (default_action, first, second, hint) in [
        (DefaultAction::Console, open_console(&state, 0), sign_in(&state, 0), "Enter to open the console"),
        (DefaultAction::Credentials, sign_in(&state, 0), open_console(&state, 0), "Enter to sign in"),
    ] {
        state.default_action = default_action;
        let popup = Opened::with(&state);
        popup.key("Enter");
        popup.double_click("[aria-label='acme-dev / Developer']");
        popup.click(".actions .primary");
        assert_eq!(popup.posted(), [first.clone(), first.clone(), first]);
        popup.key_with_ctrl("Enter");
        popup.click(".actions .primary + button");
        assert_eq!(popup.posted()[3..], [second.clone(), second]);
        assert!(popup.get("[role=status]").get_attribute("data-hint").unwrap().ends_with(hint));
    }
}

fn open_page(state: &Scene, index: usize, page: &str) -> Intent {
    Intent::OpenPage { role: state.roles[index].key.clone(), page: page.to_owned() }
}

#[wasm_bindgen_test]
fn a_page_behind_a_role_or_pasted_alone_is_what_enter_opens() {
    let state = three_roles();
    let popup = Opened::with(&state);
    popup.type_text("read > s3 eu-north-1");
    assert_eq!(popup.options(), ["acme-dev / ReadOnly"]);
    assert_eq!(popup.text(".actions .primary"), "Open page");
    assert!(
        popup.get("[role=status]").get_attribute("data-hint").unwrap().ends_with("Enter to open the page")
    );
    popup.key("Enter");
    popup.key("Escape");
    popup.type_text("arn:aws:s3:::bucket");
    assert_eq!(popup.options().len(), 3);
    popup.key("Enter");
    assert_eq!(
        popup.posted(),
        [open_page(&state, 1, "s3 eu-north-1"), open_page(&state, 1, "arn:aws:s3:::bucket")]
    );
}

#[wasm_bindgen_test]
fn the_menu_begins_to_type_a_page_behind_what_was_typed() {
    let state = three_roles();
    let popup = Opened::with(&state);
    popup.key("ArrowDown");
    popup.click("#more");
    popup.click("#menu-open-page");
    assert_eq!((popup.focused().as_str(), popup.search().value().as_str()), ("search", " > "));
    assert!(popup.text("[role=status]").starts_with("Type a service, a region, an ARN"));
    assert_eq!(popup.selected_name(), "acme-dev / ReadOnly");
    popup.type_text(" > logs");
    popup.key("Enter");
    assert_eq!(popup.posted(), [open_page(&state, 1, "logs")]);
}

#[wasm_bindgen_test]
fn the_menu_has_tabs_grouped_and_no_longer_where_the_browser_can() {
    let mut state = three_roles();
    let popup = Opened::with(&state);
    popup.click("#more");
    assert!(!popup.is_shown("#group-tabs"));
    for (grouped, words, asked) in [
        (false, "Group console tabs by account", "tabGroups"),
        (true, "Do not group console tabs", "no tabGroups"),
    ] {
        state.groups_tabs = Some(grouped);
        popup.receive(&state);
        popup.click("#more");
        assert_eq!(popup.text("#group-tabs"), words);
        popup.click("#group-tabs");
        assert_eq!(popup.asked_hosts().last().map(String::as_str), Some(asked));
    }
}

#[wasm_bindgen_test]
fn in_a_window_of_its_own_the_popup_begins_with_its_search() {
    let state = three_roles();
    let url = "https://eu-west-1.console.aws.amazon.com/s3/home";
    let popup = Opened::in_window(&format!("acme-prod > {url}"));
    popup.receive(&state);
    assert_eq!(popup.options(), ["acme-prod / Administrator"]);
    let selection = (popup.search().selection_start().unwrap(), popup.search().selection_end().unwrap());
    assert_eq!(selection, (Some(0), Some(9)), "what is typed replaces the account");
    popup.key("Enter");
    assert_eq!(popup.posted(), [open_page(&state, 2, url)]);
}

#[wasm_bindgen_test]
fn a_console_in_the_tab_in_front_can_go_on_as_its_role() {
    let mut state = three_roles();
    let popup = Opened::with(&state);
    assert!(popup.get("#go-on").has_attribute("hidden"));
    let tab = ConsoleTab {
        role: state.roles[2].key.clone(),
        tab: 7,
        page: "https://eu-west-1.console.aws.amazon.com/s3/home".to_owned(),
    };
    state.go_on = Some(tab.clone());
    popup.receive(&state);
    assert_eq!(popup.text("#go-on"), "Go on in this tab as acme-prod / Administrator");
    popup.click("#go-on");
    assert_eq!(popup.posted(), [Intent::GoOn(Box::new(tab))]);
}

#[wasm_bindgen_test]
fn typing_filters_and_escape_clears() {
    let popup = Opened::with(&three_roles());
    popup.type_text("read");
    assert_eq!(popup.options(), ["acme-dev / ReadOnly"]);
    assert_eq!(popup.get("mark").text_content().as_deref(), Some("Read"));
    assert!(popup.key("Escape"), "Escape with something to clear does not reach the browser");
    assert_eq!((popup.options().len(), popup.selected_name().as_str()), (3, "acme-dev / ReadOnly"));
    assert!(!popup.key("Escape"), "Escape with nothing to clear closes the popup");
}

#[wasm_bindgen_test]
fn a_search_without_a_match_is_announced_and_does_nothing() {
    let popup = Opened::with(&three_roles());
    popup.type_text("zebra");
    assert_eq!(popup.text("[role=status]"), "No role matches “zebra”.");
    assert_eq!(popup.search().get_attribute("aria-expanded").as_deref(), Some("false"));
    assert_eq!(popup.search().get_attribute("aria-activedescendant"), None);
    popup.key("Enter");
    assert_eq!(popup.posted(), []);
}

#[wasm_bindgen_test]
fn what_was_typed_before_the_code_was_loaded_counts() {
    let popup = Opened::after_typing("admin");
    popup.receive(&three_roles());
    assert_eq!(popup.options(), ["acme-prod / Administrator"]);
}

#[wasm_bindgen_test]
fn a_click_selects_a_role_and_a_double_click_opens_its_console() {
    let state = three_roles();
    let popup = Opened::with(&state);
    popup.click("[aria-label='acme-prod / Administrator'] .role");
    assert_eq!(
        (popup.selected_name().as_str(), popup.focused().as_str()),
        ("acme-prod / Administrator", "search")
    );
    assert_eq!(popup.posted(), []);
    popup.double_click("[aria-label='acme-prod / Administrator']");
    assert_eq!(popup.posted(), [open_console(&state, 2)]);
}

#[wasm_bindgen_test]
fn each_button_sends_its_intent_for_the_selected_role() {
    let state = three_roles();
    let popup = Opened::with(&state);
    popup.key("ArrowDown");
    for name in ["Sign in", "Open console", "Write profile"] {
        popup.button(name).click();
    }
    let role = state.roles[1].key.clone();
    assert_eq!(
        popup.posted(),
        [
            Intent::SignIn { role: role.clone() },
            Intent::OpenConsole { role: role.clone() },
            Intent::WriteProfile { role }
        ]
    );
}

#[wasm_bindgen_test]
fn no_profile_is_written_for_a_role_of_the_console_only_and_the_button_says_why() {
    let mut state = three_roles();
    state.roles[0].credentials = CredentialsMode::None;
    let popup = Opened::with(&state);
    let button = popup.button("Write profile");
    assert_eq!(button.get_attribute("aria-disabled").as_deref(), Some("true"));
    assert!(button.get_attribute("aria-description").unwrap().contains("console only"));
    button.click();
    assert_eq!(popup.posted(), []);
    popup.key("ArrowDown");
    assert_eq!(button.get_attribute("aria-disabled").as_deref(), Some("false"));
    assert_eq!(button.get_attribute("aria-description"), None);
}

#[wasm_bindgen_test]
fn while_something_is_being_done_for_a_role_its_buttons_keep_the_focus_and_do_nothing() {
    let mut state = three_roles();
    let popup = Opened::with(&state);
    let button = popup.button("Sign in");
    button.focus().unwrap();
    state.activities = vec![activity(Some(&state.roles[0].key), Step::WaitingForPerson)];
    popup.receive(&state);
    assert_eq!(popup.text("[role=status]"), "Waiting for you to sign in…");
    assert_eq!(button.get_attribute("aria-disabled").as_deref(), Some("true"));
    assert_eq!(popup.focused(), "second-action");
    for name in ["Sign in", "Open console", "Write profile"] {
        popup.button(name).click();
    }
    popup.key("Enter");
    assert_eq!(popup.posted(), []);

    state.activities.clear();
    state.done = Some("Signed in as acme-dev / Developer.".into());
    popup.receive(&state);
    assert_eq!(popup.text("[role=status]"), "Signed in as acme-dev / Developer.");
    button.click();
    assert_eq!(popup.posted(), [sign_in(&state, 0)]);
}

#[wasm_bindgen_test]
fn a_problem_is_an_alert_with_sentence_next_step_and_code_until_it_is_dismissed() {
    let mut state = three_roles();
    state.problem = Some(Problem::new(Code::SignInCancelled, "The sign-in window was closed."));
    let popup = Opened::with(&state);
    let alert = popup.text("[role=alert]");
    for part in ["The sign-in window was closed.", Code::SignInCancelled.next_step(), "sign-in-cancelled"] {
        assert!(alert.contains(part), "{alert}");
    }
    popup.button("Dismiss").click();
    assert_eq!(popup.posted(), [Intent::DismissProblem]);
    popup.button("Dismiss").focus().unwrap();
    state.problem = None;
    popup.receive(&state);
    assert!(!popup.is_shown("[role=alert]"));
    assert_eq!(popup.focused(), "search", "the focus does not vanish with the button that had it");
}

fn needs_a_host() -> Scene {
    let mut problem =
        Problem::new(Code::HostPermissionNeeded, "The browser does not let Rolecall talk to idp.example.");
    problem.grant = Some("https://idp.example/*".into());
    let mut scene = three_roles();
    scene.problem = Some(problem);
    scene
}

#[wasm_bindgen_test]
async fn a_host_is_asked_for_during_the_click_and_then_tried_again() {
    let popup = Opened::with(&needs_a_host());
    popup.button("Allow access to idp.example").click();
    assert_eq!(popup.asked_hosts(), ["https://idp.example/*"]);
    popup.settle().await;
    assert_eq!(popup.posted(), [Intent::Retry]);
}

#[wasm_bindgen_test]
async fn a_host_that_is_not_allowed_is_not_tried_again() {
    let popup = Opened::with(&needs_a_host());
    popup.deny_hosts();
    popup.button("Allow access to idp.example").click();
    popup.settle().await;
    assert_eq!(popup.posted(), []);
    assert!(popup.is_shown("[role=alert]"));
}

#[wasm_bindgen_test]
fn a_missing_host_comes_with_a_command_and_can_be_looked_for_again() {
    let mut state = three_roles();
    state.host = HostState::Absent { problem: Problem::new(Code::HostNotInstalled, "It is not installed.") };
    let popup = Opened::with(&state);
    assert_eq!(
        (popup.text("#host-words").as_str(), popup.text("#host-command").as_str()),
        ("Host program not installed", "rolecall install")
    );
    popup.button("Try again").click();
    assert_eq!(popup.posted(), [Intent::ConnectHost]);

    state.host = HostState::Connected { version: "0.1.0".into() };
    popup.receive(&state);
    assert_eq!(popup.text("#host-words"), "Host program 0.1.0 connected");
    assert!(!popup.is_shown("#try-again") && !popup.is_shown("#host-command"));
}

#[wasm_bindgen_test]
fn a_signed_in_person_signs_out_of_rolecall_or_of_the_provider_too_or_takes_another_account() {
    let mut state = three_roles();
    state.providers.insert(0, provider("lab", "Lab", None));
    let popup = Opened::with(&state);
    assert_eq!(popup.text("#providers li:nth-child(1) .person"), "Not signed in");
    popup.button("Sign in to Lab").click();
    assert_eq!(popup.posted().last(), Some(&Intent::SignInToProvider { provider: "lab".parse().unwrap() }));
    assert!(!popup.is_shown("#providers li:nth-child(2) [data-part=sign-in]"));
    let account = popup.button("Account");
    assert_eq!(account.get_attribute("aria-description").as_deref(), Some("Example Corp"));
    let provider: ProviderId = "corp".parse().unwrap();
    let sign_out = |end_session| Intent::SignOut { provider: provider.clone(), end_session };
    for (name, intent) in [
        ("Sign out of Rolecall", sign_out(false)),
        ("Sign out of Rolecall and Example Corp", sign_out(true)),
        ("Use another account…", Intent::SignInToProvider { provider: provider.clone() }),
    ] {
        assert_eq!(account.get_attribute("aria-expanded").as_deref(), Some("false"));
        account.click();
        assert_eq!(account.get_attribute("aria-expanded").as_deref(), Some("true"));
        popup.button(name).click();
        assert_eq!(popup.posted().last(), Some(&intent));
        assert!(!popup.is_shown("#providers li:nth-child(2) .account-actions"), "{name}");
    }
}

#[wasm_bindgen_test]
fn a_provider_that_ends_no_sessions_is_not_offered_for_it() {
    let mut state = three_roles();
    state.providers[0].ends_sessions = false;
    let popup = Opened::with(&state);
    popup.button("Account").click();
    assert!(popup.is_shown("[data-part=sign-out]") && !popup.is_shown("[data-part=end-session]"));
}

#[wasm_bindgen_test]
fn escape_in_the_accounts_actions_leads_back_to_its_button_and_a_sign_out_on_to_the_search() {
    let mut state = three_roles();
    let popup = Opened::with(&state);
    let account = popup.button("Account");
    account.click();
    popup.button("Use another account…").focus().unwrap();
    assert!(popup.key_in("[data-part=choose-account]", "Escape"), "it does not close the popup");
    assert!(!popup.is_shown(".account-actions"));
    assert!(account.matches(":focus").unwrap());

    account.click();
    popup.button("Sign out of Rolecall").click();
    assert!(account.matches(":focus").unwrap());
    state.providers[0].person = None;
    popup.receive(&state);
    assert_eq!(popup.focused(), "search");
}

#[wasm_bindgen_test]
fn a_sign_in_at_a_provider_without_a_role_is_cancelled_in_its_line() {
    let mut state = three_roles();
    state.providers[0].person = None;
    state.activities = vec![activity(None, Step::WaitingForPerson)];
    let popup = Opened::with(&state);
    assert!(!popup.is_shown("#providers [data-part=sign-in]") && !popup.is_shown("#cancel"));
    popup.button("Cancel the sign-in to Example Corp").click();
    assert_eq!(popup.posted(), [Intent::CancelAtProvider { provider: "corp".parse().unwrap() }]);
    state.activities.clear();
    popup.receive(&state);
    assert!(popup.is_shown("#providers [data-part=sign-in]"));
    assert!(!popup.is_shown("#providers [data-part=cancel]"));
}

/// The texts of the menu's items, if it is open.
fn items(popup: &Opened) -> Vec<String> {
    popup.shown_texts("#menu [role=menuitem]")
}

#[wasm_bindgen_test]
fn a_menu_opens_by_button_key_and_right_click_and_gives_the_focus_back() {
    let popup = Opened::with(&three_roles());
    assert_eq!(items(&popup), Vec::<String>::new());
    let opened = |popup: &Opened, label: &str| {
        assert_eq!(popup.get("#menu").get_attribute("aria-label").as_deref(), Some(label));
        assert_eq!(popup.get("#more").get_attribute("aria-expanded").as_deref(), Some("true"));
        assert!(popup.get("#menu [data-item=open-console]").matches(":focus").unwrap());
    };
    for key in ["ContextMenu", "Shift+F10"] {
        assert!(popup.key(key));
        opened(&popup, "acme-dev / Developer");
        assert!(popup.key_in("#menu", "Escape"), "Escape does not close the popup");
        assert_eq!((items(&popup).len(), popup.focused().as_str()), (0, "search"));
    }

    popup.button("More actions").focus().unwrap();
    popup.button("More actions").click();
    opened(&popup, "acme-dev / Developer");
    popup.key_in("#menu", "Escape");
    assert_eq!(popup.focused(), "more");

    assert!(popup.right_click("[aria-label='acme-prod / Administrator'] .role"));
    opened(&popup, "acme-prod / Administrator");
    assert_eq!(popup.selected_name(), "acme-prod / Administrator");
    popup.search().focus().unwrap();
    assert_eq!(items(&popup).len(), 0, "the menu closes when the focus goes elsewhere");
    assert_eq!(popup.get("#more").get_attribute("aria-expanded").as_deref(), Some("false"));
}

#[wasm_bindgen_test]
fn arrows_home_and_end_move_the_focus_in_the_menu_and_go_round() {
    let popup = Opened::with(&three_roles());
    popup.dress();
    popup.key("ContextMenu");
    for (key, item) in [
        ("ArrowDown", "open-page"),
        ("ArrowUp", "open-console"),
        ("ArrowUp", "forget-all"),
        ("ArrowDown", "open-console"),
        ("End", "forget-all"),
        ("Home", "open-console"),
    ] {
        assert!(popup.key_in("#menu", key));
        assert!(popup.get(&format!("[data-item={item}]")).matches(":focus").unwrap(), "{key}: {item}");
    }
    popup.key_in("#menu", "Tab");
    assert_eq!(popup.focused(), "search");
}

#[wasm_bindgen_test]
fn each_item_of_the_menu_does_what_it_says_for_the_selected_role_and_closes_the_menu() {
    let mut state = three_roles();
    let key = state.roles[1].key.clone();
    state.recent = vec![key.clone()];
    let popup = Opened::with(&state);
    for (item, intent) in [
        ("open-console", open_console(&state, 1)),
        ("sign-in", sign_in(&state, 1)),
        ("write-profile", Intent::WriteProfile { role: key.clone() }),
        ("remove-profile", Intent::RemoveProfile { role: key.clone() }),
        ("pin", Intent::Pin { role: key.clone(), pinned: true }),
        ("forget", Intent::ForgetRecent { role: Some(key.clone()) }),
        ("forget-all", Intent::ForgetRecent { role: None }),
    ] {
        popup.key("ContextMenu");
        assert_eq!(popup.text("#pin"), "Pin to the top");
        popup.click(&format!("[data-item={item}]"));
        assert_eq!(popup.posted().last(), Some(&intent));
        assert_eq!((items(&popup).len(), popup.focused().as_str()), (0, "search"), "{item}");
    }
    state.pinned = vec![key.clone()];
    state.recent.clear();
    popup.receive(&state);
    popup.key("ContextMenu");
    assert_eq!(items(&popup)[12..], ["Unpin", "Forget all recent roles"], "there is no use to forget");
    popup.click("#pin");
    assert_eq!(popup.posted().last(), Some(&Intent::Pin { role: key, pinned: false }));
}

#[wasm_bindgen_test]
async fn the_menu_copies_names_and_commands_and_none_for_a_role_of_the_console_only() {
    let mut state = three_roles();
    state.roles[1].credentials = CredentialsMode::None;
    let popup = Opened::with(&state);
    for (item, text) in [
        ("copy-arn", "arn:aws:iam::123456789012:role/Developer"),
        ("copy-profile", "acme-dev-Developer"),
        ("copy-exec", "rolecall exec acme-dev-Developer -- "),
        ("copy-bash", "eval \"$(rolecall env acme-dev-Developer --shell bash)\""),
        ("copy-fish", "rolecall env acme-dev-Developer --shell fish | source"),
        (
            "copy-powershell",
            "rolecall env acme-dev-Developer --shell powershell | Out-String | Invoke-Expression",
        ),
        ("copy-json", "rolecall env acme-dev-Developer --shell json"),
    ] {
        popup.key("ContextMenu");
        popup.click(&format!("[data-item={item}]"));
        assert_eq!(popup.copied().last().map(String::as_str), Some(text));
        popup.settle().await;
        assert_eq!(popup.text("[role=status]"), "Copied to the clipboard.");
        popup.key("Home");
        assert_eq!(popup.text("[role=status]"), "");
    }
    state.providers.push(provider("other", "Other Ltd", None));
    popup.receive(&state);
    popup.key("ContextMenu");
    popup.click("[data-item=copy-exec]");
    assert_eq!(popup.copied().last().unwrap(), "rolecall exec acme-dev-Developer --provider corp -- ");

    popup.key("ArrowDown");
    popup.key("ContextMenu");
    let expected = [
        "Open console",
        "Open a page of the console…",
        "Sign in",
        "Copy role ARN",
        "Pin to the top",
        "Forget all recent roles",
    ];
    assert_eq!(items(&popup), expected);
}

#[wasm_bindgen_test]
fn while_another_account_is_chosen_the_status_says_so_and_roles_can_be_used() {
    let mut state = three_roles();
    state.activities = vec![activity(None, Step::WaitingForPerson)];
    let popup = Opened::with(&state);
    assert_eq!(popup.text("[role=status]"), "Waiting for you to sign in…");
    assert_eq!(popup.button("Sign in").get_attribute("aria-disabled").as_deref(), Some("false"));
}

/// A popup of a large organisation's.
fn ten_thousand_roles() -> Opened {
    let roles = (0..10_000).map(|number| role(&format!("account-{}", number / 10), &format!("Role{number}")));
    let popup = Opened::with(&state_with(roles.collect()));
    popup.dress();
    popup
}

fn place(option: &web_sys::Element) -> (Option<String>, Option<String>) {
    (option.get_attribute("aria-posinset"), option.get_attribute("aria-setsize"))
}

#[wasm_bindgen_test]
fn of_ten_thousand_roles_few_are_drawn_and_keys_reach_all_of_them() {
    let popup = ten_thousand_roles();
    for (key, name, position) in [
        ("ArrowDown", "account-0 / Role1", "2"),
        ("PageDown", "account-0 / Role8", "9"),
        ("PageUp", "account-0 / Role1", "2"),
        ("End", "account-999 / Role9999", "10000"),
        ("ArrowUp", "account-999 / Role9998", "9999"),
        ("Home", "account-0 / Role0", "1"),
    ] {
        popup.key(key);
        assert_eq!(popup.selected_name(), name, "{key}");
        let option = popup.selected().unwrap();
        assert_eq!(place(&option), (Some(position.into()), Some("10000".into())));
        assert_eq!(popup.search().get_attribute("aria-activedescendant"), Some(option.id()));
        assert!(popup.in_sight().contains(&name.to_owned()), "{key}: {:?}", popup.in_sight());
        assert!(popup.options().len() < 30, "{}", popup.options().len());
    }
}

#[wasm_bindgen_test]
async fn scrolling_draws_what_comes_into_sight_and_leaves_the_selection_alone() {
    let popup = ten_thousand_roles();
    popup.scroll_to(46 * 5_000).await;
    assert_eq!(popup.in_sight()[0], "account-500 / Role5000");
    assert_eq!(popup.in_sight().len(), 7);
    assert_eq!(popup.selected_name(), "account-0 / Role0");
    let active = popup.search().get_attribute("aria-activedescendant").unwrap();
    assert_eq!(popup.get(&format!("#{active}")).get_attribute("aria-posinset").as_deref(), Some("1"));
    popup.click("[aria-label='account-500 / Role5003']");
    assert_eq!(popup.selected_name(), "account-500 / Role5003");
    assert_eq!(popup.in_sight()[0], "account-500 / Role5000", "the list stays where it is");
}

#[wasm_bindgen_test]
async fn a_search_begins_at_the_top_and_its_end_shows_the_selected_role() {
    let popup = ten_thousand_roles();
    popup.scroll_to(46 * 5_000).await;
    popup.type_text("role9876");
    assert_eq!(popup.in_sight(), ["account-987 / Role9876"]);
    assert_eq!(place(&popup.selected().unwrap()), (Some("1".into()), Some("1".into())));
    popup.key("Escape");
    assert_eq!(popup.selected_name(), "account-987 / Role9876");
    assert!(popup.in_sight().contains(&"account-987 / Role9876".to_owned()));
    assert_eq!(place(&popup.selected().unwrap()).0.as_deref(), Some("9877"));
}

#[wasm_bindgen_test]
fn the_selection_stays_with_its_role_in_a_new_state() {
    let mut state = three_roles();
    let popup = Opened::with(&state);
    popup.key("ArrowDown");
    state.roles.reverse();
    state.roles.insert(0, role("acme-new", "Newcomer"));
    popup.receive(&state);
    assert_eq!(popup.selected_name(), "acme-dev / ReadOnly");
    let id = popup.selected().unwrap().id();
    assert_eq!(popup.search().get_attribute("aria-activedescendant"), Some(id));
    assert_eq!(popup.options()[0], "acme-new / Newcomer");
}

#[wasm_bindgen_test]
async fn when_the_worker_restarts_the_port_is_opened_again_and_the_last_state_stays() {
    let state = three_roles();
    let popup = Opened::with(&state);
    let reopened = popup.next_port();
    popup.close_port();
    assert_eq!(popup.options().len(), 3);
    assert_eq!(port_name(&reopened.await), "ui");
    popup.key("Enter");
    assert_eq!(popup.posted(), [open_console(&state, 0)]);
    popup.receive(&state_with(vec![role("acme-dev", "Developer")]));
    assert_eq!(popup.options().len(), 1);
}

#[wasm_bindgen_test]
fn an_intent_for_a_worker_that_just_went_away_is_sent_on_a_new_port() {
    let state = three_roles();
    let popup = Opened::with(&state);
    popup.break_port();
    popup.key("Enter");
    assert_eq!(popup.posted(), [open_console(&state, 0)]);
}

#[wasm_bindgen_test]
async fn the_time_left_ticks_down_by_itself() {
    let mut state = three_roles();
    // Times cross the port in whole seconds: this is two minutes from now and less than one second more.
    let expiration = DateTime::from_timestamp(Utc::now().timestamp() + 121, 0).unwrap();
    state.sessions = vec![RoleSession { role: state.roles[0].key.clone(), expiration }];
    let popup = Opened::with(&state);
    assert_eq!(popup.text(".left"), "2 min");
    let option = popup.selected().unwrap();
    assert_eq!(option.get_attribute("aria-description").as_deref(), Some("Signed in, 2 min left."));
    popup.next_change_of(".left").await;
    assert_eq!(popup.text(".left"), "1 min");
    assert_eq!(option.get_attribute("aria-description").as_deref(), Some("Signed in, 1 min left."));
}

#[wasm_bindgen_test]
fn what_looks_like_html_or_css_in_the_state_is_text() {
    let mut state = three_roles();
    state.roles[0].account = "<img src=x>".into();
    state.roles[0].color = "red; background-image: url(//evil)";
    state.roles[1].color = "rgb(1, 2, 3)";
    state.done = Some("<b>done</b>".into());
    let popup = Opened::with(&state);
    assert_eq!(popup.options()[0], "<img src=x> / Developer");
    assert_eq!(popup.text("[role=status]"), "<b>done</b>");
    assert!(!popup.is_shown("#roles img") && !popup.is_shown("#status b"));
    let style = |nth: u32| {
        popup.get(&format!(".option:nth-child({nth}) .marker")).get_attribute("style").unwrap_or_default()
    };
    assert_eq!((style(1).as_str(), style(2).as_str()), ("", "background-color: rgb(1, 2, 3);"));
}

#[wasm_bindgen_test]
fn what_turns_the_text_or_hides_in_it_is_seen() {
    let mut state = three_roles();
    state.roles[0].account = "dev\u{202e}dorp\u{9b}2J".into();
    state.done = Some("Signed in as al\u{200b}ice\u{2066}.".into());
    let popup = Opened::with(&state);
    assert_eq!(popup.options()[0], "dev\u{fffd}dorp\u{fffd}2J / Developer");
    assert_eq!(popup.text("[role=status]"), "Signed in as al\u{fffd}ice\u{fffd}.");
}

#[wasm_bindgen_test]
fn settings_that_were_left_out_are_listed() {
    let mut state = three_roles();
    state.settings_problems = vec![Problem::new(Code::ProviderUnknown, "The role names no known provider.")];
    let popup = Opened::with(&state);
    assert_eq!(popup.text("#left-out summary"), "1 problem with the settings");
    assert!(popup.text("#left-out li").contains("The role names no known provider."));
    assert_eq!(popup.get("#left-out").get_attribute("open"), None);
    popup.receive(&three_roles());
    assert!(!popup.is_shown("#left-out"));
}

#[wasm_bindgen_test]
fn a_list_of_roles_that_could_not_be_read_is_read_again_or_its_host_asked_for() {
    let mut state = three_roles();
    let problem = Problem::new(Code::CatalogueUnavailable, "The role catalogue could not be read.");
    state.settings_problems = vec![
        Problem::new(Code::ProviderUnknown, "The role names no known provider."),
        problem.clone(),
        problem.with_grant("https://roles.example/*"),
    ];
    let popup = Opened::with(&state);
    let again = |at: usize| format!("#left-out li:nth-child({at}) button");
    assert!(!popup.is_shown(&again(1)));
    assert_eq!(popup.text(&again(2)), "Try again");
    popup.click(&again(2));
    assert_eq!(popup.posted(), [Intent::RefreshRoles]);
    assert_eq!(popup.text(&again(3)), "Allow access to roles.example");
    popup.click(&again(3));
    assert_eq!(popup.asked_hosts(), ["https://roles.example/*"]);
}

#[wasm_bindgen_test]
fn settings_that_were_left_out_are_opened_where_nothing_else_is_left() {
    let mut state = state_with(vec![]);
    state.host = HostState::Connected { version: "0.1.0".into() };
    state.settings_problems = vec![Problem::new(Code::ProviderUnknown, "The role names no known provider.")];
    // A policy's are known before the host program has said whether there is anything else.
    let mut before = state.clone();
    before.host = HostState::Connecting;
    let popup = Opened::with(&before);
    assert!(popup.is_shown("#left-out") && !popup.get("#left-out").has_attribute("open"));
    popup.receive(&state);
    assert!(popup.get("#left-out").has_attribute("open"));
    assert_eq!(popup.text("#no-providers"), "No sign-in provider can be used");
    popup.get("#left-out").remove_attribute("open").unwrap();
    popup.receive(&state);
    assert!(!popup.get("#left-out").has_attribute("open"), "what a person closed stays closed");
}

#[wasm_bindgen_test]
async fn headings_stand_above_the_first_role_of_a_group_and_that_of_the_role_in_sight_stays() {
    let names = (0..40)
        .map(|number| role(if number < 20 { "acme-dev" } else { "acme-prod" }, &format!("Role-{number:02}")));
    let mut state = state_with(names.collect());
    state.group_by = GroupBy::Account;
    let popup = Opened::new();
    popup.dress();
    popup.receive(&state);
    let heading = || popup.get("#roles").get_attribute("data-heading");
    assert_eq!(heading().as_deref(), Some("acme-dev"));
    let first = popup.get("[role=option][data-heading]");
    assert_eq!(first.get_attribute("aria-label").as_deref(), Some("acme-dev / Role-00"));
    assert!(first.offset_top() > first.offset_height() / 2, "there is room for the heading");

    popup.scroll_to(first.offset_height() * 25).await;
    assert_eq!(heading().as_deref(), Some("acme-prod"));
    let headed = popup.get("[role=option][data-heading='acme-prod']");
    assert_eq!(headed.get_attribute("aria-label").as_deref(), Some("acme-prod / Role-20"));
    // Going back, the selected role is not hidden by the heading that stays.
    popup.key("Home");
    popup.key("PageDown");
    popup.key("ArrowUp");
    assert!(popup.in_sight().contains(&popup.selected_name()));

    popup.type_text("role");
    assert_eq!((heading(), popup.is_shown("[role=option][data-heading]")), (None, false));
}

#[wasm_bindgen_test]
async fn what_cannot_be_done_from_the_menu_is_disabled_and_does_nothing() {
    let mut state = three_roles();
    let key = state.roles[0].key.clone();
    state.activities = vec![activity(Some(&key), Step::AssumingRole)];
    state.pinned = (0..30).map(|number| role("acme", &format!("Pinned-{number}")).key).collect();
    let popup = Opened::with(&state);
    popup.key("ContextMenu");
    assert_eq!(popup.text("#pin"), "30 roles are pinned, which is the most");
    for item in ["open-console", "sign-in", "forget-credentials", "write-profile", "remove-profile", "pin"] {
        let selector = format!("[data-item={item}]");
        assert_eq!(popup.get(&selector).get_attribute("aria-disabled").as_deref(), Some("true"), "{item}");
        popup.click(&selector);
    }
    assert_eq!(popup.posted(), []);
    popup.click("[data-item=copy-arn]");
    popup.settle().await;
    assert_eq!(popup.copied(), [key.arn.as_str()]);
}
