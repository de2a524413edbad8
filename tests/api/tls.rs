//! The API over TLS, and certificates that change.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use strowger::server::{Certificates, TlsListener};
use tokio::net::TcpListener;

/// Writes a certificate for `localhost` and its key, and gives the certificate.
fn certify(directory: &Path) -> reqwest::Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

fn files(directory: &Path) -> (PathBuf, PathBuf) {
    (directory.join("cert.pem"), directory.join("key.pem"))
}

/// A new connection by somebody who trusts one certificate.
async fn ask(url: &str, trusted: &reqwest::Certificate) -> Result<String, reqwest::Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted.clone()]).build()?;
    client.get(url).send().await?.text().await
}

#[tokio::test]
async fn a_certificate_is_served_and_its_successor_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path());
    let (cert, key) = files(directory.path());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = TlsListener::new(listener, Certificates::read(cert.clone(), key.clone()).unwrap()).unwrap();
    let router = axum::Router::new().route("/", axum::routing::get(async || "hello"));
    tokio::spawn(async move { axum::serve(tls, router).await.unwrap() });
    let url = format!("https://localhost:{port}/");
    assert_eq!(ask(&url, &first).await.unwrap(), "hello");
    // Somebody who connects and says nothing keeps nobody waiting; nor does one who speaks in clear.
    let _silent = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let clear = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(clear.get(format!("http://127.0.0.1:{port}/")).send().await.is_err());
    assert_eq!(ask(&url, &first).await.unwrap(), "hello");

    // Half a change: the certificate is there and its key is not yet. The old pair is served on.
    let kept = std::fs::read(&key).unwrap();
    let second = certify(directory.path());
    let new_key = std::fs::read(&key).unwrap();
    std::fs::write(&key, kept).unwrap();
    assert_eq!(ask(&url, &first).await.unwrap(), "hello");
    std::fs::write(&key, new_key).unwrap();
    // Its time may be that of the write before, to the tick of the file system.
    let later = SystemTime::now() + Duration::from_secs(2);
    std::fs::File::options().write(true).open(&key).unwrap().set_modified(later).unwrap();
    assert_eq!(ask(&url, &second).await.unwrap(), "hello");
    assert!(ask(&url, &first).await.is_err());
}

#[test]
fn what_is_no_certificate_is_told_by_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let (cert, key) = files(directory.path());
    let read = || Certificates::read(cert.clone(), key.clone()).unwrap_err().to_string();
    assert!(read().contains("cert.pem"));
    certify(directory.path());
    let good = std::fs::read(&key).unwrap();
    std::fs::write(&key, "hunter2").unwrap();
    let why = read();
    assert!(why.contains("key.pem") && why.contains("PEM") && !why.contains("hunter2"), "{why}");
    certify(directory.path());
    std::fs::write(&key, good).unwrap();
    let why = read();
    assert!(why.contains("cannot be used together"), "{why}");
    std::fs::write(&cert, "").unwrap();
    assert!(read().contains("certificate"));
}
