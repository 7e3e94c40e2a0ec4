//! The texts of the pages, except those in the HTML files and those that the worker sends.

use rolecall_core::platform::Step;
use rolecall_core::search::SEPARATOR;
use rolecall_core::settings::Layer;
use rolecall_core::{Code, Problem};

use crate::model::Action;
use crate::time::TimeLeft;

/// The step of the sign-in that is in progress.
pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::Discovering => "Looking up your sign-in provider…",
        Step::AskingSilently => "Checking whether you are still signed in…",
        Step::WaitingForPerson => "Waiting for you to sign in…",
        Step::RedeemingCode => "Completing the sign-in…",
        Step::VerifyingIdToken => "Checking your identity…",
        Step::AssumingRole => "Asking AWS for the role's credentials…",
        Step::AssumingRoleInMainRegion => "AWS STS is off in this region. Trying the main region…",
        Step::OpeningConsole => "Opening the AWS console…",
        Step::WritingProfile => "Writing the AWS profile…",
    }
}

/// The button of an action.
pub(crate) fn action(action: Action) -> &'static str {
    match action {
        Action::OpenConsole => "Open console",
        Action::OpenPage => "Open page",
        Action::SignIn => "Sign in",
        Action::WriteProfile => "Write profile",
    }
}

/// What the keys do, shown while there is no status.
pub(crate) fn hint(enter: Action) -> &'static str {
    match enter {
        Action::OpenConsole => "↑ ↓ to choose, Enter to open the console",
        Action::OpenPage => "↑ ↓ to choose, Enter to open the page",
        _ => "↑ ↓ to choose, Enter to sign in",
    }
}

/// The remaining lifetime of a role's credentials, abbreviated.
pub(crate) fn time_left(left: TimeLeft) -> String {
    match left {
        TimeLeft::Expired => "expired".into(),
        TimeLeft::Plenty { minutes } | TimeLeft::Little { minutes } => match (minutes / 60, minutes % 60) {
            (0, 0) => "under 1 min".into(),
            (0, minutes) => format!("{minutes} min"),
            (hours, 0) => format!("{hours} h"),
            (hours, minutes) => format!("{hours} h {minutes} min"),
        },
    }
}

/// The remaining lifetime as a sentence, for screen readers.
fn time_left_spoken(left: TimeLeft) -> String {
    match left {
        TimeLeft::Expired => "Credentials expired.".into(),
        _ => format!("Signed in, {} left.", time_left(left)),
    }
}

/// What screen readers say of a role besides its name.
pub(crate) fn option_description(
    left: Option<TimeLeft>,
    provider: Option<&str>,
    pinned: bool,
    environment: &str,
    is_for_others: bool,
) -> String {
    let mut description = left.map(time_left_spoken).unwrap_or_default();
    let environment = Some(environment).filter(|environment| !environment.is_empty());
    let others = is_for_others.then_some(FOR_OTHERS);
    let names = environment
        .into_iter()
        .chain(provider)
        .chain(others)
        .map(|name| format!("{name}."))
        .collect::<Vec<_>>();
    for sentence in names.iter().map(String::as_str).chain(pinned.then_some(PINNED)) {
        if !description.is_empty() {
            description.push(' ');
        }
        description.push_str(sentence);
    }
    description
}

/// The command that runs another one as a role. The person types that behind it.
pub(crate) fn exec_command(role: &str) -> String {
    format!("rolecall exec {role} -- ")
}

/// The command that puts a role's credentials into a shell, or prints them as JSON.
pub(crate) fn env_command(shell: &str, role: &str) -> String {
    let command = format!("rolecall env {role} --shell {shell}");
    match shell {
        "bash" => format!("eval \"$({command})\""),
        "fish" => format!("{command} | source"),
        "powershell" => format!("{command} | Out-String | Invoke-Expression"),
        _ => command,
    }
}

/// The name of a role on every page. Tests and assistive technology rely on it.
pub(crate) fn role_label(account: &str, role: &str) -> String {
    format!("{account}{SEPARATOR}{role}")
}

/// The button that signs in to the console again in the tab in front.
pub(crate) fn go_on(role: &str) -> String {
    format!("Go on in this tab as {role}")
}

/// The name of the role's AWS profile.
pub(crate) fn profile(name: &str) -> String {
    format!("Profile {name}")
}

/// Where a provider's settings come from.
pub(crate) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Policy => "Set by your organisation",
        Layer::Machine => "From this computer's settings file",
        Layer::Catalogue | Layer::Listed => "Listed by your sign-in provider",
    }
}

/// The button that signs in at a provider, without a role.
pub(crate) fn sign_in_to(provider: &str) -> String {
    format!("Sign in to {provider}")
}

/// The button that ends the sign-in at a provider.
pub(crate) fn cancel_at(provider: &str) -> String {
    format!("Cancel the sign-in to {provider}")
}

/// The button that also ends the provider session.
pub(crate) fn end_session(provider: &str) -> String {
    format!("Sign out of Rolecall and {provider}")
}

/// The button that requests a host permission, given as a match pattern.
pub(crate) fn allow(pattern: &str) -> String {
    match pattern.split('/').nth(2) {
        Some(host) => format!("Allow access to {host}"),
        // The only permission that is asked for without naming a host: Firefox's for tabs in containers.
        None => "Use containers".to_owned(),
    }
}

