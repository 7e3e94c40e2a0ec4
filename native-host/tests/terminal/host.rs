//! The host and the browser's port.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rolecall_core::identity::FIREFOX_EXTENSION_ID;
use rolecall_core::message::host::{
    HostRequest, HostResponse, HttpFailure, HttpFailureKind, HttpRelayRequest, ProfileSpec, ProtocolRange,
    RoleSelection,
};
use rolecall_core::platform::MAX_RESPONSE_BYTES;
use rolecall_core::settings::{CredentialsMode, Fault, Lost};
use rolecall_core::{Code, Problem};

use crate::browser::{Browser, credentials, role};
use crate::machine::{Machine, program};

const SETTINGS: &str = r#"
[[provider]]
id = "corp"
well_known_url = "https://idp.example/.well-known/openid-configuration"
client_id = "abc"
"#;

fn settings(browser: &mut Browser) -> (Vec<String>, Vec<Fault>) {
    let answer = browser.hello(ProtocolRange::CURRENT);
    let Ok(HostResponse::Hello { protocol, version }) = answer else { panic!("{answer:?}") };
    assert_eq!(protocol, ProtocolRange::CURRENT);
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
    let settings = browser.settings();
    (settings.part.provider.iter().map(|provider| provider.id.to_string()).collect(), settings.faults)
}

const OWN: &str = "chrome-extension://ganjefdifpdbcgkcmbniolbdkacieled/";

#[test]
fn a_greeting_is_answered_with_version_and_settings() {
    let machine = Machine::new();
    machine.write(".config/rolecall/config.toml", SETTINGS);
    let mut browser = Browser::start(&machine, OWN);
    assert!(machine.sockets().is_empty(), "nobody is served before the greeting");
    let (providers, faults) = settings(&mut browser);
    assert_eq!(providers, ["corp"]);
    assert_eq!(faults, []);
    assert_eq!(machine.sockets().len(), 1);
}

#[test]
fn bad_entries_are_told_with_file_and_line_and_mended_without_a_restart() {
    let machine = Machine::new();
    let bad = format!("[[provider]]\nid = 7\n{SETTINGS}[[account]]\nid = \"123456789012\"\nalias = 7\n");
    let path = machine.write(".config/rolecall/config.toml", &bad);
    let mut browser = Browser::start(&machine, OWN);
    let (providers, faults) = settings(&mut browser);
    assert_eq!(providers, ["corp"]);
    let [provider, account] = &faults[..] else { panic!("{faults:#?}") };
    assert!(provider.problem.is(Code::SettingsInvalid));
    let place = format!("{}: line 2: [[provider]] number 1 cannot be used: id: ", path.display());
    assert!(provider.problem.message.starts_with(&place), "{}", provider.problem);
    assert_eq!(provider.lost, Some(Lost::Provider { id: None, well_known_url: None, client_id: None }));
    assert!(
        account.problem.message.contains("line 10: the account 123456789012 cannot"),
        "{}",
        account.problem
    );
    machine.write(".config/rolecall/config.toml", SETTINGS);
    assert_eq!(settings(&mut browser), (vec!["corp".to_owned()], vec![]));
}

#[test]
fn settings_have_another_revision_once_a_file_says_something_else() {
    let machine = Machine::new();
    machine.write(".config/rolecall/config.toml", SETTINGS);
    let mut browser = Browser::open(&machine);
    let mut revision = || match browser.ask(HostRequest::SettingsRevision) {
        Ok(HostResponse::SettingsRevision(revision)) => revision,
        other => panic!("{other:?}"),
    };
    let first = revision();
    machine.write(".config/rolecall/config.toml", SETTINGS);
    assert_eq!(revision(), first, "the same was written again");
    machine.write(".config/rolecall/config.toml", &SETTINGS.replace("abc", "xyz"));
    let second = revision();
    assert_ne!(second, first);
    std::fs::remove_file(machine.home().join(".config/rolecall/config.toml")).unwrap();
    let third = revision();
    assert_ne!(third, second);
    assert_eq!(revision(), third);
    assert_eq!(browser.settings().part.provider, []);
}

