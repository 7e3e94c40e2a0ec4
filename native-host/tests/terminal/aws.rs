//! `doctor --aws`, with the sandbox in AWS's place.

use rolecall_sandbox::{CallKind, Failure};

use crate::loopback::world;
use crate::machine::{Machine, Ran};

fn doctor(machine: &Machine, more: &[&str]) -> Ran {
    machine.run(&[&["doctor", "--aws"], more].concat())
}

#[test]
fn answers_as_on_record_are_all_ok_and_the_report_names_nobody() {
    let (sandbox, machine) = world();
    let report = machine.home().join("report.json");
    let ran = doctor(&machine, &["--report", report.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let announced = ran.stderr.lines().take(3).collect::<Vec<_>>().join("\n");
    assert!(announced.starts_with("These requests leave this machine now."), "{announced}");
    assert!(
        announced.contains(sandbox.sts_endpoint()) && announced.contains(sandbox.console_endpoint()),
        "{announced}"
    );
    let rows: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(rows.len(), 16, "{}", ran.stdout);
    assert!(rows.iter().all(|row| row.starts_with("  ok       ")), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("AWS answers as it is on record to answer.\n"), "{}", ran.stdout);
    let report = machine.read("report.json");
    for personal in ["127.0.0.1", "localhost", "arn:", "1111", "sandbox", "developer", "example"] {
        assert!(!report.to_lowercase().contains(personal), "{personal} in {report}");
    }
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["places"][0]["answers"][0]["is"], "ok");
    assert_eq!(report["places"][0]["answers"][0]["shape"]["code"], "InvalidIdentityToken");
    assert_eq!(report["places"][1]["service"], "sign-in");
}

#[test]
fn an_answer_that_differs_is_named_with_what_is_on_record() {
    let (sandbox, machine) = world();
    sandbox.fail_all(CallKind::SigninToken, Failure::status(403, "origin not allowed for 111111111111"));
    let ran = doctor(&machine, &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("  ok       no JWT "), "{}", ran.stdout);
    assert!(ran.stdout.contains("  differs  false keys, POST "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n           status: 403 instead of 400\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("text: \"Origin not allowed\" instead of \"Invalid credentials\""),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("on record: aws-vault #77"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Answers that differ from the record: 6."), "{}", ran.stdout);
    assert!(!ran.stdout.contains("111111111111"), "{}", ran.stdout);
}

#[test]
fn a_proxys_page_and_silence_are_no_answers_of_aws() {
    let (sandbox, machine) = world();
    let page = Failure::Status {
        status: 403,
        content_type: "text/html".to_owned(),
        body: "<html>Blocked by Acme Corp</html>".to_owned(),
    };
    sandbox.fail_all(CallKind::AssumeRole, page);
    sandbox.fail_all(CallKind::SigninToken, Failure::Drop);
    let ran = doctor(&machine, &["--json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(!ran.stdout.contains("Acme"), "{}", ran.stdout);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["places"][0]["answers"][0]["is"], "somebody-else");
    assert_eq!(report["places"][1]["answers"][0]["is"], "not-reachable");
    assert_eq!(report["places"][1]["answers"][0]["why"], "unreachable");
    assert_eq!(report["places"][1]["answers"].as_array().unwrap().len(), 1, "the rest is not waited for");
    drop(sandbox);
    let ran = doctor(&machine, &[]);
    assert!(ran.stdout.contains("  not AWS  no JWT  nobody answers; check the network"), "{}", ran.stdout);
    assert!(ran.stdout.contains("AWS was not reached everywhere"), "{}", ran.stdout);
}

#[test]
fn without_settings_the_main_region_is_asked_and_a_region_can_be_named() {
    let mut machine = Machine::new();
    // Nobody listens there: what would leave the machine ends at its own proxy.
    machine.set("HTTPS_PROXY", "http://127.0.0.1:1");
    let ran = doctor(&machine, &[]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("  https://sts.us-east-1.amazonaws.com/  "), "{}", ran.stderr);
    assert!(ran.stderr.contains("  https://us-east-1.signin.aws.amazon.com/federation  "), "{}", ran.stderr);
    let ran = doctor(&machine, &["--region", "eu-west-1", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["places"][0]["host"], "sts.eu-west-1.amazonaws.com");
    assert_eq!(report["proxy"], true);
    assert_eq!(machine.run(&["doctor", "--region", "eu-west-1"]).code, Some(2));
}
