//! Opens an address in the system's browser, and reports if that fails.
//!
//! On Linux and the BSDs a program opens the address. It may fail after it was started, or run without a display, so
//! its exit status is checked. Elsewhere the system does it.

use url::Url;

/// Why no browser was opened.
pub(crate) type Reason = String;

/// Opens an address. `failed` is called if it turns out later that nothing was opened.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(crate) fn open(url: &Url, _failed: impl FnOnce(Reason) + Send + 'static) -> Result<(), Reason> {
    webbrowser::open(url.as_str()).map_err(|error| error.to_string())
}

/// Opens an address. `failed` is called if it turns out later that nothing was opened.
#[cfg(all(unix, not(target_os = "macos")))]
pub(crate) fn open(url: &Url, failed: impl FnOnce(Reason) + Send + 'static) -> Result<(), Reason> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let wanted = variable("BROWSER");
    let has_display =
        ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(|name| variable(name).is_some());
    if wanted.is_none() && !has_display {
        return Err("there is no display here".to_owned());
    }
    let commands = commands(wanted.as_deref().unwrap_or_default(), url.as_str());
    let run = move || {
        let mut reason = "no program that opens addresses is installed".to_owned();
        for command in commands {
            match finish(&command) {
                Ok(()) => return,
                Err(Some(why)) => reason = why,
                Err(None) => {}
            }
        }
        failed(reason);
    };
    std::thread::Builder::new()
        .name("browser".to_owned())
        .spawn(run)
        .map(drop)
        .map_err(|error| error.to_string())
}

/// The commands to try in turn: those in BROWSER (separated by `:`, `%s` for the address), then those of desktops.
#[cfg(all(unix, not(target_os = "macos")))]
fn commands(wanted: &str, url: &str) -> Vec<Vec<String>> {
    let of = |text: &str| {
        let mut words: Vec<String> =
            text.split_ascii_whitespace().map(|word| word.replace("%s", url)).collect();
        if !text.contains("%s") {
            words.push(url.to_owned());
        }
        words
    };
    let wanted = wanted.split(':').filter(|text| !text.trim().is_empty());
    wanted.chain(["xdg-open", "gio open", "wslview", "x-www-browser"]).map(of).collect()
}

/// Runs a command and waits for its end, which for a browser may take long. `Err(None)` if there is no such program.
#[cfg(all(unix, not(target_os = "macos")))]
fn finish(command: &[String]) -> Result<(), Option<Reason>> {
    use std::process::{Command, Stdio};

    let (program, arguments) = command.split_first().ok_or(None)?;
    let mut command = Command::new(program);
    // Its input and output are discarded: standard input belongs to the command that runs here.
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Some(format!("{program} ended with {status}"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(None),
        Err(error) => Err(Some(format!("{program}: {error}"))),
    }
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    #[test]
    fn the_commands_in_browser_come_first_with_the_address_inserted() {
        let commands = commands("mine --new %s:other", "https://a.example/?b=c");
        assert_eq!(commands[0], ["mine", "--new", "https://a.example/?b=c"]);
        assert_eq!(commands[1], ["other", "https://a.example/?b=c"]);
        assert_eq!(commands[2], ["xdg-open", "https://a.example/?b=c"]);
        assert_eq!(commands[3], ["gio", "open", "https://a.example/?b=c"]);
    }

    #[test]
    fn a_failing_program_is_reported_and_a_missing_one_is_not() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(finish(&words("true")), Ok(()));
        assert_eq!(finish(&words("false")), Err(Some("false ended with exit status: 1".to_owned())));
        assert_eq!(finish(&words("rolecall-no-such-program")), Err(None));
    }
}