#[test]
fn a_file_that_is_no_toml_leaves_the_browser_the_settings_of_before() {
    let machine = Machine::new();
    machine.write(".config/rolecall/config.toml", "[[provider]\n");
    let mut browser = Browser::start(&machine, OWN);
    let (providers, faults) = settings(&mut browser);
    assert_eq!((providers.len(), faults[0].lost.as_ref()), (0, Some(&Lost::Document)));
    machine.write(".config/rolecall/config.toml", SETTINGS);
    settings(&mut browser);
    machine.write(".config/rolecall/config.toml", "[[provider]\n");
    drop(browser);
    let mut browser = Browser::start(&machine, OWN);
    let (providers, faults) = settings(&mut browser);
    assert_eq!(providers, ["corp"]);
    let [fault] = &faults[..] else { panic!("{faults:#?}") };
    assert_eq!(fault.lost, None);
    let told = &fault.problem.message;
    assert!(told.contains("line 1: this is not TOML") && told.ends_with("stay in use."), "{told}");
    std::fs::remove_file(machine.home().join(".config/rolecall/config.toml")).unwrap();
    assert_eq!(settings(&mut browser), (vec![], vec![]));
}

#[test]
fn versions_that_do_not_fit_are_told_and_nothing_else_is_answered() {
    for range in [ProtocolRange { min: 2, max: 9 }, ProtocolRange { min: 0, max: 0 }] {
        let machine = Machine::new();
        let mut browser = Browser::start(&machine, OWN);
        assert!(browser.hello(range).unwrap_err().is(Code::HostVersion));
        let problem = browser.ask(HostRequest::Forget(RoleSelection::All)).unwrap_err();
        assert!(problem.is(Code::HostProtocol), "{problem}");
        assert!(machine.sockets().is_empty());
    }
}

#[test]
fn a_question_of_a_newer_extension_is_answered_with_its_id() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    browser.send_bytes(br#"{"request":{"id":77,"body":{"juggle":3}}}"#);
    assert!(browser.answer_to(77).unwrap_err().is(Code::HostProtocol));
}

#[test]
fn ten_thousand_roles_reach_the_extension_in_pages() {
    let machine = Machine::new();
    let role = |number: u32| {
        format!(
            "[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::{number:012}:role/developer-{number}\"\n"
        )
    };
    let text: String = (0..10_000).map(role).collect();
    machine.write(".config/rolecall/config.toml", &format!("{SETTINGS}{text}"));
    let mut browser = Browser::open(&machine);
    let settings = browser.settings();
    assert_eq!((settings.part.role.len(), settings.faults.len()), (10_000, 0));
}

#[test]
fn a_frame_that_is_too_large_or_no_message_does_not_end_the_port() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    browser.send_bytes(&vec![b' '; 1024 * 1024 + 1]);
    browser.send_bytes(b"nonsense");
    let forgotten = browser.ask(HostRequest::Forget(RoleSelection::All));
    assert!(matches!(forgotten, Ok(HostResponse::Done)), "{forgotten:?}");
}

#[test]
fn another_extension_is_refused_with_the_reason_unless_the_settings_allow_it() {
    let machine = Machine::new();
    let other = "chrome-extension://abcdefghijklmnopabcdefghijklmnop/";
    let mut browser = Browser::start(&machine, other);
    assert!(browser.hello(ProtocolRange::CURRENT).unwrap_err().is(Code::CallerRefused));
    assert_eq!(browser.host.wait().unwrap().code(), Some(1));
    let allow = "[host]\nallowed_extensions = [\"abcdefghijklmnopabcdefghijklmnop\"]\n";
    machine.write(".config/rolecall/config.toml", allow);
    let mut browser = Browser::start(&machine, other);
    assert!(browser.hello(ProtocolRange::CURRENT).is_ok());
}

