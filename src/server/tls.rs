//! How does the API speak TLS?
//!
//! The certificates are two files. They are looked at with each connection, and read again when they have changed; what
//! cannot be read leaves those of before in use.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a peer has for its handshake; what takes longer wants to keep us busy.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How many handshakes go on at once.
const HANDSHAKES_MAX: usize = 256;

/// How long to wait where the system has no more sockets; the same as axum waits.
const PAUSE: Duration = Duration::from_secs(1);

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{path} cannot be read as {what}: {why}")]
    File {
        /// The file.
        path: String,
        /// What it should hold.
        what: &'static str,
        /// What went wrong; never what stands in the file.
        why: String,
    },
    /// The certificate and the key do not fit each other, or are not usable.
    #[error("the certificate {cert} and the key {key} cannot be used together: {why}")]
    Unfit {
        /// The certificate file.
        cert: String,
        /// The key file.
        key: String,
        /// What is wrong.
        why: rustls::Error,
    },
}

/// What tells one state of the two files from another.
type Stamp = [Option<(SystemTime, u64)>; 2];

/// A certificate chain and its key, from two PEM files.
#[derive(Debug)]
pub struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    current: Mutex<(Stamp, Arc<ServerConfig>)>,
}

impl Certificates {
    /// Reads both files.
    ///
    /// # Errors
    /// When one cannot be read, or they do not fit each other.
    pub fn read(cert: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let stamp = stamp(&cert, &key);
        let config = config(&cert, &key)?;
        Ok(Self { cert, key, current: Mutex::new((stamp, config)) })
    }

    /// What new connections are served with.
    fn current(&self) -> Arc<ServerConfig> {
        let stamp = stamp(&self.cert, &self.key);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.0 != stamp {
            // Remembered whatever comes of it, so that a broken pair is told of once.
            current.0 = stamp;
            match config(&self.cert, &self.key) {
                Ok(config) => {
                    current.1 = config;
                    tracing::info!(cert = %self.cert.display(), "the certificate has changed and is served from now on");
                }
                Err(error) => {
                    tracing::error!(%error, "the certificate has changed and cannot be used; the one before is served on");
                }
            }
        }
        Arc::clone(&current.1)
    }
}

fn stamp(cert: &Path, key: &Path) -> Stamp {
    [cert, key].map(|path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn config(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let file = |path: &Path, what, why: String| TlsError::File { path: path.display().to_string(), what, why };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect)
        .map_err(|why| file(cert, "a certificate chain in PEM", why.to_string()))?;
    if chain.is_empty() {
        return Err(file(cert, "a certificate chain in PEM", "there is no certificate in it".to_owned()));
    }
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|why| file(key, "a private key in PEM", why.to_string()))?;
    let unfit = |why| TlsError::Unfit { cert: cert.display().to_string(), key: key.display().to_string(), why };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unfit)?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Takes connections whose handshake is done.
#[derive(Debug)]
pub struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    /// Speaks TLS on a listener. It must run inside a Tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn new(listener: TcpListener, certificates: Certificates) -> io::Result<Self> {
        let address = listener.local_addr()?;
        // One at a time is enough: whoever takes them takes them at once.
        let (hand_over, ready) = mpsc::channel(1);
        tokio::spawn(accept(listener, certificates, hand_over));
        Ok(Self { address, ready })
    }
}

/// Takes connections until nobody wants them any more. A slow handshake keeps no other waiting.
async fn accept(
    listener: TcpListener,
    certificates: Certificates,
    hand_over: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, peer) = tokio::select! {
            () = hand_over.closed() => return,
            taken = listener.accept() => match taken {
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, "a connection was not taken");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
        };
        let (acceptor, hand_over) = (TlsAcceptor::from(certificates.current()), hand_over.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    drop(place);
                    let _ = hand_over.send((stream, peer)).await;
                }
                Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
            }
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The task that accepts has ended, which it does only after us.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
