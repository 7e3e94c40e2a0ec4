//! `doctor --aws`, with the sandbox in AWS's place, and with recorded responses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use rolecall_sandbox::{CallKind, Failure};

use crate::certificates::Server;
use crate::loopback::world;
use crate::machine::{Machine, Ran};

fn doctor(machine: &Machine, more: &[&str]) -> Ran {
    machine.run(&[&["doctor", "--aws"], more].concat())
}

#[test]
fn documented_responses_are_ok_and_the_report_names_no_one() {
    let machine = Machine::new();
    let address = recorded();
    let settings = format!(
        "[[provider]]\nid = \"corp\"\nname = \"Acme\"\nwell_known_url = \"https://idp.acme.example/.well-known/openid-configuration\"\n\
         client_id = \"abcdef\"\nsts_endpoint = \"{address}/\"\nconsole_endpoint = \"{address}/federation\"\n\
         [[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::111111111111:role/developer\"\n"
    );
    machine.write(".config/rolecall/config.toml", &settings);
    let report = machine.home().join("report.json");
    let ran = doctor(&machine, &["--report", report.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    let announced = ran.stderr.lines().take(3).collect::<Vec<_>>().join("\n");
    assert!(announced.starts_with("Sending these requests."), "{announced}");
    assert!(announced.contains(&format!("\n  {address}/  ")), "{announced}");
    assert!(announced.contains(&format!("\n  {address}/federation  ")), "{announced}");
    let rows: Vec<_> = ran.stdout.lines().filter(|line| line.starts_with("  ")).collect();
    assert_eq!(rows.len(), 16, "{}", ran.stdout);
    assert!(rows.iter().all(|row| row.starts_with("  ok             ")), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("AWS responds as documented.\n"), "{}", ran.stdout);
    let report = machine.read("report.json");
    for personal in ["127.0.0.1", "localhost", "arn:", "1111", "acme", "abcdef", "developer", REQUEST_ID] {
        assert!(!report.to_lowercase().contains(personal), "{personal} in {report}");
    }
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["targets"][0]["probes"][0]["result"], "ok");
    assert_eq!(report["targets"][0]["probes"][0]["shape"]["code"], "InvalidIdentityToken");
    assert_eq!(report["targets"][1]["service"], "sign-in");
}

#[test]
fn a_certificate_that_is_not_trusted_is_no_answer_of_aws() {
    let server = Server::start(|_| {});
    let machine = Machine::new();
    let settings = format!(
        "[[provider]]\nid = \"corp\"\nwell_known_url = \"https://localhost:{0}/.well-known/openid-configuration\"\n\
         client_id = \"abc\"\nsts_endpoint = \"https://localhost:{0}/\"\n\
         [[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::111111111111:role/developer\"\n",
        server.port
    );
    machine.write(".config/rolecall/config.toml", &settings);
    let ran = doctor(&machine, &["--json"]);
    assert_eq!(ran.code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["targets"][0]["probes"][0]["reason"], "certificate", "{}", ran.stdout);
    assert!(!ran.stdout.contains("Example Corp"), "{}", ran.stdout);
    // The rest of the doctor names the authority: nobody else reads that.
    let ran = machine.run(&["doctor"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stdout.contains("fail  localhost: ") && ran.stdout.contains("Example Corp Root"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_proxy_that_wants_a_sign_in_is_named() {
    let mut machine = Machine::new();
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    machine.set("HTTPS_PROXY", &address);
    thread::spawn(move || {
        for stream in proxy.incoming() {
            let mut stream = stream.unwrap();
            read(&mut BufReader::new(&stream));
            let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
            stream.write_all(refusal.as_bytes()).unwrap();
        }
    });
    let ran = doctor(&machine, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["targets"][0]["probes"][0]["reason"], "proxy", "{}", ran.stdout);
}

/// STS and the console's sign-in as others have recorded them, at one address.
fn recorded() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let request = read(&mut BufReader::new(&stream));
            stream.write_all(answer(&request).as_bytes()).unwrap();
        }
    });
    address
}

fn read(stream: &mut BufReader<&TcpStream>) -> String {
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        assert_ne!(stream.read_line(&mut request).unwrap(), 0, "{request}");
    }
    request.make_ascii_lowercase();
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).unwrap();
    request + &String::from_utf8(body).unwrap()
}

