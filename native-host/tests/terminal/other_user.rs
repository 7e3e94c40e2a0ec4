//! Another user of this computer. Root may become one; without root, these tests only compile.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use rolecall_core::message::agent::AgentRequest;
use rolecall_core::message::frame;
use rolecall_core::message::host::{CredentialsRequest, ProtocolRange, WorkerRequest, WorkerResponse};

use crate::browser::{Browser, credentials, role};
use crate::cache;
use crate::loopback::{self, DEVELOPER};
use crate::machine::{Machine, Ran};

const NOBODY: u32 = 65534;

/// Runs a Perl script as the user with this id, with standard input.
fn perl(user: u32, script: &str, argument: &Path, input: &[u8]) -> Ran {
    let mut command = Command::new("perl");
    command.args(["-MIO::Socket::UNIX", "-e", script]).arg(argument).uid(user).gid(user).current_dir("/");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A script that was refused reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

fn read(user: u32, path: &Path) -> Ran {
    perl(user, "open(my $file, '<', $ARGV[0]) or die \"refused: $!\\n\"; print while <$file>", path, b"")
}

fn list(user: u32, path: &Path) -> Ran {
    perl(user, "opendir(my $folder, $ARGV[0]) or die \"refused: $!\\n\"; print readdir $folder", path, b"")
}

/// Asks the agent at a socket for a role's credentials.
fn ask(user: u32, socket: &Path, provider: &str) -> Ran {
    let mut role = role(DEVELOPER);
    role.provider = provider.parse().unwrap();
    let body = WorkerRequest::Credentials(CredentialsRequest {
        role,
        time_left_seconds: 900,
        interactive: false,
        asked_by: None,
    });
    let mut request = Vec::new();
    let protocol = ProtocolRange::CURRENT;
    frame::write(&mut request, &AgentRequest { protocol, outlives_asker: false, body }).unwrap();
    let script = "my $agent = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die \"refused: $!\\n\";
        local $/; print $agent <STDIN>; $agent->flush; print while <$agent>";
    perl(user, script, socket, &request)
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn refused(ran: &Ran) {
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "refused: Permission denied\n"));
}

/// Lets other users in wherever the program's own folders do not keep them out.
fn open_home(machine: &Machine) {
    let home = machine.home();
    let above = home.parent().unwrap();
    let folders = [".cache", ".config", ".local", ".local/state"].map(|name| home.join(name));
    for folder in [above, &above.join("run"), &home].into_iter().chain(folders.iter().map(PathBuf::as_path)) {
        if folder.exists() {
            open_to_all(folder);
        }
    }
}

#[test]
fn another_user_reaches_neither_the_agent_nor_what_is_on_disk() {
    if !is_root() {
        return;
    }
    let (_sandbox, machine) = cache::world("file");
    let (ran, told) = cache::sign_in(&machine, &["login", "developer", "--no-browser"]);
    assert_eq!(ran.code, Some(0), "{told}");
    let _browser = Browser::open(&machine);
    let (mut child, _address, _stderr) = loopback::start(&machine, &["env", "readonly", "--no-browser"]);
    open_home(&machine);

    let sockets = machine.sockets();
    let names: Vec<_> = sockets.iter().map(|path| path.file_name().unwrap().to_string_lossy()).collect();
    assert!(names.iter().any(|name| name.starts_with("agent-")), "{names:?}");
    assert!(names.iter().any(|name| name.starts_with("login-")), "{names:?}");
    let folder = sockets[0].parent().unwrap();
    assert_ne!(list(0, folder).stdout, "");
    refused(&list(NOBODY, folder));
    for socket in &sockets {
        refused(&ask(NOBODY, socket, "sandbox"));
    }
    let home = machine.home();
    for file in [".cache/rolecall/credentials.json", ".local/state/rolecall/settings-user.toml"] {
        assert_ne!(read(0, &home.join(file)).stdout, "", "{file} is there");
        refused(&read(NOBODY, &home.join(file)));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn another_user_is_refused_by_the_agent_even_where_the_folder_lets_them_in() {
    if !is_root() {
        return;
    }
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    open_home(&machine);
    let socket = machine.sockets().remove(0);
    open_to_all(socket.parent().unwrap());
    open_to_all(&socket);

    let ran = ask(NOBODY, &socket, "corp");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""), "it could connect, and got no answer");
    assert!(browser.question_now().is_none());
    // The same request of the same user is answered.
    let answered = thread::scope(|scope| {
        let answered = scope.spawn(|| ask(0, &socket, "corp"));
        let (id, _) = browser.question();
        browser.answer(id, Ok(WorkerResponse::Credentials { credentials: credentials(60), keep: true }));
        answered.join().unwrap()
    });
    assert!(answered.stdout.contains("ASIAEXAMPLE"), "{answered:?}");
    assert_eq!(ask(NOBODY, &socket, "corp").stdout, "", "not even from memory");
}

#[test]
fn another_user_is_refused_by_a_command_that_signs_in() {
    if !is_root() {
        return;
    }
    let (_sandbox, machine) = loopback::world();
    let (mut child, _address, _stderr) = loopback::start(&machine, &["env", "developer", "--no-browser"]);
    open_home(&machine);
    let socket = machine.sockets().remove(0);
    open_to_all(socket.parent().unwrap());
    open_to_all(&socket);
    let ran = ask(NOBODY, &socket, "sandbox");
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    assert_ne!(ask(0, &socket, "unknown").stdout, "", "the same user gets an answer");
    child.kill().unwrap();
    child.wait().unwrap();
}
