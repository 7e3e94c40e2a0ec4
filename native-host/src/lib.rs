//! Rolecall on the machine: the library behind the `rolecall` binary.
//!
//! | question | module |
//! |---|---|
//! | Who started the program? | `caller` |
//! | How does it talk to the browser? | `host` |
//! | How do commands get credentials from the browser? | `agent` |
//! | Which commands are there? | `cli` |
//! | Which credentials outlive the browser? | `cache` |
//! | What is in an AWS profile, and how is it written? | `profile`, [`aws_files`] |
//! | What is in the machine's settings? | `settings_files` |
//! | Which roles do providers publish? | `catalogues` |
//! | Where do browsers look for the host? | `browsers` |
//! | How is text quoted for a shell? | `shell` |
//! | What differs between operating systems? | `platform` |

pub mod aws_files;

mod agent;
mod ask;
mod batch;
mod browsers;
mod cache;
mod caller;
mod caller_identity;
mod catalogues;
mod certificate;
mod choice;
mod cli;
mod command_profile;
mod connections;
mod container;
mod detached;
mod host;
mod host_settings;
mod http_client;
mod import;
mod log;
mod loopback;
mod output;
mod peer;
mod platform;
mod profile;
mod role_index;
mod roles;
mod sdk_profile;
mod settings_files;
mod shell;
mod source;
mod system_browser;
mod terminal;
mod variables;
mod whole_file;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program with the arguments after its name.
#[must_use]
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    // First the command that tools call hundreds of times; it does nothing else.
    if let Some(exit) = cli::credential_process::run_fast(&arguments) {
        return exit;
    }
    if let Some(caller) = caller::Caller::from_arguments(&arguments) {
        log::to_file();
        return host::run(&caller);
    }
    cli::run(arguments)
}
