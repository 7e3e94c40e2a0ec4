//! The settings of a large organisation: the time to list its roles, or to complete a role with the Tab key, as whole
//! processes.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Result, ensure};

use super::hot_path::{at_home, median, output};
use super::{Measure, micros};
use crate::repo;

/// Measures both. `host` is the optimised program.
pub(super) fn measure(host: &Path) -> Result<Vec<Measure>> {
    let home = repo::target("bench/many-roles");
    repo::remove_dir(&home)?;
    let file = home.join(".config/rolecall/config.toml");
    repo::write(&file, settings()?)?;
    // A list of roles is only kept of a file that has been left alone for a while.
    std::fs::File::options()
        .append(true)
        .open(&file)?
        .set_modified(SystemTime::now() - Duration::from_mins(1))?;
    let index = home.join(".local/state/rolecall/roles.index");

    let mut roles = at_home(host, &home);
    roles.args(["roles", "--json"]);
    let listed = output(&mut roles)?;
    ensure!(listed.matches("\"arn\"").count() == ROLES, "not every role is listed");

    let mut complete = at_home(host, &home);
    complete.env(COMPLETE, "bash").env("_CLAP_COMPLETE_INDEX", "2").env("_CLAP_IFS", "\n");
    complete.args(["--", "rolecall", "exec", "account-999-r"]);
    let completed = output(&mut complete)?;
    let of_one_account = ROLES / ACCOUNTS;
    ensure!(completed.lines().count() == of_one_account, "not every role is offered: {completed}");

    let mut measures = Vec::new();
    let [changed, again] = ["listed by `rolecall roles` after a change", "listed by `rolecall roles`"];
    for (name, limit) in [(changed, CHANGED_LIMIT), (again, LIMIT), ("completed", LIMIT)] {
        let command = if name == "completed" { &mut complete } else { &mut roles };
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            if name == changed {
                std::fs::remove_file(&index)?;
            }
            let start = Instant::now();
            output(command)?;
            times.push(start.elapsed());
        }
        measures.push(Measure {
            name: format!("{ROLES} roles in {ACCOUNTS} accounts {name}"),
            value: micros(median(times)),
            limit: micros(limit),
            unit: "µs".into(),
            aside: "as a whole process".into(),
        });
    }
    repo::remove_dir(&home)?;
    Ok(measures)
}

/// Settings with the accounts and roles of a large organisation.
fn settings() -> Result<String> {
    let mut text = String::from(PROVIDER);
    for account in 0..ACCOUNTS {
        write!(text, "[[account]]\nid = \"{account:012}\"\nalias = \"account-{account}\"\n\n")?;
        for role in 0..ROLES / ACCOUNTS {
            let arn = format!("arn:aws:iam::{account:012}:role/role-{role}");
            write!(text, "[[role]]\nprovider = \"corp\"\narn = \"{arn}\"\nregion = \"eu-west-1\"\n\n")?;
        }
    }
    Ok(text)
}

const PROVIDER: &str = "\
[[provider]]
id = \"corp\"
name = \"Example Corp\"
well_known_url = \"https://auth.example.com/.well-known/openid-configuration\"
client_id = \"abcdef\"

";

/// The variable by which a shell's script requests completions.
const COMPLETE: &str = "ROLECALL_COMPLETE";

const ACCOUNTS: usize = 1_000;
const ROLES: usize = 10_000;
const ROUNDS: u32 = 15;

/// A person who presses a key expects a response within this time.
const LIMIT: Duration = Duration::from_millis(30);

/// The settings have to be read.
const CHANGED_LIMIT: Duration = Duration::from_millis(200);
