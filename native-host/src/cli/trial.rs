//! Starts the host program as a browser would, and checks that it responds.

use std::io::{BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rolecall_core::message::frame;
use rolecall_core::message::host::{HostRequest, HostResponse, Outcome, ProtocolRange, ToHost, ToWorker};

use crate::browsers::Family;

/// Sends `hello` to the program `host` of the manifest `manifest`. Returns the host's version, or briefly why there is
/// none.
pub(super) fn hello(family: Family, manifest: &Path, host: &Path) -> Result<String, String> {
    let mut command = Command::new(host);
    match family {
        Family::Chromium => command.arg(format!("chrome-extension://{}/", family.extension_id())),
        Family::Firefox => command.arg(manifest).arg(family.extension_id()),
    };
    let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = started.map_err(|error| format!("does not start: {error}"))?;
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("does not start".to_owned());
    };
    let (heard, answer) = mpsc::channel();
    thread::spawn(move || {
        // After the timeout nothing receives this any more.
        let _ = heard.send(frame::read::<ToWorker>(&mut BufReader::new(output)));
    });
    let body = HostRequest::Hello {
        protocol: ProtocolRange::CURRENT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    let asked = frame::write(&mut input, &ToHost::Request { id: 1, body }).and_then(|()| input.flush());
    let answer = answer.recv_timeout(TIMEOUT);
    // A host ends with its input; one that does not respond may ignore that too.
    drop(input);
    if answer.is_err() {
        let _ = child.kill();
    }
    let _ = child.wait();
    match (asked, answer) {
        (Ok(()), Ok(Ok(Some(ToWorker::Response { result, .. })))) => understand(result),
        (Ok(()), Err(_)) => Err(format!("does not respond within {} seconds", TIMEOUT.as_secs())),
        _ => Err("does not respond as a host program does".to_owned()),
    }
}

fn understand(result: Outcome<HostResponse>) -> Result<String, String> {
    match result {
        Outcome::Ok(HostResponse::Hello { protocol, version }) => {
            let fits = ProtocolRange::CURRENT.common(protocol).is_some();
            if fits { Ok(version) } else { Err(format!("has another version ({version})")) }
        }
        Outcome::Error(problem) => Err(format!("reports an error: {}", problem.message)),
        Outcome::Ok(_) => Err("does not respond as a host program does".to_owned()),
    }
}

/// How long a host may take to start and respond.
const TIMEOUT: Duration = Duration::from_secs(5);
