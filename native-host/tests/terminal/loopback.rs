//! Signing in without the extension, against the sandbox.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};

use rolecall_core::Code;
use rolecall_core::message::agent::{AgentRequest, AgentResponse};
use rolecall_core::message::frame;
use rolecall_core::message::host::{CredentialsRequest, Outcome, ProtocolRange, WorkerRequest};
use rolecall_core::settings::RoleKey;
use rolecall_sandbox::{CallKind, Config, Preset, Sandbox};

use crate::machine::{Machine, Ran};

pub(crate) const DEVELOPER: &str = "arn:aws:iam::111111111111:role/developer";

/// A machine whose settings know the sandbox.
pub(crate) fn world() -> (Sandbox, Machine) {
    world_of(config())
}

fn config() -> Config {
    let mut config = Config::default();
    config.provider.clients[0].redirect_uris = vec!["http://localhost:*/redirect_uri".to_owned()];
    config
}

fn world_of(config: Config) -> (Sandbox, Machine) {
    let sandbox = Sandbox::start_in_thread(config).unwrap();
    let machine = Machine::new();
    let settings = format!("{}\n[loopback]\nports = [0]\n", sandbox.settings_toml());
    machine.write(".config/rolecall/config.toml", &settings);
    (sandbox, machine)
}

/// A command that shows the address to sign in at.
pub(crate) fn start(
    machine: &Machine,
    arguments: &[&str],
) -> (Child, String, BufReader<std::process::ChildStderr>) {
    let mut command = machine.command(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.trim_start().starts_with("http://") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no address was shown");
    }
    (child, line.trim().to_owned(), stderr)
}

/// What a person does at the provider's form; gives the address that the browser is sent to.
pub(crate) fn fill_in_the_form(address: &str, answer: &str) -> String {
    let browser = browser();
    let form = browser.get(address).call().unwrap().body_mut().read_to_string().unwrap();
    let id = form.split("name=\"request\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let submit = format!("http://{}/sign-in", address.split('/').nth(2).unwrap());
    let sent = browser
        .post(submit)
        .header("content-type", "application/x-www-form-urlencoded")
        .send(format!("request={id}&{answer}"))
        .unwrap();
    sent.headers()["location"].to_str().unwrap().to_owned()
}

pub(crate) fn visit(address: &str) -> (u16, String) {
    let mut page = browser().get(address).call().unwrap();
    (page.status().as_u16(), page.body_mut().read_to_string().unwrap())
}

fn browser() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false);
    config.proxy(None).build().new_agent()
}

pub(crate) fn finish(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}

#[test]
fn the_browser_comes_back_to_a_port_of_this_machine() {
    let (sandbox, machine) = world();
    let (child, address, _stderr) = start(&machine, &["env", "developer", "--no-browser", "--shell", "json"]);
    assert!(address.contains("code_challenge_method=S256"), "{address}");
    let (status, page) = visit(&fill_in_the_form(&address, "user=alice-0001"));
    assert_eq!(status, 200);
    assert!(page.contains("Return to your terminal"), "{page}");
    let ran = finish(child);
    assert_eq!(ran.code, Some(0));
    let variables: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(variables["AWS_SESSION_TOKEN"].is_string());
    assert_eq!(variables["AWS_REGION"], "eu-west-1");
    assert_eq!(variables["ROLECALL_ROLE"], DEVELOPER);
    assert_eq!(sandbox.count(CallKind::AssumeRole), 1);
}

#[test]
fn a_provider_with_a_client_for_programs_is_asked_with_that_client_its_secret_and_its_addresses() {
    let (sandbox, machine) = world_of(Preset::Google.config());
    let arguments = ["--verbose", "login", "example-dev/developer", "--no-browser"];
    let (child, address, mut stderr) = start(&machine, &arguments);
    assert!(address.contains("client_id=rolecall-sandbox-desktop&"), "{address}");
    assert!(address.contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A"), "{address}");
    visit(&fill_in_the_form(&address, "user=alice-0001"));
    let mut told = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut told).unwrap();
    let ran = finish(child);
    assert_eq!(ran.code, Some(0), "{told}");
    assert!(!format!("{address}{told}{}", ran.stdout).contains("GOCSPX"), "{told}");
    assert_eq!(sandbox.calls_of(CallKind::Token)[0].status(), Some(200));
}

