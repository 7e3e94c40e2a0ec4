//! `rolecall completions`, `shell-init` and `man`: shell integration and manual pages.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Command;
use clap_complete::env::{CompleteEnv, Shells};
use rolecall_core::{Code, Problem};

use crate::output::{self, Failure, Outcome, short_path};
use crate::profile;
use crate::shell::Syntax;

/// Print a script that completes rolecall's commands and your roles in a shell.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall completions fish > ~/.config/fish/completions/rolecall.fish")]
pub(crate) struct Completions {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the code for a shell's start-up file: the use-role function, a prompt segment, and completion.
///
/// use-role ROLE sets a role's variables in the shell, use-role --unset clears them. While a role is active, the prompt
/// shows it and the time left, without starting a process; ROLECALL_PROMPT=off turns this off.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  echo 'eval \"$(rolecall shell-init bash)\"' >> ~/.bashrc\n  echo 'rolecall shell-init fish | source' >> ~/.config/fish/config.fish"
)]
pub(crate) struct ShellInit {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write the pages of all commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: rolecall man --dir ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write rolecall.1 and a page for each command to this folder.
    #[arg(long)]
    dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

/// Completes a command line if a shell asks for it, and returns whether one did.
pub(super) fn answer(command: impl Fn() -> Command) -> bool {
    if std::env::var_os(VARIABLE).is_none() {
        return false;
    }
    let here = std::env::current_dir().ok();
    let shell = CompleteEnv::with_factory(command).var(VARIABLE);
    // A completion that fails shows nothing: a message would end up in the command line.
    shell.try_complete(std::env::args_os(), here.as_deref()).unwrap_or(true)
}

impl Completions {
    pub(crate) fn run(self) -> Outcome {
        output::data(script(self.shell)?.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl ShellInit {
    pub(crate) fn run(self) -> Outcome {
        let program = profile::own_path()?.display().to_string();
        let (template, quoting) = match self.shell {
            Shell::Bash => (BASH, Syntax::Posix),
            Shell::Zsh => (ZSH, Syntax::Posix),
            Shell::Fish => (FISH, Syntax::Fish),
            Shell::Powershell => (POWERSHELL, Syntax::PowerShell),
        };
        let program = quoting.word(&program).unwrap_or(program);
        output::data(template.replace("@PROGRAM@", &program).trim_end())?;
        output::data(script(self.shell)?.trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Man {
    /// Prints or writes the manual pages of `command`.
    pub(crate) fn run(self, command: Command) -> Outcome {
        let failed = |error: std::io::Error| {
            Failure::caused_by(Problem::new(Code::FileFailed, "The manual could not be written."), &error)
        };
        if let Some(folder) = self.dir {
            fs::create_dir_all(&folder).map_err(failed)?;
            clap_mangen::generate_to(command, &folder).map_err(failed)?;
            output::note(format_args!("Wrote the manual to {}", short_path(&folder)));
            return Ok(ExitCode::SUCCESS);
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).map_err(failed)?;
        output::data(String::from_utf8_lossy(&page).trim_end())?;
        Ok(ExitCode::SUCCESS)
    }
}

fn script(shell: Shell) -> Result<String, Failure> {
    let name = match shell {
        Shell::Bash => "bash",
        Shell::Zsh => "zsh",
        Shell::Fish => "fish",
        Shell::Powershell => "powershell",
    };
    let program = profile::own_path()?.display().to_string();
    let mut script = Vec::new();
    let written = Shells::builtins().completer(name).map(|completer| {
        completer.write_registration(VARIABLE, "rolecall", "rolecall", &program, &mut script)
    });
    match written {
        Some(Ok(())) => Ok(String::from_utf8_lossy(&script).into_owned()),
        _ => Err(Problem::new(Code::Internal, "The completion script could not be written.").into()),
    }
}

/// The variable by which the scripts request completions.
const VARIABLE: &str = "ROLECALL_COMPLETE";

const BASH: &str = include_str!("../shell/init.bash");
const ZSH: &str = include_str!("../shell/init.zsh");
const FISH: &str = include_str!("../shell/init.fish");
const POWERSHELL: &str = include_str!("../shell/init.ps1");
