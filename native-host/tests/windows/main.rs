//! The program as Windows runs it, from a folder with a space in its name: a sign-in against the sandbox, a profile, and
//! the profile's command line as the SDKs start it.

#![cfg(windows)]
// A test that cannot go on has failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::windows::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rolecall_core::identity::CHROMIUM_EXTENSION_ID;
use rolecall_core::message::frame;
use rolecall_core::message::host::{
    HostRequest, Outcome, ProtocolRange, StatusPage, ToHost, ToWorker, WorkerRequest, WorkerResponse,
};
use rolecall_sandbox::{CallKind, Config, Sandbox};

const DEVELOPER: &str = "arn:aws:iam::111111111111:role/developer";

/// A user's folders, and the program in one whose name has a space.
struct Machine {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = folder.path().join("Program Files");
        fs::create_dir(&installed).unwrap();
        let program = installed.join("rolecall.exe");
        fs::copy(env!("CARGO_BIN_EXE_rolecall"), &program).unwrap();
        Self { folder, program }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// What every command here has around it.
    fn around(&self, mut command: Command) -> Command {
        command
            .env_clear()
            .envs(
                ["SystemRoot", "SystemDrive", "PATH"]
                    .map(|name| (name, std::env::var_os(name).unwrap_or_default())),
            )
            .env("USERPROFILE", self.folder.path())
            .env("APPDATA", self.path("Roaming"))
            .env("LOCALAPPDATA", self.path("Local"))
            .env("ProgramData", self.path("ProgramData"))
            .env("TEMP", self.folder.path())
            .env("TMP", self.folder.path())
            .stdin(Stdio::null());
        command
    }

    fn rolecall(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments);
        self.around(command)
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        told(self.rolecall(arguments).output().unwrap())
    }
}

