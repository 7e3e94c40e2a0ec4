use rolecall_core::secret::SecretBytes;

use super::*;
use crate::scripted::World;

fn get(url: &str) -> HttpRequest {
    let url = url.parse().unwrap();
    HttpRequest { method: Method::Get, url, headers: Vec::new(), body: SecretBytes::default() }
}

fn target(url: &str) -> Target {
    Target::of(&get(url))
}

#[test]
fn a_host_is_named_to_each_party_in_its_own_way() {
    let port = target("http://127.0.0.1:8080/token?x=y");
    assert_eq!(port.host, "127.0.0.1:8080");
    assert_eq!(port.origin, "http://127.0.0.1:8080");
    assert_eq!(port.pattern, "http://127.0.0.1/*");
    let plain = target("https://idp.example/token");
    assert_eq!((plain.host.as_str(), plain.origin.as_str()), ("idp.example", "https://idp.example"));
    assert_eq!(plain.pattern, "https://idp.example/*");
}

#[test]
fn what_would_wait_for_a_connection_of_the_browser_goes_through_the_host_program() {
    let world = World::with_host();
    let background = world.start();
    world.run();
    world.browser.hold.replace(Some("corp.example"));
    let transport = background.sign_in().transport.clone();
    let send = |count: usize| {
        let transport = Rc::clone(&transport);
        futures_util::future::join_all((0..count).map(move |_| {
            let transport = Rc::clone(&transport);
            async move { transport.send(get("https://corp.example/jwks"), Route::Auto).await.is_ok() }
        }))
    };
    let _waiting = world.begin(send(8));
    assert_eq!((world.browser.held(), world.browser.host_received("sendHttp").len()), (6, 2));
    world.browser.release();
    world.browser.hold.replace(Some("corp.example"));
    world.run();
    let _more = world.begin(send(1));
    assert_eq!((world.browser.held(), world.browser.host_received("sendHttp").len()), (1, 2));
}

#[test]
fn only_a_refusal_that_speaks_of_the_origin_is_one_of_the_origin() {
    let answer = |status: u16, body: &str| HttpResponse::new(status, body.to_owned().into());
    let refusal =
        r#"{"error":"invalid_request","error_description":"Cross-origin redemption is not permitted"}"#;
    assert!(is_about_origin(&answer(400, refusal)));
    assert!(!is_about_origin(&answer(200, refusal)));
    assert!(!is_about_origin(&answer(400, r#"{"error":"invalid_grant"}"#)));
    assert!(!is_about_origin(&answer(403, "<Error><Code>AccessDenied</Code></Error>")));
}

#[test]
fn what_the_host_program_says_of_a_request_is_not_taken_for_a_host_program_that_is_missing() {
    let target = target("https://idp.example/token");
    let untrusted = Problem::new(Code::CertificateUntrusted, "The certificate is not trusted.");
    let newer = Problem { code: "of-a-newer-version".to_owned(), ..untrusted.clone() };
    for told in [untrusted, newer] {
        assert_eq!(target.relay_failure(&told), TransportError::Relayed(Box::new(told)));
    }
    let missing = Problem::new(Code::HostExited, "It ended.");
    assert_eq!(target.relay_failure(&missing).code(), Code::HostNotInstalled);
}
