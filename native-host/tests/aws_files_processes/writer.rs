//! The child: one operation, then the end; or operations without end, until it is killed.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, io};

use rolecall_host::aws_files::{AwsFiles, Operation, Options};

use crate::home::{file, process, remove};

/// A command that does `operation` to `profile` in `folder`, with this binary.
pub(crate) fn command(folder: &Path, operation: &str, profile: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.arg("--write").arg(folder).args([operation, profile]);
    command
}

/// `FOLDER process|file|remove|alternate PROFILE`. A refusal's code goes to standard output.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let [folder, operation, profile] = arguments else { return ExitCode::from(2) };
    let files = AwsFiles::at(Path::new(folder).join("config"), Path::new(folder).join("credentials"));
    if operation == "alternate" {
        println!("ready");
        io::stdout().flush().unwrap();
        loop {
            for next in [file(profile), process(profile)] {
                files.apply(&next, &Options::default()).unwrap();
            }
        }
    }
    match files.apply(&parse(operation, profile), &Options::default()) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", error.code().as_str());
            ExitCode::FAILURE
        }
    }
}

fn parse(operation: &str, profile: &str) -> Operation {
    match operation {
        "process" => process(profile),
        "file" => file(profile),
        "remove" => remove(profile),
        other => panic!("no such operation: {other}"),
    }
}
