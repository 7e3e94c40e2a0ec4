//! A WebDriver server, as a process that chooses its own port.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};

/// A running driver. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts `command`, which must choose a free port, and waits until it reports that it listens. Its output goes to
    /// `log`.
    pub(super) fn start(mut command: Command, mut log: File) -> Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command
            // Ctrl-C in a terminal is for this program, which then closes the browser in order.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().context("cannot share the driver's log")?);
        // chromedriver exits if somebody else has its port on the other version of IP.
        for _ in 0..ATTEMPTS {
            let mut process = command.spawn().with_context(|| format!("cannot run {program}"))?;
            let output = process.stdout.take().context("the driver has no output")?;
            let mut started = Self { process, port: 0 };
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            let Some(port) = lines.find_map(|line| port(&line)) else { continue };
            started.port = port;
            // A full pipe would block the driver.
            thread::spawn(move || {
                for line in lines {
                    // A failure only loses part of the log.
                    let _ = writeln!(log, "{line}");
                }
            });
            return Ok(started);
        }
        bail!("{program} did not report its port")
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The session, and with it the browser, was closed before.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

const ATTEMPTS: usize = 3;

/// The port in the line in which a driver reports it.
fn port(line: &str) -> Option<u16> {
    ANNOUNCEMENTS.iter().find_map(|words| line.split_once(words)?.1.trim_end_matches('.').parse().ok())
}

/// The texts of chromedriver and geckodriver.
const ANNOUNCEMENTS: [&str; 2] = ["started successfully on port ", "Listening on 127.0.0.1:"];

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn the_port_is_read_from_the_drivers_output() {
        assert_eq!(port("ChromeDriver was started successfully on port 40123."), Some(40123));
        assert_eq!(port("Starting ChromeDriver 156.0 on port 0"), None);
        assert_eq!(port("1763820000000\tgeckodriver\tINFO\tListening on 127.0.0.1:40124"), Some(40124));
    }
}
