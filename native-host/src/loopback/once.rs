//! Opening an address that is a secret. What a browser is started with can be read by every user of the machine, so it is
//! started with a short address here, which leads to the secret one, once.

use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use zeroize::Zeroizing;

use super::server::{After, Request, Response, Server};
use crate::system_browser;

/// Opens the address in the system's browser, and waits until it is there.
pub(crate) fn open_once(secret: &SecretString) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| failed(&error))?;
    let path = format!("/open/{}", URL_SAFE_NO_PAD.encode(random));
    let server = Server::bind(&[0]).map_err(|error| failed(&error))?;
    let port = server.port();
    let address = format!("http://127.0.0.1:{port}{path}");
    let address = Url::parse(&address).map_err(|error| failed(&error))?;

    let (end, ended) = mpsc::channel();
    let opened = end.clone();
    let secret = Mutex::new(Some(secret.clone()));
    let answer = move |request: &Request| {
        let is_meant = request.method == "GET" && request.is_for(port) && *request.target == path;
        let secret = is_meant.then(|| secret.lock().unwrap_or_else(PoisonError::into_inner).take()).flatten();
        let Some(secret) = secret else { return page("404 Not Found", None, None) };
        let opened = opened.clone();
        let after = After(Box::new(move || _ = opened.send(Ok(()))));
        page("303 See Other", Some(secret.expose_secret().to_owned().into()), Some(after))
    };
    let _serving = server.serve(answer).map_err(|error| failed(&error))?;
    system_browser::open(&address, move |reason| _ = end.send(Err(reason)))?;
    match ended.recv_timeout(LIMIT) {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("it did not open the address within {} seconds", LIMIT.as_secs())),
    }
}

fn page(status: &'static str, location: Option<Zeroizing<String>>, after: Option<After>) -> Response {
    Response { status, content_type: "text/plain", location, body: Zeroizing::default(), after }
}

/// A browser that is not running yet may take long to start.
const LIMIT: Duration = Duration::from_mins(1);