#[test]
fn firefox_is_recognised_by_manifest_and_id() {
    let machine = Machine::new();
    let manifest = "/home/p/.mozilla/native-messaging-hosts/dev.rolecall.host.json";
    for (id, code) in [(FIREFOX_EXTENSION_ID, Some(0)), ("somebody@else.example", Some(1))] {
        assert_eq!(machine.command(&[manifest, id]).output().unwrap().status.code(), code);
    }
}

#[test]
fn the_end_of_the_port_ends_the_host_and_its_socket() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    assert_eq!(browser.close().code(), Some(0));
    assert!(machine.sockets().is_empty());
}

#[test]
fn a_signal_ends_the_host_and_its_socket() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let process = rustix::process::Pid::from_child(&browser.host);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert_eq!(browser.host.wait().unwrap().code(), Some(0));
    assert!(machine.sockets().is_empty());
}

fn profile(mode: CredentialsMode) -> HostRequest {
    HostRequest::WriteProfile(Box::new(ProfileSpec {
        profile: "example-dev".parse().unwrap(),
        role: role("arn:aws:iam::123456789012:role/developer"),
        region: "eu-west-1".parse().unwrap(),
        mode,
        endpoint_url: Some("http://127.0.0.1:9/x".parse().unwrap()),
        credentials: Some(credentials(60)),
    }))
}

#[test]
fn a_profile_of_a_process_names_this_program_and_the_role_and_no_secret() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    for expected in [true, false] {
        let answer = browser.ask(profile(CredentialsMode::Process)).unwrap();
        let HostResponse::ProfileWritten { profile, file, changed } = answer else { panic!("{answer:?}") };
        assert_eq!((profile.as_str(), file.as_str(), changed), ("example-dev", "~/.aws/config", expected));
    }
    let config = machine.read(".aws/config");
    let line = format!(
        "credential_process = {} credential-process --profile example-dev --provider corp --role-arn arn:aws:iam::123456789012:role/developer\n",
        program().display()
    );
    assert!(config.contains("[profile example-dev]\n"), "{config}");
    assert!(config.contains(&line), "{config}");
    assert!(
        config.contains("region = eu-west-1\n") && config.contains("endpoint_url = http://127.0.0.1:9/x\n"),
        "{config}"
    );
    assert!(!config.contains("very/secret+key"));
    assert_eq!(machine.read(".aws/credentials"), "");
    // What came along is served from memory.
    let ran = machine.run(&["credential-process", "--profile", "example-dev"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("very/secret+key"));
    assert!(matches!(browser.ask(HostRequest::Forget(RoleSelection::All)), Ok(HostResponse::Done)));
    assert_eq!(machine.command(&["profile", "list"]).output().unwrap().status.code(), Some(0));
}

#[test]
fn a_profile_of_keys_is_written_where_old_tools_look() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let answer = browser.ask(profile(CredentialsMode::File)).unwrap();
    assert!(matches!(answer, HostResponse::ProfileWritten { file, .. } if file == "~/.aws/credentials"));
    let written = machine.read(".aws/credentials");
    assert!(written.contains("[example-dev]\n"), "{written}");
    assert!(written.contains("aws_secret_access_key = very/secret+key\n"), "{written}");
    let problem = browser.ask(profile(CredentialsMode::None)).unwrap_err();
    assert!(problem.is(Code::ProfileInvalid), "{problem}");
}

