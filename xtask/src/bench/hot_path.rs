//! The time of `rolecall credential-process`, as a whole process, when the agent has the credentials. It is compared
//! with the least that such a program can do: print a file.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::{Measure, micros};
use crate::tools::find;
use crate::{repo, step};

/// Measures it with an agent in its own home folder, which responds from memory. `host` is the optimised program.
pub(super) fn measure(host: &Path) -> Result<Measure> {
    let home = repo::target("bench/agent");
    repo::remove_dir(&home)?;
    let printer = smallest_program()?;
    let mut agent = Agent::start(host, &home)?;
    let mut ask = at_home(host, &home);
    ask.args(["credential-process", "--profile", "bench", "--provider", "bench", "--role-arn", ROLE]);
    let document = output(&mut ask)?;
    ensure!(document.contains("\"AccessKeyId\""), "the agent did not answer: {document}");

    let file = home.join("document.json");
    repo::write(&file, &document)?;
    let mut print = at_home(&printer, &home);
    print.arg(&file);
    let mut cat = at_home(&find(&["cat"]).context("there is no cat")?, &home);
    cat.arg(&file);
    // Alternating, so that other load on the machine affects all of them.
    let mut times = [&mut ask, &mut print, &mut cat].map(|command| (command, Vec::new()));
    for _ in 0..ROUNDS {
        for (command, times) in &mut times {
            let start = Instant::now();
            output(command)?;
            times.push(start.elapsed());
        }
    }
    let [ours, theirs, cat] = times.map(|(_, times)| median(times));
    agent.stop()?;
    repo::remove_dir(&home)?;
    Ok(Measure {
        name: "credential-process, answered from the agent's memory".into(),
        value: micros(ours),
        limit: micros(theirs) * PEER_RATIO,
        unit: "µs".into(),
        aside: format!(
            "the smallest Rust program that prints a file: {} µs; cat: {} µs; the limit is {PEER_RATIO} times the former",
            micros(theirs),
            micros(cat)
        ),
    })
}

/// The host program as a browser starts it, with credentials in its memory.
struct Agent(Child);

impl Agent {
    fn start(host: &Path, home: &Path) -> Result<Self> {
        let ids: Value = serde_json::from_slice(&repo::read(&repo::path("manifest/ids.json"))?)?;
        let id = ids.get("chromium_extension_id").and_then(Value::as_str).context("ids.json names no id")?;
        repo::create_parent(&home.join("run/socket"))?;
        let mut command = at_home(host, home);
        command.arg(format!("chrome-extension://{id}/")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut agent = Self(command.spawn().context("cannot start the host")?);
        // docs/protocol.md
        agent.ask(&json!({"hello": {"protocol": {"min": 1, "max": 1}, "version": "bench"}}))?;
        agent.ask(&json!({
            "writeProfile": {
                "profile": "bench", "role": {"provider": "bench", "arn": ROLE}, "region": "eu-west-1",
                "mode": "process", "endpointUrl": null,
                "credentials": {
                    "accessKeyId": "ASIAEXAMPLE", "secretAccessKey": "a".repeat(40),
                    "sessionToken": "b".repeat(1000), "expiration": 32_472_144_000_i64,
                },
            },
        }))?;
        Ok(agent)
    }

    fn ask(&mut self, body: &Value) -> Result<()> {
        let frame = serde_json::to_vec(&json!({"request": {"id": 1, "body": body}}))?;
        let to = self.0.stdin.as_mut().context("the host has no input")?;
        to.write_all(&u32::try_from(frame.len())?.to_ne_bytes())?;
        to.write_all(&frame)?;
        to.flush()?;
        let from = self.0.stdout.as_mut().context("the host has no output")?;
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let mut answer = vec![0; usize::try_from(u32::from_ne_bytes(length))?];
        from.read_exact(&mut answer)?;
        let answer: Value = serde_json::from_slice(&answer)?;
        ensure!(answer.pointer("/response/result/ok").is_some(), "the host answered {answer}");
        Ok(())
    }

    /// Closes the port as a browser does.
    fn stop(&mut self) -> Result<()> {
        drop(self.0.stdin.take());
        self.0.wait().context("cannot wait for the host")?;
        Ok(())
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(super) fn at_home(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("PATH", "/usr/bin:/bin");
    command
}

/// A program that prints a file, to measure the start and end of any Rust program.
fn smallest_program() -> Result<PathBuf> {
    let source = repo::target("bench/print.rs");
    repo::write(&source, PRINT)?;
    let program = source.with_extension("");
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2024", "-Copt-level=3", "-Cpanic=abort", "-Clto=fat", "-Cstrip=symbols", "-o"]);
    step::run("compile the smallest program", rustc.arg(&program).arg(&source))?;
    Ok(program)
}

pub(super) fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(String::from_utf8(output.stdout)?)
}

pub(super) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

const PRINT: &str = r"fn main() {
    let path = std::env::args_os().nth(1).unwrap();
    std::io::copy(&mut std::fs::File::open(path).unwrap(), &mut std::io::stdout()).unwrap();
}
";

const ROLE: &str = "arn:aws:iam::123456789012:role/bench";

/// The number of measurements of each.
const ROUNDS: u32 = 200;

/// The limit, as a multiple of the smallest program's time.
const PEER_RATIO: u64 = 2;
