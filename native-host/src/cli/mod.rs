//! The command line. Each command has its own file: its options, its help and what it does.

// Clap shows the comments on commands and options as help, so names have no markup.
#![allow(clippy::doc_markdown)]

mod completion;
mod console;
pub(crate) mod credential_process;
mod doctor;
mod env;
mod exec;
mod install;
mod login;
mod logout;
mod profile;
mod role_argument;
mod roles;
mod serve;
mod settings;
pub(crate) mod sign_in_for_tools;
mod status;
mod sync;
mod trial;
mod whoami;

use std::ffi::OsString;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use clap::{CommandFactory, Parser, Subcommand};

use crate::log;
use crate::output::{self, EXIT_CODES, Outcome};

/// Sign in to AWS with your company's account: roles from the browser's toolbar, in your terminal.
#[derive(Debug, Parser)]
#[command(
    name = "rolecall",
    version,
    styles = STYLES,
    after_help = EXIT_CODES,
        disable_help_subcommand = true,
    arg_required_else_help = true,
)]
struct Arguments {
    /// Log to standard error.
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Login(login::Login),
    Env(env::Env),
    Exec(exec::Exec),
    Console(console::Console),
    Roles(roles::Roles),
    Status(status::Status),
    Whoami(whoami::Whoami),
    Logout(logout::Logout),
    #[command(subcommand)]
    Profile(profile::Profile),
    CredentialProcess(credential_process::CredentialProcess),
    Serve(serve::Serve),
    SignInForTools(sign_in_for_tools::SignInForTools),
    #[command(subcommand)]
    Settings(settings::Settings),
    Install(install::Install),
    Uninstall(install::Uninstall),
    Doctor(doctor::Doctor),
    ShellInit(completion::ShellInit),
    Completions(completion::Completions),
    Man(completion::Man),
}

/// Runs the command that the arguments name.
pub(crate) fn run(arguments: Vec<OsString>) -> ExitCode {
    if completion::answer(Arguments::command) {
        return ExitCode::SUCCESS;
    }
    let program = std::iter::once(OsString::from("rolecall"));
    let arguments = match Arguments::try_parse_from(program.chain(arguments)) {
        Ok(arguments) => arguments,
        Err(told) => {
            output::usage(&told);
            return ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2));
        }
    };
    log::to_standard_error(arguments.verbose);
    perform(arguments.command).unwrap_or_else(|failure| failure.tell())
}

fn perform(command: Command) -> Outcome {
    match command {
        Command::Login(command) => command.run(),
        Command::Env(command) => command.run(),
        Command::Exec(command) => command.run(),
        Command::Console(command) => command.run(),
        Command::Roles(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Whoami(command) => command.run(),
        Command::Logout(command) => command.run(),
        Command::Profile(command) => command.run(),
        Command::CredentialProcess(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::SignInForTools(command) => command.run(),
        Command::Settings(command) => command.run(),
        Command::Install(command) => command.run(),
        Command::Uninstall(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::ShellInit(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(Arguments::command()),
    }
}

pub(crate) const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(Style::new().dimmed());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        fn check(command: &clap::Command) {
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.starts_with("Example"), "{}: {help}", command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        check(&Arguments::command());
    }
}