#[test]
fn an_error_description_with_control_sequences_does_not_reach_the_terminal_as_such() {
    let (_sandbox, machine) = world();
    let (child, address, mut stderr) = start(&machine, &["login", "developer", "--no-browser"]);
    let mut redirect: url::Url = fill_in_the_form(&address, "decision=deny").parse().unwrap();
    let mut pairs: Vec<_> = redirect.query_pairs().into_owned().collect();
    pairs.retain(|(name, _)| name != "error_description");
    // OSC 52 writes the clipboard, the same begins with one C1 character, and an override turns the rest around.
    let hostile = "\u{1b}]52;c;eA==\u{7}\u{9d}52;c;eA==\u{9c}\u{202e}x";
    pairs.push(("error_description".to_owned(), hostile.to_owned()));
    redirect.query_pairs_mut().clear().extend_pairs(pairs);
    visit(redirect.as_str());
    let mut said = String::new();
    std::io::Read::read_to_string(&mut stderr, &mut said).unwrap();
    assert_eq!(finish(child).code, Some(3), "{said}");
    let is_hostile = |c| matches!(c, '\u{1b}' | '\u{7}' | '\u{9b}'..='\u{9d}' | '\u{202e}');
    assert!(!said.contains(is_hostile), "{said:?}");
    assert!(said.contains("\u{fffd}]52;c;eA==\u{fffd}\u{fffd}52;c;eA==\u{fffd}\u{fffd}x"), "{said:?}");
}

#[test]
fn the_address_the_browser_ended_at_can_be_pasted() {
    let (_sandbox, machine) = world();
    let (mut child, address, _stderr) = start(&machine, &["login", "example-dev/developer", "--no-browser"]);
    let redirect = fill_in_the_form(&address, "user=alice-0001");
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "\nnot an address\n{redirect}").unwrap();
    assert_eq!(finish(child).code, Some(0));
}

#[test]
fn an_answer_that_is_not_this_sign_ins_changes_nothing() {
    let (sandbox, machine) = world();
    let (child, address, _stderr) = start(&machine, &["login", "developer", "--no-browser"]);
    let redirect = fill_in_the_form(&address, "user=alice-0001");
    for stray in [redirect.replace("state=", "state=forged"), redirect.split('?').next().unwrap().to_owned()]
    {
        let (status, page) = visit(&stray);
        assert_eq!(status, 400, "{stray}");
        assert!(page.contains("Nothing was changed"), "{page}");
    }
    assert_eq!(sandbox.count(CallKind::Token), 0);
    assert_eq!(visit(&redirect).0, 200);
    assert_eq!(finish(child).code, Some(0));
}

/// A provider that sends the browser on to another one, to have that one's code sent to its own token endpoint (RFC 9700
/// section 4.4). Neither provider names itself in its responses.
#[test]
fn a_provider_that_sends_the_browser_on_to_another_one_gets_no_code_of_it() {
    for ids in [["honest", "evil"], ["evil", "honest"]] {
        let own = |id: &str| {
            let path = if id == ids[0] { String::new() } else { format!("/provider-{id}") };
            format!("http://localhost:*/redirect_uri{path}")
        };
        let provider = |id: &str| {
            let mut config = config();
            config.provider.issuer_in_redirect = false;
            config.provider.clients[0].redirect_uris = vec![own(id)];
            Sandbox::start_in_thread(config).unwrap()
        };
        let (honest, evil) = (provider("honest"), provider("evil"));
        let machine = Machine::new();
        let entry = |id: &str| {
            let sandbox = if id == "evil" { &evil } else { &honest };
            let (url, sts) = (sandbox.well_known_url(), sandbox.sts_endpoint());
            format!(
                "[[provider]]\nid = \"{id}\"\nwell_known_url = \"{url}\"\nclient_id = \"rolecall-sandbox\"\nsts_endpoint = \"{sts}\"\n\
                 [[role]]\nprovider = \"{id}\"\narn = \"{DEVELOPER}\"\n"
            )
        };
        let settings = format!("{}[loopback]\nports = [0]\n", ids.map(entry).concat());
        machine.write(".config/rolecall/config.toml", &settings);
        let arguments = ["login", DEVELOPER, "--provider", "evil", "--no-browser"];
        let (mut child, address, _stderr) = start(&machine, &arguments);

        let bounced = address.replace(&evil.issuer(), &honest.issuer());
        assert_ne!(bounced, address);
        let (status, page) = visit(&bounced);
        assert_eq!(status, 400, "{page}");
        assert!(page.contains("This sign-in cannot start"), "{page}");

        let mut bounced: url::Url = bounced.parse().unwrap();
        let port = address.split("localhost%3A").nth(1).unwrap().split('%').next().unwrap();
        let redirect_uri = own("honest").replace('*', port);
        let pairs: Vec<_> = bounced
            .query_pairs()
            .map(|(name, value)| match &*name {
                "redirect_uri" => (name.into_owned(), redirect_uri.clone()),
                _ => (name.into_owned(), value.into_owned()),
            })
            .collect();
        bounced.query_pairs_mut().clear().extend_pairs(pairs);
        let redirect = fill_in_the_form(bounced.as_str(), "user=alice-0001");
        assert!(redirect.contains("code="), "{redirect}");
        let (status, page) = visit(&redirect);
        assert_eq!(status, 400);
        assert!(page.contains("Nothing was changed"), "{page}");
        assert_eq!(evil.count(CallKind::Token), 0);

        // The sign-in that was begun goes on.
        assert_eq!(visit(&fill_in_the_form(&address, "user=alice-0001")).0, 200);
        child.stdin.take();
        assert_eq!(finish(child).code, Some(0));
    }
}