fn answer(request: &str) -> String {
    let of_sts = format!("x-amzn-requestid: {REQUEST_ID}\r\naccess-control-allow-origin: *\r\n{EXPOSED}");
    let text = if request.contains("WebIdentityToken=ey") {
        "The web identity token provided could not be validated. See the documentation for requirements."
    } else {
        "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
    };
    let (status, headers, body) = match (request.starts_with("options"), request.contains(" /federation")) {
        (true, false) => {
            let more = "access-control-allow-methods: POST\r\naccess-control-max-age: 172800\r\n";
            ("200 OK", format!("{of_sts}{more}"), String::new())
        }
        (true, true) => ("405 Method Not Allowed", String::new(), String::new()),
        (false, true) => (
            "400 Bad Request",
            "content-type: text/html;charset=utf-8\r\n".to_owned(),
            "<html><body><h1>HTTP Status 400 - Invalid credentials parameter</h1></body></html>".to_owned(),
        ),
        (false, false) if request.contains("accept: application/json") => (
            "400 Bad Request",
            format!("content-type: application/json\r\n{of_sts}"),
            format!(
                r#"{{"Error":{{"Code":"InvalidIdentityToken","Message":"{text}","Type":"Sender"}},"RequestId":"{REQUEST_ID}"}}"#
            ),
        ),
        (false, false) => (
            "400 Bad Request",
            format!("content-type: text/xml\r\n{of_sts}"),
            format!(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <Error>\n    <Type>Sender</Type>\n    \
                 <Code>InvalidIdentityToken</Code>\n    <Message>{text}</Message>\n  </Error>\n  \
                 <RequestId>{REQUEST_ID}</RequestId>\n</ErrorResponse>\n"
            ),
        ),
    };
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

const EXPOSED: &str =
    "access-control-expose-headers: x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date\r\n";
const REQUEST_ID: &str = "0b9d7d39-2f57-4d8c-8c42-5c0a0f4e6c11";

#[test]
fn the_sandbox_answers_as_aws_is_on_record_to_answer() {
    let (_sandbox, machine) = world();
    let ran = doctor(&machine, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert!(!ran.stdout.contains("differs"), "{}", ran.stdout);
}

#[test]
fn an_answer_that_differs_is_named_with_what_is_on_record() {
    let (sandbox, machine) = world();
    sandbox.fail_all(CallKind::SigninToken, Failure::status(403, "origin not allowed for 111111111111"));
    let ran = doctor(&machine, &[]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(ran.stdout.contains("  ok             not a JWT "), "{}", ran.stdout);
    assert!(ran.stdout.contains("  differs        invalid keys, POST "), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n                 status: 403 instead of 400\n"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("text: \"Origin not allowed\" instead of \"Invalid credentials\""),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("documented: aws-vault #77"), "{}", ran.stdout);
    assert!(ran.stdout.contains("Responses that differ: 6."), "{}", ran.stdout);
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
    assert_eq!(report["targets"][0]["probes"][0]["result"], "not-aws");
    assert_eq!(report["targets"][1]["probes"][0]["result"], "not-reachable");
    assert_eq!(report["targets"][1]["probes"][0]["reason"], "unreachable");
    assert_eq!(report["targets"][1]["probes"].as_array().unwrap().len(), 1, "the rest is not waited for");
    drop(sandbox);
    let ran = doctor(&machine, &[]);
    assert!(
        ran.stdout.contains("  not reachable  not a JWT  no response; check the network"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("AWS could not be reached at every address"), "{}", ran.stdout);
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
    assert_eq!(report["targets"][0]["host"], "sts.eu-west-1.amazonaws.com");
    assert_eq!(report["proxy"], true);
    assert_eq!(machine.run(&["doctor", "--region", "eu-west-1"]).code, Some(2));
}
