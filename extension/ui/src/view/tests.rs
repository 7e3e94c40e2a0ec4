use rolecall_core::Code;
use rolecall_core::message::ui::RoleSession;
use rolecall_core::platform::Step;

use super::fixture::{Scene, activity, provider, role, state_with, tell};
use super::*;

fn now() -> DateTime<Utc> {
    "2030-01-01T10:00:00Z".parse().unwrap()
}

fn view(scene: impl Into<Scene>) -> View {
    view_of_search(scene.into(), "")
}

fn view_of_search(scene: Scene, query: &str) -> View {
    let mut model = Model::default();
    tell(&mut model, scene);
    model.search(query);
    whole(&model)
}

/// The view with every role that was found.
fn whole(model: &Model) -> View {
    let positions: Vec<_> = (0..model.found().len()).collect();
    View::of(model, &positions, now())
}

fn absent(code: Code) -> HostState {
    HostState::Absent { problem: Problem::new(code, "It is not there.") }
}

#[test]
fn a_role_is_named_by_account_and_role_and_described_by_the_time_left() {
    let developer = role("acme-dev", "Developer");
    let session =
        RoleSession { role: developer.key.clone(), expiration: "2030-01-01T10:43:30Z".parse().unwrap() };
    let mut state = state_with(vec![developer]);
    state.sessions = vec![session];
    let option = view(state).options.remove(0);
    assert_eq!(option.label, "acme-dev / Developer");
    assert_eq!(option.description, "Signed in, 43 min left.");
    assert_eq!(option.left, Some(TimeLeft::Plenty { minutes: 43 }));
}

#[test]
fn a_role_without_credentials_says_nothing_about_time() {
    let option = view(state_with(vec![role("acme-dev", "Developer")])).options.remove(0);
    assert_eq!((option.left, option.description.as_str()), (None, ""));
}

#[test]
fn what_an_account_is_for_is_said_with_the_role_and_what_is_said_of_the_role_once_it_is_selected() {
    let mut operator = role("acme-prod", "Operator");
    operator.environment = "production";
    operator.about = "Restart services · on-call";
    let shown = view(state_with(vec![operator, role("acme-dev", "Developer")]));
    let [operator, developer] = &shown.options[..] else { panic!("{:?}", shown.options) };
    assert_eq!((operator.environment.as_str(), operator.description.as_str()), ("production", "production."));
    assert_eq!((developer.environment.as_str(), developer.description.as_str()), ("", ""));
    assert_eq!(shown.actions.unwrap().about, "production · Restart services · on-call");
}

#[test]
fn a_list_of_roles_that_could_not_be_read_can_be_read_again() {
    let mut state = state_with(vec![]);
    state.settings_problems =
        [Code::CatalogueUnavailable, Code::RoleServiceUnavailable, Code::SettingsInvalid]
            .map(|code| Problem::new(code, "It failed."))
            .into();
    let again: Vec<_> = view(state).left_out.iter().map(|problem| problem.is_about_role_list).collect();
    assert_eq!(again, [true, true, false]);
}

#[test]
fn what_was_typed_is_marked_in_the_name() {
    let option =
        view_of_search(state_with(vec![role("acme-dev", "Developer")]), "acme velo").options.remove(0);
    let marked = |pieces: &[Piece]| -> String {
        pieces
            .iter()
            .map(|Piece { text, hit }| if *hit { format!("[{text}]") } else { text.clone() })
            .collect()
    };
    assert_eq!(marked(&option.account), "[acme]-dev");
    assert_eq!(marked(&option.role), "De[velo]per");
}

#[test]
fn exactly_the_selected_role_is_marked_and_has_actions() {
    let view = view(state_with(vec![role("acme", "A"), role("acme", "B")]));
    let selected: Vec<_> = view.options.iter().map(|option| option.selected).collect();
    assert_eq!(selected, [true, false]);
    let actions = view.actions.unwrap();
    assert_eq!((actions.label.as_str(), actions.profile.as_str()), ("acme / A", "Profile acme-A"));
    assert_eq!(actions.no_profile, None);
}

#[test]
fn a_role_for_the_console_only_says_why_no_profile_is_written() {
    let mut console = role("acme", "A");
    console.credentials = CredentialsMode::None;
    let actions = view(state_with(vec![console])).actions.unwrap();
    assert_eq!((actions.no_profile, actions.profile.as_str()), (Some(words::CONSOLE_ONLY), "Console only"));
}

#[test]
fn a_pinned_role_says_so_behind_everything_else() {
    let mut scene = state_with(vec![role("acme", "A"), role("acme", "B")]);
    scene.pinned = vec![scene.roles[1].key.clone()];
    scene.providers.push(provider("other", "Other Ltd", None));
    let options = view(scene).options;
    let said: Vec<_> = options.iter().map(|option| (option.pinned, &*option.description)).collect();
    assert_eq!(said, [(true, "Example Corp. Pinned."), (false, "Example Corp.")]);
}

#[test]
fn only_a_provider_that_waits_for_the_person_without_a_role_can_be_cancelled() {
    let mut scene = state_with(vec![role("acme", "A")]);
    scene.providers.push(provider("other", "Other Ltd", None));
    let key = scene.roles[0].key.clone();
    for (activities, expected) in [
        (vec![activity(None, Step::WaitingForPerson)], [true, false]),
        (vec![activity(None, Step::Discovering)], [false, false]),
        (vec![activity(Some(&key), Step::WaitingForPerson)], [false, false]),
    ] {
        scene.activities = activities;
        let providers = view(scene.clone()).providers;
        assert_eq!([0, 1].map(|at: usize| providers[at].can_be_cancelled), expected);
    }
}

