//! Everything the pages say that is not in their HTML and does not come from the worker.

use rolecall_core::platform::Step;
use rolecall_core::settings::Layer;
use rolecall_core::{Code, Problem};

use crate::time::TimeLeft;

/// What is being done now, for the person who waits.
pub(crate) fn step(step: Step) -> &'static str {
    match step {
        Step::Discovering => "Looking up your sign-in provider…",
        Step::AskingSilently => "Checking whether you are still signed in…",
        Step::WaitingForPerson => "Waiting for you to sign in…",
        Step::RedeemingCode => "Completing the sign-in…",
        Step::VerifyingIdToken => "Checking your identity…",
        Step::AssumingRole => "Asking AWS for the role…",
        Step::AssumingRoleInMainRegion => "AWS STS is off in this region; asking the main region…",
        Step::OpeningConsole => "Opening the AWS console…",
        Step::WritingProfile => "Writing the AWS profile…",
    }
}

/// What is left of a role's credentials, as short as can be.
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

/// The same in a sentence, for those who hear it without seeing where it stands.
pub(crate) fn time_left_spoken(left: TimeLeft) -> String {
    match left {
        TimeLeft::Expired => "Credentials expired.".into(),
        _ => format!("Signed in, {} left.", time_left(left)),
    }
}

/// What a role is called, everywhere: tests and assistive technology go by it.
pub(crate) fn role_label(account: &str, role: &str) -> String {
    format!("{account}{SEPARATOR}{role}")
}

/// Which profile tools use for a role.
pub(crate) fn profile(name: &str) -> String {
    format!("Profile {name}")
}

/// Where a provider's settings come from.
pub(crate) fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Policy => "Set by your organisation",
        Layer::Machine => "From this computer's settings file",
        Layer::Listed => "Listed by your sign-in provider",
    }
}

/// What ends the session at the provider as well.
pub(crate) fn end_session(provider: &str) -> String {
    format!("Sign out of Rolecall and {provider}")
}

/// What is asked when a problem needs access to a host, given as a match pattern.
pub(crate) fn allow(pattern: &str) -> String {
    let host = pattern.split_once("://").map_or(pattern, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    format!("Allow access to {host}")
}

/// What the search found when it found nothing.
pub(crate) fn no_match(query: &str) -> String {
    format!("No role matches “{query}”.")
}

/// That something is wrong with the settings. What it means for them, each problem says itself.
pub(crate) fn left_out(count: usize) -> String {
    match count {
        1 => "1 problem in the settings".into(),
        count => format!("{count} problems in the settings"),
    }
}

/// Why there is nobody to sign in with.
pub(crate) fn no_providers(left_out: usize) -> &'static str {
    if left_out == 0 { "No sign-in provider yet" } else { "No sign-in provider can be used" }
}

/// That the native host is there.
pub(crate) fn host_connected(version: &str) -> String {
    format!("Host program {version} connected")
}

/// What is wrong with the native host.
pub(crate) fn host_absent(problem: &Problem) -> &'static str {
    match Code::ALL.iter().find(|code| problem.is(**code)) {
        Some(Code::HostNotInstalled) => "Host program not installed",
        Some(Code::HostForbidden | Code::CallerRefused) => "Host program not registered for this extension",
        Some(Code::HostVersion | Code::HostProtocol) => "Host program of another version",
        Some(Code::HostExited) => "Host program stopped",
        Some(Code::HostTimedOut) => "Host program does not answer",
        _ => "Host program not connected",
    }
}

/// A next step and, when it ends with a command to run, that command apart, so that it can be shown as one.
///
/// Next steps name a command last, as in "Install the host program and run: rolecall install".
pub(crate) fn next_step(text: &str) -> (&str, Option<&str>) {
    match text.rfind("un: rolecall ") {
        Some(at) => (&text[..at + "un:".len()], Some(&text[at + "un: ".len()..])),
        None => (text, None),
    }
}

/// For how long a program goes on waiting for an answer.
pub(crate) fn still_waits(seconds: i64) -> String {
    match seconds {
        0 => "The program waits no longer.".into(),
        1 => "The program waits for another second.".into(),
        seconds => format!("The program waits for another {seconds} seconds."),
    }
}

/// What is asked of a person when a program wants credentials.
pub(crate) const MAY_PROGRAM_USE_ROLE: &str = "May this program use the role?";
/// What is asked of a person when a program wants to open the console.
pub(crate) const MAY_PROGRAM_OPEN_CONSOLE: &str = "May this program open the AWS console as the role?";
/// How to decide.
pub(crate) const ADVICE: &str =
    "It runs on this computer and asked just now. If you did not start it, refuse.";
/// How to decide where the system does not tell who asks.
pub(crate) const ADVICE_UNKNOWN: &str = "This computer does not tell which program asked just now. If you did not start \
                                         one, refuse.";
/// In place of a program's path.
pub(crate) const UNKNOWN_PROGRAM: &str = "Not known";
/// Between an account and a role.
pub(crate) const SEPARATOR: &str = " / ";
/// In place of the person, before anybody signed in.
pub(crate) const NOT_SIGNED_IN: &str = "Not signed in";
/// Why a profile cannot be written for a role whose credentials are kept from tools.
pub(crate) const CONSOLE_ONLY: &str =
    "This role is for the console only: its settings keep credentials from tools.";
/// In place of a profile's name for such a role.
pub(crate) const CONSOLE_ONLY_SHORT: &str = "Console only";
/// While the native host is being looked for.
pub(crate) const HOST_CONNECTING: &str = "Connecting to the host program…";
/// Beside the command, once it was copied.
pub(crate) const COPIED: &str = "Copied";
/// Before it was.
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
    }

    #[test]
    fn a_command_that_ends_a_next_step_stands_apart() {
        assert_eq!(
            next_step(Code::HostNotInstalled.next_step()),
            ("Install the Rolecall host program and run:", Some("rolecall install"))
        );
        assert_eq!(next_step(Code::HostExited.next_step()), ("Run:", Some("rolecall doctor")));
        assert_eq!(next_step("Sign in again."), ("Sign in again.", None));
    }

    #[test]
    fn every_next_step_that_says_run_names_a_command_that_can_be_shown() {
        for code in Code::ALL.iter().filter(|code| code.next_step().contains("un: ")) {
            let (_, command) = next_step(code.next_step());
            assert!(command.is_some_and(|command| command.starts_with("rolecall ")), "{}", code.as_str());
        }
    }
}