/// The status of a search without results.
pub(crate) fn no_match(query: &str) -> String {
    format!("No role matches “{query}”.")
}

/// Reads a list of roles again.
pub(crate) const TRY_AGAIN: &str = "Try again";

/// The heading above the list of problems in the settings.
pub(crate) fn left_out(count: usize) -> String {
    match count {
        1 => "1 problem with the settings".into(),
        count => format!("{count} problems with the settings"),
    }
}

/// The heading shown when there is no usable provider.
pub(crate) fn no_providers(left_out: usize) -> &'static str {
    if left_out == 0 { "No sign-in provider yet" } else { "No sign-in provider can be used" }
}

/// The status of a connected native host.
pub(crate) fn host_connected(version: &str) -> String {
    format!("Host program {version} connected")
}

/// The status of a native host that is not connected.
pub(crate) fn host_absent(problem: &Problem) -> &'static str {
    match Code::ALL.iter().find(|code| problem.is(**code)) {
        Some(Code::HostNotInstalled) => "Host program not installed",
        Some(Code::HostForbidden | Code::CallerRefused) => "Host program not registered for this extension",
        Some(Code::HostVersion | Code::HostProtocol) => "Host program has a different version",
        Some(Code::HostExited) => "Host program stopped",
        Some(Code::HostTimedOut) => "Host program is not responding",
        _ => "Host program not connected",
    }
}

/// How long the program will still wait for the decision.
pub(crate) fn still_waits(seconds: i64) -> String {
    match seconds {
        0 => "The program is no longer waiting.".into(),
        1 => "The program will wait for 1 more second.".into(),
        seconds => format!("The program will wait for {seconds} more seconds."),
    }
}

/// The question when a program asks for credentials.
pub(crate) const MAY_PROGRAM_USE_ROLE: &str = "May this program use the role?";
/// The question when a program asks for the console.
pub(crate) const MAY_PROGRAM_OPEN_CONSOLE: &str = "May this program open the AWS console as the role?";
/// Advice on the decision.
pub(crate) const ADVICE: &str =
    "The program is running on this computer and asked just now. If you did not start it, refuse.";
/// Advice on the decision if the operating system does not say which program asked.
pub(crate) const ADVICE_UNKNOWN: &str = "The operating system does not say which program asked just now. If you did not \
                                         start one, refuse.";
/// Shown instead of the program's path.
pub(crate) const UNKNOWN_PROGRAM: &str = "Unknown";
/// What screen readers say of a pinned role.
const PINNED: &str = "Pinned.";
/// The heading of the roles that are pinned or in use.
pub(crate) const FIRST_ROLES: &str = "Pinned and recent";
/// The heading of the roles of which nothing is known that would put them into a group.
pub(crate) const OTHER_ROLES: &str = "Others";
/// What screen readers say of a role for other groups.
pub(crate) const FOR_OTHERS: &str = "For groups that you are not in";
/// The menu's item for a role that is not pinned.
pub(crate) const PIN: &str = "Pin to the top";
/// The menu's item for a role that is not pinned when no more can be.
pub(crate) const PINS_ARE_FULL: &str = "30 roles are pinned, which is the most";
/// The menu's item for a role that is pinned.
pub(crate) const UNPIN: &str = "Unpin";
/// The menu's item that has the console's tabs grouped.
pub(crate) const GROUP_TABS: &str = "Group console tabs by account";
/// The menu's item that ends that.
pub(crate) const UNGROUP_TABS: &str = "Do not group console tabs";
/// The status after something was copied from the menu.
pub(crate) const COPIED_FROM_MENU: &str = "Copied to the clipboard.";
/// What is typed behind a role.
pub(crate) const PAGE: &str = "Type a service, a region, an ARN or a console address, then press Enter.";
/// Shown instead of the user before the sign-in.
pub(crate) const NOT_SIGNED_IN: &str = "Not signed in";
/// Why no profile can be written for a role with `credentials = "none"`.
pub(crate) const CONSOLE_ONLY: &str =
    "This role is for the console only. Its settings do not allow credentials for tools.";
/// Shown instead of the profile's name for a role with `credentials = "none"`.
pub(crate) const CONSOLE_ONLY_SHORT: &str = "Console only";
/// The status while the extension connects to the native host.
pub(crate) const HOST_CONNECTING: &str = "Connecting to the host program…";
/// The label of the copy button after the command was copied.
pub(crate) const COPIED: &str = "Copied";
/// The label of the copy button.
pub(crate) const COPY: &str = "Copy";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_told_in_hours_and_minutes() {
        for (minutes, words) in [
            (0, "under 1 min"),
            (1, "1 min"),
            (43, "43 min"),
            (60, "1 h"),
            (65, "1 h 5 min"),
            (719, "11 h 59 min"),
        ] {
            assert_eq!(time_left(TimeLeft::Plenty { minutes }), words);
        }
        assert_eq!(time_left(TimeLeft::Expired), "expired");
    }

    #[test]
    fn a_match_pattern_is_asked_for_by_its_host() {
        assert_eq!(allow("https://auth.example.com/*"), "Allow access to auth.example.com");
        assert_eq!(allow("http://127.0.0.1/*"), "Allow access to 127.0.0.1");
        assert_eq!(allow("cookies"), "Use containers");
    }
}
