//! The isolated machine of one test: a home folder, a sandbox, settings, and installed programs.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use rolecall_core::identity;
use rolecall_sandbox::{Config, Sandbox};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use toml::{Table, Value};

use crate::folder::{self, Folder};
use crate::{Browser, Canaries, Fixtures, Found, Kind, Options, Terminal, Watch, until};

/// An isolated machine with a browser of one kind. Dropping it removes everything on it; drop the [`Browser`] first.
#[derive(Debug)]
pub struct Scene {
    /// The provider, the STS and the console.
    pub sandbox: Sandbox,
    kind: Kind,
    fixtures: Fixtures,
    folder: Folder,
    variables: Vec<(OsString, OsString)>,
}

impl Scene {
    /// A machine with settings for a sandbox of this configuration, without the host program.
    pub async fn bare(kind: Kind, config: Config) -> Result<Self> {
        let fixtures = Fixtures::from_environment(kind)?;
        let folder = Folder::new()?;
        for name in ["home", "home/.config/rolecall", "run", "tmp", "profile"] {
            folder.private(name)?;
        }
        let sandbox = Sandbox::start(config).await.context("the sandbox does not start")?;
        let scene = Self { sandbox, kind, fixtures, folder, variables: Vec::new() };
        scene.folder.script("system-browser", SYSTEM_BROWSER)?;
        scene.write_settings(|_| {})?;
        Ok(scene)
    }

    /// A machine with the default sandbox and the host program installed.
    pub async fn installed(kind: Kind) -> Result<Self> {
        Self::installed_with(kind, Config::default()).await
    }

    /// A machine with a sandbox of this configuration and the host program installed.
    pub async fn installed_with(kind: Kind, config: Config) -> Result<Self> {
        let scene = Self::bare(kind, config).await?;
        scene.install_host().await?;
        Ok(scene)
    }

    /// Registers the host program with the scene's browser, as a person does.
    pub async fn install_host(&self) -> Result<()> {
        self.install_host_for(&self.browser_profile()).await
    }

    /// The folder of another profile, with the host program registered.
    pub async fn another_profile(&self) -> Result<PathBuf> {
        let profile = self.folder.private("another-profile")?;
        self.install_host_for(&profile).await?;
        Ok(profile)
    }

    async fn install_host_for(&self, profile: &Path) -> Result<()> {
        let mut install: Vec<OsString> =
            ["install", "--browser", self.kind.name()].map(OsString::from).into();
        if self.kind == Kind::Chromium {
            install.extend(["--user-data-dir".into(), profile.into()]);
        }
        self.terminal().rolecall(install).await?.succeeded()?;
        Ok(())
    }

    /// Removes the host program while the browser is running: its process and registration.
    pub fn remove_host(&self) -> Result<()> {
        fs::remove_file(self.host_manifest()).context("the host program was not registered")?;
        let hosts = self.hosts();
        ensure!(!hosts.is_empty(), "no host program is running");
        folder::end(&hosts);
        Ok(())
    }

    /// Kills the host processes that the browser has started, as a crash would.
    pub fn crash_host(&self) -> Result<()> {
        let hosts = self.hosts();
        ensure!(!hosts.is_empty(), "no host program is running");
        folder::end(&hosts);
        Ok(())
    }

    /// Stops the host processes that the browser has started, so that they hang.
    pub fn stop_host(&self) -> Result<()> {
        self.signal_host(Signal::STOP)
    }

    /// Lets them go on.
    pub fn continue_host(&self) -> Result<()> {
        self.signal_host(Signal::CONT)
    }

    fn signal_host(&self, signal: Signal) -> Result<()> {
        let hosts = self.hosts();
        ensure!(!hosts.is_empty(), "no host program is running");
        Ok(hosts.into_iter().try_for_each(|host| kill_process(host, signal))?)
    }

    /// Gives this machine a program of its own, which can be upgraded.
    pub fn own_program(&mut self) -> Result<()> {
        let program = self.path("rolecall");
        self.install_program(&program)?;
        self.fixtures.host = program;
        Ok(())
    }