fn told(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Signs in without the extension, as a person would in a browser elsewhere; the settings' cache keeps the credentials.
fn sign_in(machine: &Machine, sandbox: &Sandbox) {
    let mut child = machine
        .rolecall(&["login", "developer", "--no-browser"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.trim_start().starts_with("http://") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no address was shown");
    }
    let config = ureq::Agent::config_builder().max_redirects(0).max_redirects_will_error(false);
    let browser: ureq::Agent = config.proxy(None).build().into();
    let form = browser.get(line.trim()).call().unwrap().body_mut().read_to_string().unwrap();
    let id = form.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let sent = browser
        .post(format!("{}/sign-in", sandbox.issuer()))
        .header("content-type", "application/x-www-form-urlencoded")
        .send(format!("request={id}&user=alice-0001"))
        .unwrap();
    let back = sent.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(browser.get(&back).call().unwrap().status(), 200);
    assert!(child.wait().unwrap().success());
}

/// The value of a key in a file of the AWS tools.
fn value(file: &Path, key: &str) -> String {
    let text = fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('=')).unwrap();
    line.trim().to_owned()
}

#[test]
fn a_profile_written_from_a_folder_with_a_space_works_for_every_way_in_which_sdks_start_it() {
    let mut config = Config::default();
    config.provider.clients[0].redirect_uris = vec!["http://localhost:*/redirect_uri".to_owned()];
    let sandbox = Sandbox::start_in_thread(config).unwrap();
    let machine = Machine::new();
    let settings =
        format!("{}\n[loopback]\nports = [0]\n[host]\ncache = \"file\"\n", sandbox.settings_toml());
    machine.write(r"Roaming\rolecall\config.toml", &settings);
    sign_in(&machine, &sandbox);

    let (code, _, stderr) = machine.run(&["profile", "write", "dev", "--role-arn", DEVELOPER]);
    assert_eq!(code, Some(0), "{stderr}");
    let line = value(&machine.path(r".aws\config"), "credential_process");
    assert!(!line.contains('"'), "{line}");
    assert!(
        line.ends_with(&format!(
            "rolecall.exe credential-process --profile dev --provider sandbox --role-arn {DEVELOPER}"
        )),
        "{line}"
    );

    // Go and Rust quote the whole line as one argument; JavaScript and Java hand it over as it is; botocore splits it.
    let mut go = Command::new("cmd.exe");
    go.args(["/C", &line]);
    let mut javascript = Command::new("cmd.exe");
    javascript.raw_arg(format!(r#"/D /S /C "{line}""#));
    let mut words = line.split(' ');
    let mut botocore = Command::new(words.next().unwrap());
    botocore.args(words);
    for command in [go, javascript, botocore] {
        let (code, stdout, stderr) = told(machine.around(command).output().unwrap());
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stdout.starts_with(r#"{"Version":1,"AccessKeyId":"#), "{stdout}");
    }
    assert_eq!(sandbox.count(CallKind::AssumeRole), 1, "the credentials are the cached ones");
}

#[test]
fn the_doctor_names_a_profile_whose_line_has_quotes_and_the_command_that_fixes_it() {
    let machine = Machine::new();
    let program = machine.program.display();
    let line = format!("\"{program}\" credential-process --profile dev --role-arn {DEVELOPER}");
    machine.write(
        r".aws\config",
        &format!(
            "[profile dev]\n# Managed by Rolecall as dev: credential_process\ncredential_process = {line}\n"
        ),
    );
    let (_, stdout, _) = machine.run(&["doctor"]);
    assert!(stdout.contains("warn  Profile dev: there are quotes in its credential_process"), "{stdout}");
    assert!(stdout.contains(&format!("rolecall profile write dev --role-arn {DEVELOPER}")), "{stdout}");
    let (code, _, stderr) = machine.run(&["profile", "write", "dev", "--role-arn", DEVELOPER]);
    assert_eq!(code, Some(0), "{stderr}");
    // A backup was made of what was there, and is named as a person would.
    assert!(stderr.contains(r"The previous version is in ~\.aws\config.rolecall-backup-"), "{stderr}");
    let (_, stdout, _) = machine.run(&["doctor"]);
    assert!(!stdout.contains("quotes"), "{stdout}");
}

#[test]
fn a_browser_is_told_of_the_program_through_the_registry_and_the_program_answers() {
    let machine = Machine::new();
    let (code, stdout, stderr) = machine.run(&["install", "--browser", "chrome-beta"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(
        stdout.contains(
            r"Google Chrome Beta: wrote ~\Local\rolecall\chrome-beta\NativeMessagingHosts\dev.rolecall.host.json"
        ),
        "{stdout}"
    );
    let (_, stdout, _) = machine.run(&["doctor"]);
    assert!(
        stdout.contains("ok    Google Chrome Beta: the host program is installed and answers."),
        "{stdout}"
    );
    let (code, _, stderr) = machine.run(&["uninstall", "--browser", "chrome-beta"]);
    assert_eq!(code, Some(0), "{stderr}");
}

#[test]
fn a_terminal_reaches_the_browser_through_the_host_and_its_pipe() {
    let machine = Machine::new();
    let mut host = machine
        .rolecall(&[&format!("chrome-extension://{CHROMIUM_EXTENSION_ID}/"), "--parent-window=0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut to_host, mut from_host) = (host.stdin.take().unwrap(), host.stdout.take().unwrap());
    let body = HostRequest::Hello { protocol: ProtocolRange::CURRENT, version: "9.9.9".to_owned() };
    frame::write(&mut to_host, &ToHost::Request { id: 1, body }).unwrap();
    assert!(matches!(
        frame::read(&mut from_host).unwrap(),
        Some(ToWorker::Response { id: 1, result: Outcome::Ok(_) })
    ));
    let status = machine.rolecall(&["status", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let Some(ToWorker::Request { id, body: WorkerRequest::Status(_) }) = frame::read(&mut from_host).unwrap()
    else {
        panic!("the status was not asked for");
    };
    let response = WorkerResponse::Status(StatusPage::default());
    frame::write(&mut to_host, &ToHost::Response { id, result: Outcome::Ok(response) }).unwrap();
    let (code, stdout, _) = told(status.wait_with_output().unwrap());
    assert_eq!(code, Some(0), "{stdout}");
    assert!(stdout.contains(env!("CARGO_PKG_VERSION")), "{stdout}");
    drop(to_host);
    assert!(host.wait().unwrap().success());
    let left: Vec<_> = fs::read_dir(machine.path(r"Local\rolecall\run")).unwrap().flatten().collect();
    let is_socket =
        |entry: &fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "sock");
    assert!(!left.iter().any(is_socket), "the host left its name behind: {left:?}");
}
