//! `profile` and `whoami`.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use crate::machine::{Machine, program};

const ROLE: &str = "arn:aws:iam::123456789012:role/developer";

#[test]
fn a_profile_is_written_listed_and_removed() {
    let machine = Machine::new();
    let write = ["profile", "write", "dev", "--role-arn", ROLE, "--region", "eu-west-1"];
    let ran = machine.run(&[&write[..], &["--dry-run"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("+region = eu-west-1"), "{}", ran.stdout);
    assert_eq!(machine.read(".aws/config"), "");
    let ran = machine.run(&write);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let config = machine.read(".aws/config");
    assert!(
        config.contains(&format!(
            "credential_process = {} credential-process --profile dev --role-arn {ROLE}\n",
            program().display()
        )),
        "{config}"
    );
    let ran = machine.run(&["profile", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((list[0]["profile"].as_str(), list[0]["role"].as_str()), (Some("dev"), Some(ROLE)));
    let ran = machine.run(&["profile", "remove", "dev"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!machine.read(".aws/config").contains("dev"));
    let ran = machine.run(&["profile", "remove", "dev"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.starts_with("error[aws-files-profile-not-found]: "), "{}", ran.stderr);
}

#[test]
fn somebody_elses_profile_is_left_alone_unless_forced_and_then_backed_up() {
    let machine = Machine::new();
    machine.write(".aws/config", "[profile dev]\nsso_session = corp\nregion = us-east-1\n");
    let write = ["profile", "write", "dev", "--role-arn", ROLE];
    let ran = machine.run(&write);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("--force"), "{}", ran.stderr);
    assert!(machine.read(".aws/config").contains("sso_session"));
    let ran = machine.run(&[&write[..], &["--force"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("The previous version is in ~/.aws/"), "{}", ran.stderr);
    assert!(!machine.read(".aws/config").contains("sso_session"));
}

#[test]
fn what_is_not_a_role_or_profile_is_a_wrong_usage() {
    let machine = Machine::new();
    for arguments in [
        &["profile", "write", "dev", "--role-arn", "developer"][..],
        &["profile", "write", "a b", "--role-arn", ROLE],
        &["profile", "write", "dev"],
        &["frobnicate"],
        &[],
    ] {
        let ran = machine.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}: {}", ran.stderr);
    }
    assert_eq!(machine.run(&["--version"]).stdout, format!("rolecall {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn whoami_signs_with_the_profiles_own_keys_and_tells_the_answer() {
    let machine = Machine::new();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    machine.write(".aws/config", &format!("[profile dev]\nregion = eu-west-1\nendpoint_url = {url}\n"));
    machine.write(".aws/credentials", "[dev]\naws_access_key_id = ASIAEXAMPLE\naws_secret_access_key = very/secret+key\naws_session_token = session/token==\n");
    let server = thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        let mut sent = Vec::new();
        let mut byte = [0];
        while !sent.ends_with(b"Version=2011-06-15") {
            stream.read_exact(&mut byte).unwrap();
            sent.push(byte[0]);
        }
        let body = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/developer/ann</Arn><UserId>AROAX:ann</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8(sent).unwrap()
    });
    let ran = machine.run(&["whoami", "--profile", "dev"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (
            Some(0),
            "account  123456789012\narn      arn:aws:sts::123456789012:assumed-role/developer/ann\nuser id  AROAX:ann\n"
        ),
        "{}",
        ran.stderr
    );
    let sent = server.join().unwrap();
    assert!(sent.contains("authorization: AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/"), "{sent}");
    assert!(sent.contains("/eu-west-1/sts/aws4_request"), "{sent}");
    assert!(!sent.contains("very/secret+key"), "{sent}");
}