    /// Puts another file in the program's place while it runs, as a package manager does.
    pub fn upgrade_program(&self) -> Result<()> {
        let new = self.path("rolecall.new");
        self.install_program(&new)?;
        fs::rename(&new, &self.fixtures.host).context("cannot replace the program")
    }

    /// Another process copies it: see [`Folder::script`].
    fn install_program(&self, path: &Path) -> Result<()> {
        let copied = Command::new("cp").arg(&self.fixtures.host).arg(path).status()?;
        ensure!(copied.success(), "cp did not write {}", path.display());
        Ok(())
    }

    /// Stops the browser and its host program, as when a computer is suspended, until `meanwhile` has ended.
    pub async fn suspended(&self, meanwhile: impl Future<Output = Result<()>>) -> Result<()> {
        let processes: Vec<Pid> = self.processes_of_browser().into_iter().chain(self.hosts()).collect();
        ensure!(!processes.is_empty(), "no browser is running");
        signal(&processes, Signal::STOP);
        let ended = meanwhile.await;
        signal(&processes, Signal::CONT);
        ended
    }

    /// Kills the browser, as the system does when memory runs out.
    pub fn crash_browser(&self) -> Result<()> {
        let processes = self.processes_of_browser();
        ensure!(!processes.is_empty(), "no browser is running");
        folder::end(&processes);
        Ok(())
    }

    fn processes_of_browser(&self) -> Vec<Pid> {
        let mut processes = folder::processes_of(self.folder.path());
        let spared = [&self.fixtures.host, &self.fixtures.driver].map(fs::canonicalize);
        processes.retain(|process| {
            let program = program_of(*process);
            !spared.iter().flatten().any(|spared| Some(spared) == program.as_ref())
        });
        processes
    }

    /// Waits until a program opens an address in the system's browser, which is a stub, and returns the address.
    pub async fn opened(&self) -> Result<String> {
        let file = self.path("opened");
        until("an address for the system's browser", async || {
            let Ok(address) = fs::read_to_string(&file) else { return Ok(None) };
            fs::remove_file(&file)?;
            Ok(Some(address))
        })
        .await
    }

    /// Registers a host program that only speaks the given version of the protocol.
    pub fn install_host_of_protocol(&self, protocol: u32) -> Result<()> {
        let python = Fixtures::python()?;
        let text = OTHER_HOST
            .replace("PYTHON", &python.to_string_lossy())
            .replace("PROTOCOL", &protocol.to_string());
        let script = self.folder.script("other-host", &text)?;
        let (callers, allowed) = self.kind.allowed_callers();
        let manifest = json!({
            "name": identity::HOST_NAME,
            "description": "A host program of another version",
            "path": script,
            "type": "stdio",
            callers: allowed,
        });
        let path = self.host_manifest();
        fs::create_dir_all(path.parent().unwrap_or(&path)).context("cannot create the manifests' folder")?;
        fs::write(&path, manifest.to_string()).context("cannot write the manifest")
    }

