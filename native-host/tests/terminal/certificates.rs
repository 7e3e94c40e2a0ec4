//! A provider whose certificate this machine does not trust, and one that it is told to trust.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::machine::{Machine, Ran};

/// A server on loopback that answers everything with 404, with a certificate that an authority of its own has issued.
pub(crate) struct Server {
    pub(crate) port: u16,
    authority: String,
}

impl Server {
    pub(crate) fn start(change: impl FnOnce(&mut CertificateParams)) -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.distinguished_name.push(DnType::CommonName, "Example Corp Root");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority_key = KeyPair::generate().unwrap();
        let authority_certificate = authority.self_signed(&authority_key).unwrap();
        let issuer = Issuer::new(authority, authority_key);

        let mut own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        own.distinguished_name.push(DnType::CommonName, "auth.corp.example");
        change(&mut own);
        let key = KeyPair::generate().unwrap();
        let certificate = own.signed_by(&key, &issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Arc::new(config);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(connection, stream);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
            }
        });
        Self { port, authority: authority_certificate.pem() }
    }

    fn machine(&self) -> Machine {
        let machine = Machine::new();
        let settings = format!(
            "[[provider]]\nid = \"corp\"\nwell_known_url = \"https://localhost:{}/.well-known/openid-configuration\"\n\
             client_id = \"abc\"\n[[role]]\nprovider = \"corp\"\narn = \"arn:aws:iam::111111111111:role/developer\"\n\
             [loopback]\nports = [0]\n",
            self.port
        );
        machine.write(".config/rolecall/config.toml", &settings);
        machine.write("authority.pem", &self.authority);
        machine
    }
}

type Change = fn(&mut CertificateParams);

fn sign_in(machine: &Machine) -> String {
    let Ran { code, stderr, .. } = machine.run(&["login", "developer", "--method", "loopback"]);
    assert_ne!(code, Some(0));
    stderr
}

#[test]
fn an_authority_that_is_not_trusted_is_named_with_what_to_do() {
    let server = Server::start(|_| {});
    let said = sign_in(&server.machine());
    assert!(said.starts_with("error[certificate-untrusted]: "), "{said}");
    for part in
        [&format!("localhost:{}", server.port), "Example Corp Root", "auth.corp.example", "SSL_CERT_FILE"]
    {
        assert!(said.contains(part), "{said} lacks {part}");
    }
}

#[test]
fn an_authority_that_ssl_cert_file_names_is_trusted() {
    let server = Server::start(|_| {});
    let mut machine = server.machine();
    let file = machine.home().join("authority.pem").display().to_string();
    machine.set("SSL_CERT_FILE", &file);
    let said = sign_in(&machine);
    assert!(said.contains("error[provider-unreachable]") && said.contains("404"), "{said}");
}

#[test]
fn what_is_wrong_with_a_certificate_of_a_trusted_authority_is_told() {
    let other_name = |own: &mut CertificateParams| {
        own.subject_alt_names =
            CertificateParams::new(vec!["other.example".to_owned()]).unwrap().subject_alt_names;
    };
    let expired = |own: &mut CertificateParams| own.not_after = date_time_ymd(2020, 1, 1);
    let authority = |own: &mut CertificateParams| own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let cases: [(Change, &str); 3] = [
        (other_name, "it is not valid for the name localhost"),
        (expired, "it has expired"),
        (authority, "it is a certificate authority's own certificate"),
    ];
    for (change, words) in cases {
        let server = Server::start(change);
        let mut machine = server.machine();
        let file = machine.home().join("authority.pem").display().to_string();
        machine.set("SSL_CERT_FILE", &file);
        let said = sign_in(&machine);
        assert!(
            said.contains("error[certificate-untrusted]") && said.contains(words),
            "{said} lacks {words}"
        );
    }
}
