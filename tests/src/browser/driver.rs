//! A browser's WebDriver server, as a process with a port of its own choice.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};

/// A running driver. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts `command`, which was told to take a free port, and waits until it says that it listens. What it prints
    /// goes to `log`.
    pub(super) fn start(mut command: Command, mut log: File) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut process = command
            // Ctrl-C in a terminal is for whoever runs this, who then closes the browser in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().context("cannot share the driver's log")?)
            .spawn()
            .with_context(|| format!("cannot run {program}"))?;
        let output = process.stdout.take().context("the driver has no output")?;
        let mut started = Self { process, port: 0 };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        let port = lines.find_map(|line| port(&line));
        started.port = port.with_context(|| format!("{program} did not say on which port it listens"))?;
        // A pipe that nobody empties would stop the driver one day.
        thread::spawn(move || {
            for line in lines {
                // Without a log there is less to read, and no other harm.
                let _ = writeln!(log, "{line}");
            }
        });
        Ok(started)
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The session, and the browser with it, was closed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The port in the line with which a driver announces itself.
fn port(line: &str) -> Option<u16> {
    ANNOUNCEMENTS.iter().find_map(|words| line.split_once(words)?.1.trim_end_matches('.').parse().ok())
}

/// chromedriver's words and geckodriver's.
const ANNOUNCEMENTS: [&str; 2] = ["started successfully on port ", "Listening on 127.0.0.1:"];

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_line_that_announces_it() {
        assert_eq!(port("ChromeDriver was started successfully on port 40123."), Some(40123));
        assert_eq!(port("Starting ChromeDriver 156.0 on port 0"), None);
        assert_eq!(port("1763820000000\tgeckodriver\tINFO\tListening on 127.0.0.1:40124"), Some(40124));
    }
}