    /// Writes the machine's settings: the sandbox's own, with `edit` applied.
    pub fn write_settings(&self, edit: impl FnOnce(&mut Table)) -> Result<()> {
        let mut settings: Table = self.sandbox.settings_toml().parse().context("the sandbox's settings")?;
        // The AWS tools read the address of the sandbox's STS from the profile.
        for provider in entries(&mut settings, "provider") {
            provider.insert("endpoint_url".into(), self.sandbox.sts_endpoint().into());
        }
        edit(&mut settings);
        let path = self.settings_file();
        fs::write(&path, settings.to_string()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Writes the sandbox's settings as an organisation's policy.
    pub fn write_policy(&self) -> Result<()> {
        self.write_policy_with(|_| {})
    }

    /// Writes the sandbox's settings, with `edit` applied, as an organisation's policy. Firefox also reads policies
    /// from the user's folder.
    pub fn write_policy_with(&self, edit: impl FnOnce(&mut Table)) -> Result<()> {
        ensure!(self.kind == Kind::Firefox, "{} reads policies from the system's folder only", self.kind);
        let mut settings: Table = self.sandbox.settings_toml().parse().context("the sandbox's settings")?;
        edit(&mut settings);
        let policy = json!({
            "name": identity::FIREFOX_EXTENSION_ID,
            "description": "The organisation's settings",
            "type": "storage",
            "data": settings,
        });
        let folder = self.folder.private("home/.mozilla/managed-storage")?;
        let path = folder.join(format!("{}.json", identity::FIREFOX_EXTENSION_ID));
        fs::write(&path, policy.to_string()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// `~/.config/rolecall/config.toml`.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.path("home/.config/rolecall/config.toml")
    }

    /// `~/.aws`, which does not exist at first.
    #[must_use]
    pub fn aws_folder(&self) -> PathBuf {
        self.path("home/.aws")
    }

    /// `~/.aws/config`.
    #[must_use]
    pub fn aws_config(&self) -> PathBuf {
        self.path("home/.aws/config")
    }

    /// The folder of the browser's profile.
    #[must_use]
    pub fn browser_profile(&self) -> PathBuf {
        self.path("profile")
    }

    /// Variables for a command in any other terminal, so that it uses this scene's profiles and browser.
    #[must_use]
    pub fn variables(&self) -> String {
        let (config, run) = (self.aws_config(), self.path("run"));
        format!("AWS_CONFIG_FILE={} XDG_RUNTIME_DIR={}", config.display(), run.display())
    }

    /// A terminal on this machine.
    #[must_use]
    pub fn terminal(&self) -> Terminal {
        Terminal::new(self.environment(), self.fixtures.host.clone())
    }

    /// Starts the browser with the extension.
    pub async fn browser(&self) -> Result<Browser> {
        self.browser_with(Options::default()).await
    }

    /// Starts the browser with the extension, with `options`.
    pub async fn browser_with(&self, options: Options) -> Result<Browser> {
        Browser::start(self, options).await
    }

    /// A copy of the built extension with permission for the hosts in `pattern`: WebDriver cannot answer the browser's
    /// permission prompt. Only the manifest differs.
    pub fn extension_with_host(&self, pattern: &str) -> Result<PathBuf> {
        self.extension_with(|manifest| manifest["host_permissions"] = json!([pattern]))
    }

    /// The same with another permission.
    pub fn extension_with_permission(&self, permission: &str) -> Result<PathBuf> {
        self.extension_with(|manifest| {
            manifest["optional_permissions"] = json!([]);
            manifest["permissions"].as_array_mut().into_iter().for_each(|list| list.push(permission.into()));
        })
    }

    fn extension_with(&self, change: impl FnOnce(&mut serde_json::Value)) -> Result<PathBuf> {
        let copy = self.copy_of_extension()?;
        let path = copy.join("manifest.json");
        let text = fs::read_to_string(&path).context("the built extension has no manifest")?;
        let mut manifest: serde_json::Value =
            serde_json::from_str(&text).context("the manifest is not JSON")?;
        change(&mut manifest);
        fs::write(&path, manifest.to_string()).context("cannot write the manifest")?;
        Ok(copy)
    }

    /// A copy of the built extension.
    pub fn copy_of_extension(&self) -> Result<PathBuf> {
        let copy = self.folder.path().join("extension");
        copy_folder(&self.fixtures.extension, &copy)?;
        Ok(copy)
    }

    /// Sets a variable for everything that starts from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.into(), value.into()));
    }

    /// Watches the command lines and environments of this machine's processes.
    #[must_use]
    pub fn watch(&self) -> Watch {
        Watch::start(self.folder.path().to_owned())
    }

    /// A search for every secret that the sandbox has issued or received so far.
    #[must_use]
    pub fn canaries(&self) -> Canaries {
        Canaries::new(&self.sandbox.secrets())
    }

    /// The files of this machine that contain a secret, by their path on it.
    pub fn files_with_secrets(&self) -> Result<Found> {
        self.canaries().files(self.folder.path())
    }

    /// Waits until the host program of the browser has ended.
    pub async fn host_has_ended(&self) -> Result<()> {
        until("the host program to end", async || Ok(self.hosts().is_empty().then_some(()))).await
    }

    /// The kind of browser.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn fixtures(&self) -> &Fixtures {
        &self.fixtures
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The environment of programs in this scene: nothing that leads to the tester's own files, or out of this machine.
    pub(crate) fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut environment: Vec<(OsString, OsString)> = std::env::vars_os()
            .filter(|(name, _)| {
                name.to_str().is_some_and(|name| KEPT.contains(&name) || name.starts_with("LC_"))
            })
            .collect();
        // A relative display is a path in the runtime folder, which changes.
        let display = std::env::var_os("WAYLAND_DISPLAY").map(PathBuf::from);
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        if let (Some(display), Some(runtime)) = (display, runtime) {
            environment.push(("WAYLAND_DISPLAY".into(), runtime.join(display).into()));
        }
        for (name, folder) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_RUNTIME_DIR", "run"),
            ("TMPDIR", "tmp"),
        ] {
            environment.push((name.into(), self.path(folder).into()));
        }
        environment.push(("AWS_EC2_METADATA_DISABLED".into(), "true".into()));
        environment.push(("BROWSER".into(), self.path("system-browser").into()));
        environment.extend(self.variables.iter().cloned());
        environment
    }

