//! A machine of its own for each test: home, runtime folder and temporary folder.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Where nothing of the real machine's user is seen or touched.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        for name in ["home", "run", "tmp"] {
            let folder = machine.folder.path().join(name);
            fs::create_dir(&folder).unwrap();
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        }
        machine
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The sockets of agents, dead or alive.
    pub(crate) fn sockets(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.folder.path().join("run/rolecall")) else { return Vec::new() };
        let files = entries.map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|extension| extension == "sock")).collect()
    }

    /// Waits until so many commands are connected to this machine's one agent.
    pub(crate) fn wait_for_connections(&self, count: usize) {
        while self.connections() < count {
            std::thread::yield_now();
        }
    }

    /// Waits until the one agent has done with everybody who was connected to it.
    pub(crate) fn wait_until_nobody_is_connected(&self) {
        while self.connections() > 0 {
            std::thread::yield_now();
        }
    }

    fn connections(&self) -> usize {
        let folder = self.folder.path().join("run/rolecall").display().to_string();
        // proc(5): one line for what listens, and one for each end that was accepted or waits to be.
        let sockets = fs::read_to_string("/proc/net/unix").unwrap();
        sockets.lines().filter(|line| line.contains(&folder)).count().saturating_sub(1)
    }

    /// Waits until no agent is left on this machine.
    pub(crate) fn wait_for_silence(&self) {
        while self.sockets().iter().any(|path| path.extension().is_some_and(|extension| extension == "sock"))
        {
            std::thread::yield_now();
        }
    }

    pub(crate) fn write(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A script that can be run at once. Another process writes it: a file that this one has open for
    /// writing can reach the child of another test's thread for a moment, and is then "text file busy".
    pub(crate) fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home().join(name);
        let mut install = Command::new("install");
        install.args(["-m", "755", "/dev/stdin"]).arg(&path).stdin(Stdio::piped());
        let mut child = install.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
        path
    }

    /// A browser that only writes the address it is started with into a pipe: the script and the pipe.
    pub(crate) fn browser_that_writes_its_address(&self) -> (PathBuf, PathBuf) {
        let opened = self.home().join("opened");
        assert!(Command::new("mkfifo").arg(&opened).status().unwrap().success());
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"$1\" > '{}'\n", opened.display());
        (self.script("browser", &text), opened)
    }

    /// Sets a variable for all commands from now on.
    pub(crate) fn set(&mut self, variable: &'static str, value: &str) {
        self.variables.push((variable, value.to_owned()));
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.home().join(path)).unwrap_or_default()
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(program(), arguments)
    }

    /// A command of another program.
    pub(crate) fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.folder.path().join("run"))
            .env("TMPDIR", self.folder.path().join("tmp"))
            .envs(self.variables.iter().map(|(variable, value)| (variable, value)))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }
}

/// The built program.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_rolecall"))
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
