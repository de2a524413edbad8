//! What keeps the service as the files say?
//!
//! [`run`] compiles the files, plans against its own store, applies, builds the table from the store and serves:
//! the REST contract and real calls. Then it watches. A good edit is live at once; a broken one leaves everything
//! as it is and says why. Nothing that is served ever depends on the files being whole.
//!
//! ```text
//! files ─▶ compile ─▶ plan ─▶ apply ─▶ store ─▶ table ─▶ switch
//!                                        ▲
//!                             REST ──────┘
//! ```

mod calls;
mod data;
mod reconcile;
mod routing;
mod service;
mod status;
mod watch;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::media::PortError;
use crate::server::{self, Certificates, Limits, TlsError, TlsListener};
use crate::sip::{Edge, EdgeConfig, Listener, SipError};
use crate::source::SourceError;
use crate::store::{MasterKey, Store, StoreError};
use crate::switch::{Switch, SwitchConfig};

pub use calls::Account;
pub use data::{DataDir, DataError, Running};
pub use reconcile::Reconciled;
use reconcile::Reconciler;
pub use routing::Settings;
pub use service::Service;
use status::{State, Status};
use watch::Watch;

/// What a daemon needs to know.
#[derive(Debug, Clone)]
pub struct DaemonConfig {
    /// The configuration: a directory or a file.
    pub path: PathBuf,
    /// The environment, whose file is read with it.
    pub environment: Option<String>,
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// The key that secrets are sealed with, where it is not the one in the data directory.
    pub master_key: Option<MasterKey>,
    /// Where the REST API listens.
    pub api: SocketAddr,
    /// The files of the API's certificate chain and of its private key; without them, the API speaks in clear.
    pub api_tls: Option<(PathBuf, PathBuf)>,
    /// How many requests an API key may make.
    pub limits: Limits,
    /// Where SIP listens.
    pub sip: Vec<Listener>,
    /// The address that peers reach this machine at, where it is behind NAT.
    pub advertised: Option<std::net::IpAddr>,
    /// The ports for media.
    pub media_ports: RangeInclusive<u16>,
}

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The files cannot be read at all.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The data directory cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The API's address cannot be bound.
    #[error("the API address {address} cannot be bound: {cause}; choose another with --api")]
    Api {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The API's address can be reached from other machines, in clear.
    #[error(
        "the API does not listen on {address}: tokens would travel in clear; give a certificate with --api-cert and --api-key, or listen on a loopback address with --api"
    )]
    Exposed {
        /// The address.
        address: SocketAddr,
    },
    /// The API's certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// SIP cannot listen.
    #[error(transparent)]
    Sip(#[from] SipError),
    /// The media ports cannot be used.
    #[error("the media ports cannot be used: {0}; choose others with --media-ports")]
    Ports(#[from] PortError),
    /// The files cannot be watched.
    #[error("{path} cannot be watched: {cause}")]
    Watch {
        /// The directory.
        path: String,
        /// What the system says.
        cause: notify::Error,
    },
    /// The system gives no signals.
    #[error("signals cannot be received: {0}")]
    Signals(std::io::Error),
}

/// What the daemon says of itself once it serves.
#[derive(Debug)]
pub struct Started {
    /// The base address of the REST API.
    pub api: String,
    /// Where SIP listens.
    pub sip: Vec<Listener>,
    /// The API key with its secret, if it was made just now. The secret is told this once.
    pub new_key: Option<crate::store::ApiKey>,
    /// What the first reconciliation came to.
    pub first: Reconciled,
    /// How many numbers and rules calls are decided by.
    pub table: (usize, usize),
}

/// Runs a daemon until `stop` is cancelled.
///
/// `started` hears once that it serves; `reconciled` of every later reconciliation.
///
/// # Errors
/// When it cannot start. Once it serves, nothing but `stop` ends it.
pub async fn run(
    config: DaemonConfig,
    stop: CancellationToken,
    started: impl FnOnce(Started),
    reconciled: impl Fn(&Reconciled) + Send + 'static,
) -> Result<(), DaemonError> {
    let certificates = config.api_tls.map(|(cert, key)| Certificates::read(cert, key)).transpose()?;
    if certificates.is_none() && !config.api.ip().is_loopback() {
        return Err(DaemonError::Exposed { address: config.api });
    }
    let mut reconciler = Reconciler::new(config.path.clone(), config.environment.clone())?;
    let data = DataDir::take(&config.data_dir)?;
    let store = Store::open_with(&data.store(), config.master_key)?;

    let switch = Switch::new(SwitchConfig {
        advertised: config.advertised,
        ports: config.media_ports,
        hiding: data.hiding_key()?,
    })?;
    let unbound = |cause| DaemonError::Api { address: config.api, cause };
    let api = TcpListener::bind(config.api).await.map_err(unbound)?;
    let running =
        Running { pid: std::process::id(), api: api.local_addr().map_err(unbound)?, tls: certificates.is_some() };
    let service = Service::new(store.clone(), switch.clone());

    // Watching begins before the first reading, so that no edit falls between the two.
    let mut watch = Watch::new(reconciler.directory())?;
    let mut changes = store.changes();
    let first = reconciler.reconcile(&store, &data.memory(), true).await.unwrap_or_else(Reconciled::unchanged);
    let mut settings = first.settings();
    let routing = settings.routing(&store.book()?);
    let size = (routing.table.numbers(), routing.table.rules());
    switch.swap(routing);
    service.close_rooms()?;

    let edge_config = EdgeConfig {
        listeners: config.sip,
        advertised: config.advertised,
        user_agent: concat!("strowger/", env!("CARGO_PKG_VERSION")).to_owned(),
    };
    let (edge, incoming) = Edge::bind(edge_config).await?;
    let sip = edge.local();
    let status = Status::new(switch.clone(), first.state());
    let router = server::limited(service.clone(), config.limits)
        .merge(status::router(status.clone()))
        .merge(calls::router(switch.clone(), store.clone()));
    let api = match certificates {
        None => Ok(api),
        Some(certificates) => Err(TlsListener::new(api, certificates).map_err(unbound)?),
    };
    let serving = tokio::spawn({
        let stop = stop.clone();
        async move {
            let served = match api {
                Ok(clear) => axum::serve(clear, router).with_graceful_shutdown(stop.cancelled_owned()).await,
                Err(tls) => axum::serve(tls, router).with_graceful_shutdown(stop.cancelled_owned()).await,
            };
            if let Err(error) = served {
                tracing::error!(%error, "the REST API has stopped");
            }
        }
    });
    let calls = tokio::spawn({
        let switch = switch.clone();
        async move { switch.serve(incoming).await }
    });
    // Last of all that can fail: a key is shown once, and must not be made by a start that ends before it is shown.
    let new_key = match store.first_key()? {
        Some(_) => None,
        None => Some(store.create_key()?),
    };
    if let Some(key) = store.first_key()? {
        switch.set_account(calls::Account::of(&key).sid);
    }
    data.announce(&running)?;
    started(Started { api: running.url(), sip, new_key, first, table: size });

    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Ok(()) = changes.changed() => rebuild(&service, &store, &switch, &settings).await,
            () = watch.changed() => {
                if let Some(outcome) = reconciler.reconcile(&store, &data.memory(), false).await {
                    if !matches!(outcome, Reconciled::Broken(_)) {
                        if let Reconciled::Applied { .. } = outcome {
                            settings = outcome.settings();
                        }
                        // Before it is told: who hears of a change may call at once.
                        rebuild(&service, &store, &switch, &settings).await;
                        changes.mark_unchanged();
                    }
                    status.set(outcome.state());
                    reconciled(&outcome);
                }
            }
        }
    }

    status.set(State::Draining);
    switch.stop().await;
    edge.shutdown().await;
    let _ = calls.await;
    let _ = serving.await;
    Ok(())
}

/// Builds the table anew from the store, and swaps it in. A store that cannot be read leaves the table as it is.
async fn rebuild(service: &Service, store: &Store, switch: &Switch, settings: &Settings) {
    let (service, reading, settings) = (service.clone(), store.clone(), settings.clone());
    let read = move || {
        service.close_rooms()?;
        reading.book().map(|book| settings.routing(&book))
    };
    match tokio::task::spawn_blocking(read).await {
        Ok(Ok(routing)) => {
            let table = &routing.table;
            tracing::info!(numbers = table.numbers(), rules = table.rules(), "a new table decides calls from now on");
            switch.swap(routing);
        }
        Ok(Err(error)) => tracing::error!(%error, "the store cannot be read; calls are decided as before"),
        Err(error) => tracing::error!(%error, "the table was not built; calls are decided as before"),
    }
}

/// Cancels a token on SIGINT and SIGTERM.
///
/// # Errors
/// When the system gives no signals.
pub fn stop_on_signals() -> Result<CancellationToken, DaemonError> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt()).map_err(DaemonError::Signals)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(DaemonError::Signals)?;
    let stop = CancellationToken::new();
    let token = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        token.cancel();
    });
    Ok(stop)
}