/// Asks the command that signs in for a role's credentials, as any program of the same user could.
fn ask_at_its_socket(machine: &Machine, provider: &str, role: &str) -> AgentResponse {
    let stream = UnixStream::connect(machine.sockets().remove(0)).unwrap();
    let body = WorkerRequest::Credentials(CredentialsRequest {
        role: RoleKey::new(provider.parse().unwrap(), role.parse().unwrap()),
        time_left_seconds: 900,
        interactive: true,
        asked_by: None,
    });
    let request = AgentRequest { protocol: ProtocolRange::CURRENT, outlives_asker: false, body };
    frame::write(&mut &stream, &request).unwrap();
    frame::read::<AgentResponse>(&mut &stream).unwrap().unwrap()
}

#[test]
fn a_sign_in_for_one_role_gives_nobody_a_role_that_has_to_be_approved() {
    let (sandbox, machine) = world();
    let admin = "arn:aws:iam::222222222222:role/admin";
    let settings = sandbox.settings_toml();
    let approved = format!("arn = \"{admin}\"\napprove = \"always\"");
    let settings = settings.replace(&format!("arn = \"{admin}\""), &approved);
    assert!(settings.contains("approve"), "{settings}");
    let other = format!(
        "[[provider]]\nid = \"other\"\nclient_id = \"another\"\nwell_known_url = \"{}\"\nsts_endpoint = \"{}\"\n",
        sandbox.well_known_url(),
        sandbox.sts_endpoint()
    );
    machine.write(".config/rolecall/config.toml", &format!("{settings}\n{other}[loopback]\nports = [0]\n"));

    let (child, address, _stderr) = start(&machine, &["login", "developer", "--no-browser"]);
    let given = |provider: &str, role: &str| match ask_at_its_socket(&machine, provider, role) {
        Outcome::Error(problem) => problem.code.clone(),
        Outcome::Ok(_) => panic!("it was given away"),
    };
    assert_eq!(given("sandbox", admin), Code::ApprovalNeeded.as_str());
    // Neither under another spelling, nor through another provider.
    assert_eq!(given("sandbox", "arn:aws:iam::222222222222:role/Admin"), Code::RoleUnknown.as_str());
    assert_eq!(given("other", admin), Code::RoleUnknown.as_str());
    visit(&fill_in_the_form(&address, "user=alice-0001"));
    assert_eq!(finish(child).code, Some(0));

    // Whoever signs in for that role does so alone.
    let (child, address, _stderr) = start(&machine, &["login", "admin", "--no-browser"]);
    assert_eq!(machine.sockets().len(), 0);
    visit(&fill_in_the_form(&address, "user=alice-0001"));
    assert_eq!(finish(child).code, Some(0));

    let ran = machine.run(&["profile", "write", "x", "--role-arn", admin, "--mode", "file"]);
    assert!(ran.stderr.starts_with("error[approval-needed]: "), "{}", ran.stderr);
    assert!(!machine.home().join(".aws/credentials").exists());
}

#[test]
fn a_pasted_address_that_is_not_the_answer_is_explained_and_asked_for_again() {
    let (_sandbox, machine) = world();
    let (mut child, address, mut stderr) = start(&machine, &["login", "developer", "--no-browser"]);
    let redirect = fill_in_the_form(&address, "user=alice-0001");
    let mut stdin = child.stdin.take().unwrap();
    for (pasted, explanation) in [
        ("not an address".to_owned(), "That is not the address. It begins"),
        (address, "That is the address to sign in at"),
        ("https://example.com/?code=c&state=s".to_owned(), "That is not the address where the sign-in ends"),
        (redirect.split('?').next().unwrap().to_owned(), "is incomplete"),
        (redirect.replace("state=", "state=other"), "belongs to another sign-in"),
    ] {
        writeln!(stdin, "{pasted}").unwrap();
        let mut told = String::new();
        while !told.contains("Paste it again") {
            assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
        }
        assert!(told.contains(explanation), "{told} lacks {explanation}");
    }
    writeln!(stdin, "{redirect}").unwrap();
    assert_eq!(finish(child).code, Some(0));
}

