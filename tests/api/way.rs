//! The way to an endpoint: proxies, and certificates of one's own.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Output};
use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use strowger::api::{Call, Handle, ListNumbers, NumbersQuery};
use strowger::client::{Auth, Client, ClientError};
use strowger::model::Secret;

use super::faulty::{Faulty, Step};

const EMPTY: Step = Step::Answer(200, "", r#"{"data":[]}"#);

fn strowger(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_strowger"));
    command.args(arguments).env_clear().env("STROWGER_TOKEN", "t").current_dir(std::env::temp_dir());
    command.envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn a_proxy_of_the_environment_is_used_but_not_for_this_machine() {
    let proxy = Faulty::new(&[EMPTY, EMPTY]);
    // The name is reserved never to exist (RFC 6761 section 6.4): only a proxy can answer for it.
    let environment = [("HTTP_PROXY", proxy.base.as_str())];
    let done = strowger(&["show", "--endpoint", "http://api.invalid"], &environment);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let seen = proxy.seen.lock().unwrap().clone();
    assert!(seen[0].starts_with("GET http://api.invalid/v2/sip/phone-numbers?page=1"), "{}", seen[0]);
    let (proxy, server) = (Faulty::new(&[EMPTY]), Faulty::new(&[EMPTY, EMPTY]));
    let environment = [("HTTP_PROXY", proxy.base.as_str()), ("ALL_PROXY", proxy.base.as_str())];
    assert!(strowger(&["show", "--endpoint", &server.base], &environment).status.success());
    assert_eq!((proxy.count(), server.count()), (0, 2));
}

/// A server with a certificate of its own authority; answers the base address, and the authority as PEM.
fn own_authority() -> (String, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf.der().clone()], key.into());
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket.unwrap());
            let mut buffer = [0; 4096];
            // A client that does not trust us hangs up here.
            if std::io::Read::read(&mut stream, &mut buffer).is_ok_and(|count| count > 0) {
                let reply = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"data\":[]}";
                let _ = stream.write_all(reply).and_then(|()| stream.flush());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (base, pem)
}

#[tokio::test]
async fn a_certificate_of_ones_own_authority_is_trusted_where_that_is_given() {
    let (base, authority) = own_authority();
    let auth = || Auth::Token(Secret::new("t"));
    let list = || Call::<ListNumbers>::with_query(NumbersQuery::default());
    let why = Client::new(&base, auth()).unwrap().with_backoff(std::time::Duration::from_millis(1));
    let why = why.handle(list()).await.unwrap_err();
    assert!(matches!(why, ClientError::Unreachable { .. }) && why.to_string().contains("certificate"), "{why}");
    Client::trusting(&base, auth(), authority.as_bytes()).unwrap().handle(list()).await.unwrap();

    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &authority).unwrap();
    let path = file.path().to_str().unwrap();
    let done = strowger(&["show", "--endpoint", &base], &[("STROWGER_CA_FILE", path)]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let done = strowger(&["doctor", "--endpoint", &base], &[]);
    let out = String::from_utf8(done.stdout).unwrap();
    assert!(!out.is_empty() && out.contains("fail") && out.contains("STROWGER_CA_FILE"), "{out}");
    std::fs::write(file.path(), "nothing of the kind").unwrap();
    let done = strowger(&["show", "--endpoint", &base], &[("STROWGER_CA_FILE", path)]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("certificates"));
}
