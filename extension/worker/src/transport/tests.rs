use rolecall_core::secret::SecretBytes;

use super::*;
use crate::scripted::World;

fn get(url: &str) -> HttpRequest {
    let url = url.parse().unwrap();
    HttpRequest {
        method: Method::Get,
        url,
        headers: Vec::new(),
        signature: Vec::new(),
        body: SecretBytes::default(),
        public_only: false,
    }
}

fn target(url: &str) -> Target {
    Target::of(&url.parse().unwrap(), CORP)
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
            async move { transport.send(get("https://corp.example/jwks"), Route::Auto, CORP).await.is_ok() }
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
fn why_the_host_program_got_no_answer_is_told_as_if_the_browser_had_asked() {
    let target = target("https://idp.example/token");
    for error in [
        target.unreachable("connection refused"),
        target.timed_out(),
        target.too_large(),
        TransportError::CertificateUntrusted { host: "idp.example".into(), reason: "it has expired".into() },
    ] {
        assert_eq!(target.http_failure(error.clone().into()), error);
    }
}

/// What happened to requests of a client: where each went, and whether it was answered.
struct Sent<'a> {
    world: &'a World,
    transport: Rc<Transport>,
}

impl Sent<'_> {
    /// Sends a token request and answers it where it arrives. Gives "fetch", "host" or "fetch, host", and the status.
    fn send(&self, client: &'static str, relayed: (u16, &str)) -> (String, Option<u16>) {
        let (fetched, asked) = self.counts();
        let transport = Rc::clone(&self.transport);
        let mut waiting = self.world.begin(async move { transport.send(post(), Route::Auto, client).await });
        if self.counts().1 > asked {
            self.world.browser.host_relays(relayed.0, relayed.1);
        }
        let result = waiting.result().expect("it waits");
        let (now_fetched, now_asked) = self.counts();
        let ways = std::iter::repeat_n("fetch", now_fetched - fetched);
        let ways: Vec<_> = ways.chain(std::iter::repeat_n("host", now_asked - asked)).collect();
        (ways.join(", "), result.ok().map(|response| response.status))
    }

    fn counts(&self) -> (usize, usize) {
        (self.world.browser.count("corp.example/token"), self.world.browser.host_received("sendHttp").len())
    }
}

fn post() -> HttpRequest {
    HttpRequest { method: Method::Post, ..get("https://corp.example/token") }
}

fn begin(world: &World) -> Sent<'_> {
    let background = world.start();
    world.run();
    world.browser.person.replace(Some("alice"));
    Sent { world, transport: Rc::clone(&background.sign_in().transport) }
}

const CORP: &str = "corp abcdef";
const REFUSED: (u16, &str) = (400, r#"{"error":"invalid_request","error_codes":[9002327]}"#);

#[test]
fn the_way_that_worked_is_remembered_for_the_client_alone() {
    let world = World::with_host();
    let sent = begin(&world);
    world.browser.unreadable.replace(Some("corp.example"));
    assert_eq!(sent.send(CORP, (200, "{}")), ("fetch, host".to_owned(), Some(200)));
    assert_eq!(sent.send(CORP, (200, "{}")), ("host".to_owned(), Some(200)));
    assert_eq!(sent.send("corp other-client", (200, "{}")).0, "fetch, host");
    // The background that starts next knows it.
    let next = begin(&world);
    assert_eq!(next.send(CORP, (200, "{}")).0, "host");
    next.transport.forget_routes();
    assert_eq!(begin(&world).send(CORP, (200, "{}")).0, "fetch, host");
}

#[test]
fn a_network_that_comes_back_says_nothing_of_the_way() {
    let world = World::with_host();
    let sent = begin(&world);
    world.browser.unreadable.replace(Some("corp.example"));
    world.browser.is_up.set(false);
    assert_eq!(sent.send(CORP, (200, "{}")), ("fetch, host".to_owned(), Some(200)));
    world.browser.unreadable.replace(None);
    assert_eq!(sent.send(CORP, (200, "{}")), ("fetch".to_owned(), Some(200)));
}

#[test]
fn a_way_that_turns_out_to_lack_an_origin_is_left_at_once_and_forgotten() {
    let world = World::with_host();
    let sent = begin(&world);
    world.browser.unreadable.replace(Some("corp.example"));
    sent.send(CORP, (200, "{}"));
    world.browser.unreadable.replace(None);
    assert_eq!(sent.send(CORP, REFUSED), ("fetch, host".to_owned(), Some(200)));
    assert_eq!(sent.send(CORP, REFUSED), ("fetch".to_owned(), Some(200)));
    assert_eq!(begin(&world).send(CORP, REFUSED).0, "fetch");
}

#[test]
fn the_way_is_found_out_once_by_a_request_without_a_code() {
    let world = World::with_host();
    let sent = begin(&world);
    let find = |sent: &Sent<'_>| {
        let (transport, before) = (Rc::clone(&sent.transport), sent.counts());
        world.finish(async move { transport.find_route(&post(), CORP).await });
        sent.counts().0 - before.0
    };
    world.browser.unreadable.replace(Some("corp.example"));
    assert_eq!((find(&sent), find(&sent)), (1, 0));
    assert_eq!(sent.send(CORP, (200, "{}")).0, "host", "nothing is spent on an answer that is kept");
    sent.transport.forget_routes();
    world.browser.unreadable.replace(None);
    assert_eq!((find(&sent), find(&sent), find(&begin(&world))), (1, 0, 0));
    assert_eq!(sent.send(CORP, (200, "{}")).0, "fetch");
}

#[test]
fn without_a_host_program_nothing_is_spent_on_an_answer_that_is_kept() {
    let world = World::new();
    let sent = begin(&world);
    world.browser.unreadable.replace(Some("corp.example"));
    let transport = Rc::clone(&sent.transport);
    let failed = world.finish(async move {
        transport.find_route(&post(), CORP).await;
        transport.send(post(), Route::Auto, CORP).await.unwrap_err()
    });
    assert_eq!((failed.code(), sent.counts().0), (Code::HostPermissionNeeded, 1));
}

#[test]
fn only_a_refusal_that_speaks_of_the_origin_is_one_of_the_origin() {
    let answer = |status: u16, body: &str| HttpResponse {
        had_origin: true,
        ..HttpResponse::new(status, body.to_owned().into())
    };
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
    let mut newer = untrusted.clone();
    newer.code = "of-a-newer-version".to_owned();
    for told in [untrusted, newer] {
        assert_eq!(target.relay_failure(&told), TransportError::Relayed(told));
    }
    let missing = Problem::new(Code::HostExited, "It ended.");
    assert_eq!(target.relay_failure(&missing).code(), Code::HostNotInstalled);
}