#[test]
fn a_profile_is_removed_for_its_own_role_and_stays_for_another() {
    let machine = Machine::new();
    machine.write(".aws/config", "[profile mine]\nregion = eu-west-1\n");
    let mut browser = Browser::open(&machine);
    let remove = |browser: &mut Browser, profile: &str, name: &str| {
        let role = role(&format!("arn:aws:iam::123456789012:role/{name}"));
        match browser.ask(HostRequest::RemoveProfile { profile: profile.parse().unwrap(), role }) {
            Ok(HostResponse::ProfileRemoved { removed }) => removed,
            other => panic!("{other:?}"),
        }
    };
    browser.ask(profile(CredentialsMode::Process)).unwrap();
    let written = machine.read(".aws/config");
    assert!(!remove(&mut browser, "example-dev", "admin"), "it is another role's");
    assert!(!remove(&mut browser, "mine", "developer"), "somebody else wrote it");
    assert_eq!(machine.read(".aws/config"), written);
    assert!(remove(&mut browser, "example-dev", "developer"));
    assert_eq!(machine.read(".aws/config"), "[profile mine]\nregion = eu-west-1\n");
    assert!(!remove(&mut browser, "example-dev", "developer"));
    browser.ask(profile(CredentialsMode::File)).unwrap();
    assert!(remove(&mut browser, "example-dev", "developer"));
    assert!(!machine.read(".aws/credentials").contains("very/secret+key"));
}

#[test]
fn a_request_the_browser_would_spoil_is_sent_without_its_headers() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/token", server.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut sent = Vec::new();
        let mut byte = [0];
        while !sent.ends_with(b"code=secret") {
            stream.read_exact(&mut byte).unwrap();
            sent.push(byte[0]);
        }
        let answer = b"HTTP/1.1 400 Bad Request\r\nx-a: b\r\nretry-after: 7\r\nset-cookie: a=b\r\n\
                       content-length: 5\r\n\r\nhell\xff";
        stream.write_all(answer).unwrap();
        String::from_utf8(sent).unwrap().to_lowercase()
    });
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let answer = browser.ask(HostRequest::SendHttp(HttpRelayRequest {
        method: "POST".into(),
        url: url.parse().unwrap(),
        signature: Vec::new(),
        headers: vec![header("content-type", "application/x-www-form-urlencoded")],
        body: "code=secret".to_owned().into(),
        public_only: false,
    }));
    let Ok(HostResponse::Http(response)) = answer else { panic!("{answer:?}") };
    assert_eq!((response.status, response.body.expose_secret()), (400, &b"hell\xff"[..]));
    assert_eq!(response.headers, [header("retry-after", "7")]);
    let sent = server.join().unwrap();
    assert!(sent.contains("content-type: application/x-www-form-urlencoded"), "{sent}");
    assert!(!sent.contains("origin") && !sent.contains("cookie"), "{sent}");
}

#[test]
fn nothing_but_the_requests_of_a_sign_in_is_sent() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (method, header, body) in [
        ("GET", ("accept", "*/*"), "a body"),
        ("POST", ("content-type", "application/json"), "{}"),
        ("PUT", form, "a=b"),
        ("GET", ("x-aws-ec2-metadata-token-ttl-seconds", "21600"), ""),
        ("GET", ("authorization", "Bearer x"), ""),
        ("GET", ("origin", "https://intranet.example"), ""),
        ("GET", ("cookie", "a=b"), ""),
        ("GET", ("host", "metadata.google.internal"), ""),
    ] {
        let problem = browser.ask(HostRequest::SendHttp(HttpRelayRequest {
            method: method.into(),
            url: format!("http://{address}/").parse().unwrap(),
            signature: Vec::new(),
            headers: vec![(header.0.to_owned(), header.1.to_owned())],
            body: body.to_owned().into(),
            public_only: false,
        }));
        assert!(problem.unwrap_err().is(Code::HostProtocol), "{method} {header:?}");
    }
    for (method, header, value) in [
        ("POST", "authorization", "Bearer x"),
        ("POST", "cookie", "a=b"),
        ("GET", "authorization", "AWS4-HMAC-SHA256 Credential=x"),
    ] {
        let headers =
            if method == "POST" { vec![(form.0.to_owned(), form.1.to_owned())] } else { Vec::new() };
        let problem = browser.ask(HostRequest::SendHttp(HttpRelayRequest {
            method: method.into(),
            url: format!("http://{address}/").parse().unwrap(),
            signature: vec![(header.to_owned(), value.to_owned().into())],
            headers,
            body: if method == "POST" { "a=b".to_owned() } else { String::new() }.into(),
            public_only: false,
        }));
        assert!(problem.unwrap_err().is(Code::HostProtocol), "{method} signed with {header}: {value}");
    }
    let answer = browser.ask(HostRequest::SendHttp(HttpRelayRequest {
        method: "GET".into(),
        url: format!("http://{address}/").parse().unwrap(),
        signature: Vec::new(),
        headers: vec![],
        body: String::new().into(),
        public_only: true,
    }));
    let private = HttpFailureKind::PrivateNetwork;
    assert!(
        matches!(&answer, Ok(HostResponse::HttpFailed(failure)) if failure.kind == private),
        "{answer:?}"
    );
    assert!(listener.accept().is_err(), "somebody connected");
}