    fn host_manifest(&self) -> PathBuf {
        let folder = self.kind.host_manifests(&self.path("home"), &self.browser_profile());
        folder.join(format!("{}.json", identity::HOST_NAME))
    }

    fn hosts(&self) -> Vec<Pid> {
        let mut processes = folder::processes_of(self.folder.path());
        // Commands in a terminal run the same program, but not for an extension.
        processes.retain(|process| {
            let line = fs::read(format!("/proc/{}/cmdline", process.as_raw_nonzero())).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            program_of(*process).as_ref() == Some(&self.fixtures.host)
                && [identity::CHROMIUM_EXTENSION_ID, identity::FIREFOX_EXTENSION_ID]
                    .iter()
                    .any(|id| line.contains(id))
        });
        processes
    }
}

fn signal(processes: &[Pid], signal: Signal) {
    for process in processes {
        // Some helpers of a browser come and go.
        let _ = kill_process(*process, signal);
    }
}

/// The path of a process's program.
fn program_of(process: Pid) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{}/exe", process.as_raw_nonzero())).ok()
}

/// The entries of an array of tables in a settings document.
pub fn entries<'a>(settings: &'a mut Table, name: &str) -> impl Iterator<Item = &'a mut Table> {
    let entries = settings.get_mut(name).and_then(Value::as_array_mut);
    entries.into_iter().flatten().filter_map(Value::as_table_mut)
}

/// Copies a folder with its folders and files, but without links.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target).with_context(|| format!("cannot copy {}", target.display()))?;
        }
    }
    Ok(())
}

/// The variables that programs need from the outer environment.
const KEPT: [&str; 6] = ["PATH", "LANG", "TERM", "DISPLAY", "XAUTHORITY", "NO_COLOR"];

/// The system's browser: it writes the complete address to a file, once the previous one was read.
const SYSTEM_BROWSER: &str = r#"#!/bin/sh
cd "$(dirname "$0")" && printf '%s' "$1" > "opening-$$"
until ln "opening-$$" opened 2>/dev/null; do sleep 0.02; done
rm "opening-$$"
"#;

/// A native messaging host that responds to every `hello` and to nothing else.
const OTHER_HOST: &str = r#"#!PYTHON
import json, struct, sys

while head := sys.stdin.buffer.read(4):
    message = json.loads(sys.stdin.buffer.read(struct.unpack("=I", head)[0]))
    hello = {"protocol": {"min": PROTOCOL, "max": PROTOCOL}, "version": "9.9.9"}
    answer = {"response": {"id": message["request"]["id"], "result": {"ok": {"hello": hello}}}}
    frame = json.dumps(answer).encode()
    sys.stdout.buffer.write(struct.pack("=I", len(frame)) + frame)
    sys.stdout.buffer.flush()
"#;