#[test]
fn the_provider_of_a_role_is_told_only_where_there_are_several() {
    let one = state_with(vec![role("acme", "A")]);
    let mut two = one.clone();
    two.providers.push(provider("other", "Other Ltd", None));
    assert_eq!(view(one).options[0].provider, None);
    let two = view(two);
    assert_eq!(two.options[0].provider.as_deref(), Some("Example Corp"));
    assert_eq!((two.providers[1].person.as_str(), two.providers[1].signed_in), ("Not signed in", false));
}

#[test]
fn the_step_being_done_is_told_rather_than_what_was_done_before() {
    let mut state = state_with(vec![role("acme", "A"), role("acme", "B")]);
    state.done = Some("Signed in.".into());
    assert_eq!(view(state.clone()).status, "Signed in.");
    state.activities = vec![activity(Some(&state.roles[1].key), Step::WaitingForPerson)];
    let view = view(state);
    assert_eq!((view.busy, view.status.as_str()), (true, "Waiting for you to sign in…"));
    let busy: Vec<_> = view.options.iter().map(|option| option.busy).collect();
    assert_eq!(busy, [false, true]);
}

#[test]
fn a_role_is_acted_on_while_another_one_waits_for_the_person() {
    let mut scene = state_with(vec![role("acme", "A"), role("acme", "B")]);
    let mut model = Model::default();
    tell(&mut model, scene.clone());
    let keys: Vec<_> = scene.roles.iter().map(|role| role.key.clone()).collect();
    let mut actions_on_first = |index: usize, step| {
        scene.activities = vec![activity(Some(&keys[index]), step)];
        tell(&mut model, scene.clone());
        let actions = whole(&model).actions.unwrap();
        (actions.busy, actions.can_be_cancelled)
    };
    assert_eq!(actions_on_first(1, Step::WaitingForPerson), (false, false));
    assert_eq!(actions_on_first(0, Step::WaitingForPerson), (true, true));
    assert_eq!(actions_on_first(0, Step::AssumingRole), (true, false));
}

#[test]
fn a_problem_that_a_permission_mends_offers_to_ask_for_it() {
    let mut state = state_with(vec![]);
    let mut problem =
        Problem::new(Code::HostPermissionNeeded, "The browser does not let Rolecall talk to idp.example.");
    problem.grant = Some("https://idp.example/*".into());
    state.problem = Some(problem);
    let problem = view(state).problem.unwrap();
    assert_eq!(problem.code, "host-permission-needed");
    let grant = problem.grant.unwrap();
    assert_eq!(
        (grant.pattern.as_str(), grant.label.as_str()),
        ("https://idp.example/*", "Allow access to idp.example")
    );
}

#[test]
fn a_host_that_is_not_installed_comes_with_the_command_that_installs_it() {
    let mut state = state_with(vec![]);
    state.host = absent(Code::HostNotInstalled);
    let HostView::Absent { title, text, command } = view(state).host else { panic!("the host is absent") };
    assert_eq!(title, "Host program not installed");
    assert_eq!(text, "Install the Rolecall host program and run:");
    assert_eq!(command.as_deref(), Some("rolecall install"));
}

#[test]
fn a_host_that_does_not_fit_comes_with_what_it_said() {
    let mut state = state_with(vec![]);
    state.host = HostState::Absent {
        problem: Problem::new(Code::HostExited, "The host program ended: exit code 101."),
    };
    let HostView::Absent { title, text, command } = view(state).host else { panic!("the host is absent") };
    assert_eq!(
        (title, text.as_str()),
        ("Host program stopped", "The host program ended: exit code 101. Run:")
    );
    assert_eq!(command.as_deref(), Some("rolecall doctor"));
}

#[test]
fn a_host_that_is_there_tells_its_version() {
    let mut state = state_with(vec![]);
    state.host = HostState::Connected { version: "0.1.0".into() };
    assert_eq!(view(state).host, HostView::Connected("Host program 0.1.0 connected".into()));
}

#[test]
fn what_is_missing_is_told_apart() {
    let connected = HostState::Connected { version: "0.1.0".into() };
    let empty = |providers, host| State { providers, host, ..State::default() };
    let corp = || vec![provider("corp", "Example Corp", None)];
    assert_eq!(whole(&Model::default()).content, Content::Loading);
    assert_eq!(view(empty(vec![], HostState::Connecting)).content, Content::Loading);
    assert_eq!(view(empty(vec![], connected.clone())).content, Content::NoProviders);
    assert_eq!(view(empty(vec![], absent(Code::HostNotInstalled))).content, Content::NoProviders);
    assert_eq!(view(empty(corp(), connected)).content, Content::NoRoles);
    assert_eq!(view(state_with(vec![role("acme", "A")])).content, Content::Roles);
}

#[test]
fn a_search_without_a_match_says_so() {
    let view = view_of_search(state_with(vec![role("acme", "A")]), " zzz ");
    assert_eq!((view.content, view.status.as_str()), (Content::NoMatch, "No role matches “zzz”."));
    assert_eq!((view.found_count, view.role_count, view.actions), (0, 1, None));
}

#[test]
fn only_the_options_that_are_drawn_are_made_and_each_knows_its_place() {
    let mut model = Model::default();
    tell(&mut model, state_with((0..9).map(|number| role("acme", &format!("R{number}"))).collect()));
    let options = View::of(&model, &[3, 4], now()).options;
    let places: Vec<_> =
        options.iter().map(|option| (&*option.label, option.position, option.count)).collect();
    assert_eq!(places, [("acme / R3", 3, 9), ("acme / R4", 4, 9)]);
}
