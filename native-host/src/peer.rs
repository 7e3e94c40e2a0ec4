//! The program at the other end of the agent's socket, as the operating system reports it.
//!
//! Approvals show it and are remembered for it. It tells honest programs apart and names an unexpected one; it does not
//! stop a program of the same user that pretends to be another.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use interprocess::local_socket::Stream;
use rolecall_core::message::host::Program;
use rolecall_core::text;

use crate::platform::{self, Process};

/// The program that a person started, skipping `rolecall` itself and shells that only run one command. `None` if the
/// system does not report it.
pub(crate) fn program(stream: &Stream) -> Option<Program> {
    let mut next = platform::peer_process(stream);
    let mut programs = Vec::new();
    // A chain of processes is short; a limit prevents loops through reused process ids.
    for _ in 0..LONGEST_CHAIN {
        let Some(process) = next.filter(|id| *id > 1).and_then(platform::process) else { break };
        let Some(path) = &process.program else { break };
        let script = script(&process);
        if !is_intermediary(path, script.is_some()) {
            // A script may be a runner itself: ipython, npm.
            let is_recognisable = !runs_anything(script.as_deref().unwrap_or(path));
            programs.push((name(path, script.as_deref()), is_recognisable));
        }
        if programs.len() == 2 {
            break;
        }
        next = process.parent;
    }
    let mut programs = programs.into_iter();
    let (path, is_recognisable) = programs.next()?;
    Some(Program { path, parent: programs.next().map(|(path, _)| path), is_recognisable })
}

/// The script that an interpreter runs.
fn script(process: &Process) -> Option<PathBuf> {
    let name = plain_name(process.program.as_ref()?)?;
    let (_, harmless) = SCRIPTED.iter().find(|(known, _)| *known == name)?;
    script_among(process.arguments.get(1..)?, harmless, process.folder.as_deref()?)
}

/// The first argument, apart from options that change nothing of what runs. It counts only if such a file exists: any
/// other argument may be a secret. With another option (`-c`, `-m`, `-s`, `-r`), what runs may be anything.
fn script_among(arguments: &[OsString], harmless: &str, folder: &Path) -> Option<PathBuf> {
    let is_harmless = |argument: &&OsString| {
        let option = argument.to_str().and_then(|text| text.strip_prefix('-'));
        option.is_some_and(|letters| !letters.is_empty() && letters.chars().all(|c| harmless.contains(c)))
    };
    let first = arguments.iter().find(|argument| !is_harmless(argument))?;
    let path = folder.join(first);
    // Open files (`/dev/fd/3`) have one name in each process, and mean another file in each.
    let is_open_file = ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder));
    (!first.as_encoded_bytes().starts_with(b"-") && !is_open_file && path.is_file()).then_some(path)
}

/// Whether the program's path says little of what it does.
fn runs_anything(path: &Path) -> bool {
    plain_name(path)
        .is_none_or(|name| SCRIPTED.iter().any(|(known, _)| *known == name) || RUNNERS.contains(&&*name))
}

/// The letters that a program's name begins with: `python` of `python3.11`, of `python3-dbg`, and of a `python` that an
/// upgrade has replaced, which Linux calls `python (deleted)`. It is all of a name that begins with something else.
fn plain_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let end = name.find(|c: char| !c.is_ascii_alphabetic()).filter(|end| *end > 0);
    Some(name[..end.unwrap_or(name.len())].to_ascii_lowercase())
}

fn name(path: &Path, script: Option<&Path>) -> String {
    let name = match script {
        Some(script) => format!("{} {}", path.display(), script.display()),
        None => path.display().to_string(),
    };
    text::on_one_line(&name, NAME_MAX)
}

fn is_intermediary(path: &Path, runs_script: bool) -> bool {
    let shell = path.file_name().is_some_and(|name| ["sh", "dash"].map(OsStr::new).contains(&name));
    (shell && !runs_script) || std::env::current_exe().is_ok_and(|own| is_own(path, &own))
}

/// Whether the path is this program's, also after an upgrade: Linux then names the file that the process was started from
/// with an addition.
fn is_own(path: &Path, own: &Path) -> bool {
    let without_addition = |path: &Path| {
        let bytes = path.as_os_str().as_encoded_bytes();
        String::from_utf8_lossy(bytes.strip_suffix(b" (deleted)").unwrap_or(bytes)).into_owned()
    };
    without_addition(path) == without_addition(own)
}

/// Interpreters of scripts by [`plain_name`], and the options that change nothing of what a script does.
const SCRIPTED: [(&str, &str); 11] = [
    ("python", "BEIOPSbqsuv"),
    ("pypy", "BEIOPSbqsuv"),
    ("node", ""),
    ("ruby", "w"),
    ("perl", "wT"),
    ("bash", "euvx"),
    ("sh", "euvx"),
    ("dash", "euvx"),
    ("ksh", "euvx"),
    ("zsh", "efuvx"),
    ("fish", ""),
];