/// Relays one request to a server that answers with this body.
fn relay(browser: &mut Browser, body: Vec<u8>) -> Result<HostResponse, Problem> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        // Whoever asked may have had enough before the end.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    });
    let answer = browser.ask(HostRequest::SendHttp(HttpRelayRequest {
        method: "GET".into(),
        url: url.parse().unwrap(),
        signature: Vec::new(),
        headers: vec![],
        body: String::new().into(),
        public_only: false,
    }));
    server.join().unwrap();
    answer
}

#[test]
fn an_answer_that_is_not_text_arrives_byte_by_byte() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let body: Vec<u8> = (0..=255).collect();
    let Ok(HostResponse::Http(response)) = relay(&mut browser, body.clone()) else { panic!("no answer") };
    assert_eq!(response.body.expose_secret(), &body[..]);
}

#[test]
fn the_largest_answer_that_is_read_arrives_and_a_larger_one_is_an_error_that_the_port_survives() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let answer = relay(&mut browser, vec![b'x'; MAX_RESPONSE_BYTES + 1]);
    assert!(
        matches!(answer, Ok(HostResponse::HttpFailed(HttpFailure { kind: HttpFailureKind::TooLarge, .. }))),
        "{answer:?}"
    );
    let answer = relay(&mut browser, vec![b'x'; MAX_RESPONSE_BYTES]);
    assert!(
        matches!(answer, Ok(HostResponse::Http(response)) if response.body.expose_secret().len() == MAX_RESPONSE_BYTES)
    );
}

#[test]
fn a_page_is_told_nothing_that_only_a_terminal_can_do() {
    let machine = Machine::new();
    machine.write(".aws/config", "[profile example-dev]\nsso_session = corp\n");
    let mut browser = Browser::open(&machine);
    let problem = browser.ask(profile(CredentialsMode::Process)).unwrap_err();
    assert!(problem.is(Code::AwsFilesProfileConflict), "{problem:?}");
    assert!(!problem.next_line().contains("--force"), "{problem:?}");
    let ran =
        machine.run(&["profile", "write", "example-dev", "--role-arn", "arn:aws:iam::123456789012:role/x"]);
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
}

#[cfg(target_os = "linux")]
#[test]
fn its_memory_is_not_written_to_disk_when_it_crashes() {
    let browser = Browser::open(&Machine::new());
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", browser.host.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let soft = core.split_whitespace().nth(4).unwrap();
    assert!(["0", "1"].contains(&soft), "{core}");
}

#[test]
fn a_server_that_is_not_there_is_told_with_the_systems_words() {
    let machine = Machine::new();
    let mut browser = Browser::open(&machine);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let question = |method: &str| {
        HostRequest::SendHttp(HttpRelayRequest {
            method: method.into(),
            url: format!("http://127.0.0.1:{port}/").parse().unwrap(),
            signature: Vec::new(),
            headers: vec![],
            body: String::new().into(),
            public_only: false,
        })
    };
    let answer = browser.ask(question("GET"));
    let Ok(HostResponse::HttpFailed(failure)) = answer else { panic!("{answer:?}") };
    assert_eq!(failure.kind, HttpFailureKind::Unreachable);
    assert!(failure.reason.to_lowercase().contains("refused"), "{failure:?}");
    assert!(browser.ask(question("DELETE")).unwrap_err().is(Code::HostProtocol));
}