#[cfg(target_os = "linux")]
#[test]
fn a_tool_is_told_at_once_where_no_browser_can_be_opened() {
    let (sandbox, mut machine) = world();
    let ask = ["credential-process", "--profile", "dev", "--role-arn", DEVELOPER];
    let ran = machine.run(&ask);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("error[no-browser]: ") && ran.stderr.contains("no display"),
        "{}",
        ran.stderr
    );

    machine.set("PATH", "/nowhere");
    machine.set("BROWSER", "/bin/false");
    let ran = machine.run(&ask);
    assert!(ran.stderr.contains("/bin/false ended with exit status: 1"), "{}", ran.stderr);
    assert!(ran.stderr.contains("rolecall login --no-browser"), "{}", ran.stderr);
    assert_eq!(sandbox.count(CallKind::Authorize), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_address_is_shown_and_the_answer_taken_where_no_browser_can_be_opened() {
    let (_sandbox, machine) = world();
    // util-linux's script gives the command a terminal of its own.
    let command = format!("{} login developer", crate::machine::program().display());
    let mut command = machine.command_of("script".as_ref(), &["-qec", &command, "/dev/null"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut screen = BufReader::new(child.stdout.take().unwrap());
    let (mut said, mut address) = (String::new(), String::new());
    while address.is_empty() {
        let mut line = String::new();
        assert_ne!(screen.read_line(&mut line).unwrap(), 0, "{said}");
        if line.trim_start().starts_with("http://") {
            line.trim().clone_into(&mut address);
        }
        said.push_str(&line);
    }
    assert!(said.contains("no display"), "{said}");
    let redirect = fill_in_the_form(&address, "user=alice-0001");
    writeln!(child.stdin.as_ref().unwrap(), "{redirect}").unwrap();
    std::io::Read::read_to_string(&mut screen, &mut said).unwrap();
    assert!(said.contains("Signed in as"), "{said}");
    assert!(child.wait().unwrap().success());
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_is_too_long_for_openers_is_opened_by_way_of_this_machine() {
    let (sandbox, machine) = world();
    let long = "x".repeat(2_500);
    let settings = sandbox
        .settings_toml()
        .replace("scope = ", &format!("authorize_params = {{ hint = \"{long}\" }}\nscope = "));
    machine.write(".config/rolecall/config.toml", &format!("{settings}\n[loopback]\nports = [0]\n"));
    let (script, opened) = machine.browser_that_writes_its_address();
    let mut command = machine.command(&["login", "developer"]);
    let child =
        command.env("BROWSER", &script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut short = String::new();
    BufReader::new(File::open(&opened).unwrap()).read_line(&mut short).unwrap();
    assert!(short.len() < 100 && short.starts_with("http://localhost:"), "{short}");
    let led = browser().get(short.trim()).call().unwrap();
    assert_eq!(led.status(), 302);
    let address = led.headers()["location"].to_str().unwrap().to_owned();
    assert!(address.contains(&long), "{address}");
    assert_eq!(visit(short.trim()).0, 404, "it leads there once");
    visit(&fill_in_the_form(&address, "user=alice-0001"));
    assert_eq!(finish(child).code, Some(0));
}

#[test]
fn a_person_who_says_no_is_understood() {
    let (_sandbox, machine) = world();
    let (child, address, _stderr) = start(&machine, &["login", "developer", "--no-browser"]);
    visit(&fill_in_the_form(&address, "decision=deny"));
    assert_eq!(finish(child).code, Some(3));
}

#[test]
fn nobody_is_asked_in_a_batch_job() {
    let (sandbox, machine) = world();
    let ran = machine.run(&["env", "developer", "--batch"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    assert!(ran.stderr.starts_with("error[sign-in-needed]: "), "{}", ran.stderr);
    assert_eq!(sandbox.count(CallKind::Authorize), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn many_tools_without_a_browser_running_cause_one_window_and_one_call() {
    let (sandbox, machine) = world();
    let (script, opened) = machine.browser_that_writes_its_address();
    let arguments = ["credential-process", "--profile", "dev", "--role-arn", DEVELOPER];
    let children: Vec<_> = (0..20)
        .map(|_| {
            let mut command = machine.command(&arguments);
            command.env("BROWSER", &script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut address = String::new();
    BufReader::new(File::open(&opened).unwrap()).read_line(&mut address).unwrap();
    // Everybody else has found the one that signs in.
    machine.wait_for_connections(19);
    visit(&fill_in_the_form(address.trim(), "user=alice-0001"));
    let rans: Vec<Ran> = children.into_iter().map(finish).collect();
    for ran in &rans {
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!(ran.stdout, rans[0].stdout);
    }
    assert_eq!((sandbox.count(CallKind::Authorize), sandbox.count(CallKind::AssumeRole)), (1, 1));
    machine.wait_for_silence();
}

#[cfg(target_os = "linux")]
#[test]
fn tools_that_want_twenty_roles_at_once_cause_one_window_and_calls_side_by_side() {
    let mut config = config();
    let developer = config.sts.roles[0].clone();
    let arn = |number: usize| format!("arn:aws:iam::111111111111:role/role-{number}");
    config.sts.roles =
        (0..20).map(|number| rolecall_sandbox::Role { arn: arn(number), ..developer.clone() }).collect();
    let (sandbox, machine) = world_of(config);
    let held = sandbox.hold(CallKind::AssumeRole);
    let (script, opened) = machine.browser_that_writes_its_address();
    let children: Vec<_> = (0..20)
        .map(|number| {
            let arn = arn(number);
            let arguments =
                ["credential-process", "--profile", "dev", "--provider", "sandbox", "--role-arn", &arn];
            let mut command = machine.command(&arguments);
            command.env("BROWSER", &script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut address = String::new();
    BufReader::new(File::open(&opened).unwrap()).read_line(&mut address).unwrap();
    machine.wait_for_connections(20);
    visit(&fill_in_the_form(address.trim(), "user=alice-0001"));
    // None is answered before all have been asked.
    pollster::block_on(sandbox.arrived(CallKind::AssumeRole, 20));
    drop(held);
    for ran in children.into_iter().map(finish) {
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    assert_eq!((sandbox.count(CallKind::Authorize), sandbox.count(CallKind::AssumeRole)), (1, 20));
}

#[cfg(target_os = "linux")]
#[test]
fn a_sign_in_outlives_the_tool_that_gave_up_and_serves_the_next_one() {
    let (sandbox, machine) = world();
    let (script, opened) = machine.browser_that_writes_its_address();
    let arguments = ["credential-process", "--profile", "dev", "--role-arn", DEVELOPER];
    let mut command = machine.command(&arguments);
    let mut first =
        command.env("BROWSER", &script).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(File::open(&opened).unwrap()).read_line(&mut address).unwrap();
    // As SDKs do whose patience is shorter than a person's sign-in.
    first.kill().unwrap();
    first.wait().unwrap();
    visit(&fill_in_the_form(address.trim(), "user=alice-0001"));

    let ran = machine.run(&arguments);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("SessionToken"), "{}", ran.stderr);
    assert_eq!((sandbox.count(CallKind::Authorize), sandbox.count(CallKind::AssumeRole)), (1, 1));
    // What was taken is not kept any longer.
    machine.wait_for_silence();
}

#[test]
fn a_command_runs_with_credentials_that_only_it_can_fetch() {
    let (_sandbox, machine) = world();
    let script = r#"
        echo "$AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN ${AWS_PROFILE-none} ${AWS_ACCESS_KEY_ID-none}"
        read -r _ && exit 7
    "#;
    let arguments = ["exec", "developer", "--no-browser", "--", "sh", "-c", script];
    let mut command = machine.command(&arguments);
    command.env("AWS_PROFILE", "other").env("AWS_ACCESS_KEY_ID", "STALE");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.trim_start().starts_with("http://") {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no address was shown");
    }
    visit(&fill_in_the_form(line.trim(), "user=alice-0001"));
    let mut told = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut told).unwrap();
    let [uri, token, profile, key] = told.split_whitespace().collect::<Vec<_>>()[..] else {
        panic!("{told}")
    };
    assert!(profile.starts_with("rolecall-exec-"), "{profile}");
    assert_eq!(key, "none");
    assert_eq!(visit(uri).0, 403);
    let mut answer = browser().get(uri).header("authorization", token).call().unwrap();
    let document: serde_json::Value =
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    assert!(
        document["Token"].is_string() && document["Expiration"].as_str().unwrap().ends_with('Z'),
        "{document}"
    );
    let page =
        browser().get(uri).header("authorization", token).header("origin", "https://evil.example").call();
    assert_eq!(page.unwrap().status(), 403);
    writeln!(child.stdin.take().unwrap(), "go on").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(7));
}