/// Other programs and scripts that run what their arguments, their input or a file in the folder say, and those that services and
/// programs without a parent belong to. `ld` is the dynamic linker, which runs the program that its arguments name. By
/// [`plain_name`].
const RUNNERS: [&str; 134] = [
    "anacron",
    "ash",
    "atd",
    "awk",
    "bun",
    "bundle",
    "busybox",
    "bwrap",
    "cargo",
    "chroot",
    "clojure",
    "cmd",
    "conda",
    "cron",
    "crond",
    "cscript",
    "csh",
    "deno",
    "doas",
    "docker",
    "dotnet",
    "dumb",
    "electron",
    "elixir",
    "emacs",
    "entr",
    "env",
    "erl",
    "escript",
    "expect",
    "find",
    "firejail",
    "flatpak",
    "gawk",
    "gdb",
    "gem",
    "git",
    "go",
    "groovy",
    "guile",
    "hatch",
    "iex",
    "init",
    "ipython",
    "irb",
    "java",
    "javaw",
    "julia",
    "jupyter",
    "just",
    "kotlin",
    "launchd",
    "ld",
    "lldb",
    "ltrace",
    "lua",
    "luajit",
    "make",
    "mamba",
    "mawk",
    "mksh",
    "mono",
    "mshta",
    "nix",
    "nohup",
    "nox",
    "npm",
    "npx",
    "nsenter",
    "nu",
    "nvim",
    "osascript",
    "parallel",
    "pdm",
    "php",
    "pip",
    "pipenv",
    "pipx",
    "pnpm",
    "podman",
    "poetry",
    "powershell",
    "proot",
    "pry",
    "pwsh",
    "pytest",
    "pythonw",
    "qemu",
    "r",
    "racket",
    "rails",
    "rake",
    "rscript",
    "rubyw",
    "rundll",
    "runuser",
    "sbcl",
    "scala",
    "screen",
    "script",
    "setarch",
    "setpriv",
    "setsid",
    "snap",
    "ssh",
    "stdbuf",
    "strace",
    "su",
    "sudo",
    "supervisord",
    "swift",
    "systemd",
    "tclsh",
    "tcsh",
    "time",
    "timeout",
    "tini",
    "tmux",
    "tox",
    "ts",
    "tsx",
    "unshare",
    "uv",
    "uvx",
    "vi",
    "vim",
    "watch",
    "wine",
    "wperl",
    "wscript",
    "xargs",
    "xonsh",
    "yarn",
    "yash",
];

const LONGEST_CHAIN: usize = 8;

/// The longest name of a program, in characters.
const NAME_MAX: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_file_that_comes_first_counts_as_a_script() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["deploy.py", "-"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let script = |arguments: &[&str]| {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            script_among(&arguments, "BEu", folder.path())
        };
        let deploy = Some(folder.path().join("deploy.py"));
        assert_eq!(script(&["deploy.py", "--token", "secret"]), deploy);
        assert_eq!(script(&["-u", "-BE", "deploy.py"]), deploy);
        for anything in [
            &["-c", "print('secret')"][..],
            &["-c", "deploy.py"],
            &["-m", "deploy", "deploy.py"],
            &["-s", "deploy.py"],
            &["-uc", "deploy.py"],
            &["-", "deploy.py"],
            &["-", "-"],
            &["--require", "./evil.js", "deploy.py"],
            &["-r./evil.js", "deploy.py"],
            &["missing.py", "deploy.py"],
            &["/proc/self/exe", "deploy.py"],
            &["/dev/stdin"],
            &[],
        ] {
            assert_eq!(script(anything), None, "{anything:?}");
        }
    }

    #[test]
    fn a_program_that_runs_anything_is_not_recognised_by_its_path() {
        for path in [
            "/usr/bin/python3.11",
            "/usr/bin/bash",
            "/usr/lib/jvm/21/bin/java",
            "/usr/bin/php8.2",
            "/home/a/.deno/bin/deno",
            "/usr/bin/lua5.4",
            "/lib64/ld-linux-x86-64.so.2",
            "/usr/bin/Rscript",
            "/usr/bin/node-22",
            "/usr/bin/python3-dbg",
            "/usr/bin/python3.11-intel64",
            "/usr/bin/bash (deleted)",
            "/usr/bin/bash-static",
            "/usr/bin/npm-cli.js",
            "/home/a/.venv/bin/ipython3",
            "/usr/lib/systemd/systemd",
            "/usr/bin/qemu-x86_64-static",
        ] {
            assert!(runs_anything(Path::new(path)), "{path}");
        }
        for path in
            ["/usr/bin/terraform", "/usr/local/bin/aws", "/opt/app/bin/deploy", "/usr/bin/kubectl1.30"]
        {
            assert!(!runs_anything(Path::new(path)), "{path}");
        }
        assert!(RUNNERS.is_sorted());
    }

    #[test]
    fn this_program_is_skipped_also_after_an_upgrade() {
        let own = Path::new("/usr/bin/rolecall");
        assert!(is_own(Path::new("/usr/bin/rolecall (deleted)"), own));
        assert!(is_own(own, Path::new("/usr/bin/rolecall (deleted)")));
        assert!(!is_own(Path::new("/home/a/rolecall"), own));
    }

    #[test]
    fn a_shell_is_skipped_if_it_runs_one_command_but_not_if_it_runs_a_script() {
        assert!(is_intermediary(Path::new("/usr/bin/dash"), false));
        assert!(!is_intermediary(Path::new("/usr/bin/dash"), true));
        assert!(!is_intermediary(Path::new("/usr/bin/bash"), false));
        assert!(is_intermediary(&std::env::current_exe().unwrap(), false));
    }
}
