//! Where does the edge listen, and which request goes where?

use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rsipstack::EndpointBuilder;
use rsipstack::sip::{Header, Method, Transport as Wire};
use rsipstack::transaction::endpoint::{EndpointInner, EndpointInnerRef};
use rsipstack::transaction::{Endpoint, Transaction, TransactionReceiver, make_tag};
use rsipstack::transport::udp::UdpConnection;
use rsipstack::transport::{SipAddr, SipConnection, TransportLayer};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{debug, info, warn};

use super::call::{Beginning, Call, RESERVED_EVENTS, contact_target, sequence};
use super::error::SipError;
use super::gate::{Brackets, Counter, Gate};
use super::invite::Invite;
use super::leg::{Leg, LegEvent};
use super::registry::{DialogId, Registry, Unregistered};
use super::udp::GuardedSocket;
use super::validate::{ACCEPT, ALLOW};
use super::{EdgeConfig, Incoming, Listener, tcp};
use crate::model::Transport;

/// How many new calls may wait to be taken up; more are refused with 503.
const MAX_INCOMING: usize = 256;
/// How many events of one call may wait to be read.
const MAX_EVENTS: usize = 64;
/// How long calls have to end when the edge stops.
const SHUTDOWN_TIME: Duration = Duration::from_secs(3);

/// The SIP side of the program: its listeners and its calls.
pub struct Edge {
    shared: Arc<Shared>,
    endpoint: Endpoint,
    local: Vec<Listener>,
    sockets: Vec<Arc<GuardedSocket>>,
    tasks: Vec<JoinHandle<()>>,
    /// An edge that is dropped stops too, at once.
    _stop: DropGuard,
}

/// What the tasks of an edge have in common.
pub(super) struct Shared {
    pub gate: Arc<Gate>,
    pub registry: Registry,
    pub flows: Flows,
    /// Cancelled when the sockets are to close.
    pub stop: CancellationToken,
    /// Cancelled when no more calls are to be taken.
    draining: CancellationToken,
    /// Weak, because the transport layer stops only when its endpoint is dropped.
    endpoint: Weak<EndpointInner>,
    server: String,
    advertised: Option<IpAddr>,
    listeners: Vec<Listener>,
}

impl Shared {
    pub fn endpoint(&self) -> Option<EndpointInnerRef> {
        self.endpoint.upgrade()
    }
}

/// The local end of each TCP connection, by its peer.
#[derive(Default)]
pub(super) struct Flows(Arc<Mutex<HashMap<SocketAddr, SocketAddr>>>);

/// Forgets a TCP connection when dropped.
pub(super) struct Flow {
    flows: Arc<Mutex<HashMap<SocketAddr, SocketAddr>>>,
    peer: SocketAddr,
}

impl Flows {
    pub fn open(&self, peer: SocketAddr, local: SocketAddr) -> Flow {
        let mut flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.insert(peer, local);
        Flow { flows: Arc::clone(&self.0), peer }
    }

    fn local(&self, peer: SocketAddr) -> Option<SocketAddr> {
        let flows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        flows.get(&peer).copied()
    }
}

impl Drop for Flow {
    fn drop(&mut self) {
        let mut flows = self.flows.lock().unwrap_or_else(PoisonError::into_inner);
        flows.remove(&self.peer);
    }
}

impl Edge {
    /// Binds every listener and begins to take calls.
    ///
    /// An address in use is an error, for TCP as for UDP. Port 0 takes a free port; [`local`](Edge::local) tells which.
    pub async fn bind(config: EdgeConfig) -> Result<(Edge, mpsc::Receiver<Incoming>), SipError> {
        if config.listeners.is_empty() {
            return Err(SipError::NoListener);
        }
        let gate = Arc::new(Gate::new(&config.user_agent));
        let mut local = Vec::new();
        let mut sockets = Vec::new();
        let mut streams = Vec::new();
        for Listener { transport, addr } in config.listeners {
            let failed = |source: std::io::Error| match source.kind() {
                ErrorKind::AddrInUse => SipError::InUse { transport, addr },
                _ => SipError::Bind { transport, addr, source },
            };
            let real = match transport {
                Transport::Udp => {
                    let socket = tokio::net::UdpSocket::bind(addr).await.map_err(failed)?;
                    let real = socket.local_addr().map_err(failed)?;
                    let gate = Arc::clone(&gate);
                    sockets.push(Arc::new(GuardedSocket::new(socket, real, gate)));
                    real
                }
                Transport::Tcp => {
                    let listener = tokio::net::TcpListener::bind(addr).await.map_err(failed)?;
                    let real = listener.local_addr().map_err(failed)?;
                    streams.push(listener);
                    real
                }
                Transport::Tls => return Err(SipError::NoTls { addr }),
            };
            info!(%transport, addr = %real, "the SIP edge listens");
            local.push(Listener { transport, addr: real });
        }

        let stop = CancellationToken::new();
        let layer = TransportLayer::new(stop.clone());
        for socket in &sockets {
            let socket: Arc<GuardedSocket> = Arc::clone(socket);
            match UdpConnection::from_socket(socket, None, Some(stop.child_token())).await {
                Ok(connection) => layer.add_transport(SipConnection::Udp(connection)),
                Err(error) => warn!(%error, "a UDP socket could not be handed to the SIP stack"),
            }
        }
        let endpoint = EndpointBuilder::new()
            .with_user_agent(&config.user_agent)
            .with_transport_layer(layer)
            .with_cancel_token(stop.clone())
            .with_inspector(Box::new(Brackets))
            .with_transport_inspector(Box::new(Counter(Arc::clone(&gate))))
            .build();
        let shared = Arc::new(Shared {
            gate,
            registry: Registry::default(),
            flows: Flows::default(),
            stop: stop.clone(),
            draining: CancellationToken::new(),
            endpoint: Arc::downgrade(&endpoint.inner),
            server: config.user_agent,
            advertised: config.advertised,
            listeners: local.clone(),
        });

        let (calls, incoming) = mpsc::channel(MAX_INCOMING);
        let mut tasks = Vec::new();
        if let Ok(transactions) = endpoint.incoming_transactions() {
            tasks.push(tokio::spawn(dispatch(transactions, Arc::clone(&shared), calls)));
        }
        let inner = Arc::clone(&endpoint.inner);
        tasks.push(tokio::spawn(async move {
            if let Err(error) = inner.serve().await {
                warn!(%error, "the SIP stack stopped");
            }
        }));
        for listener in streams {
            tasks.push(tokio::spawn(tcp::listen(listener, Arc::clone(&shared))));
        }
        let edge = Edge { shared, endpoint, local, sockets, tasks, _stop: stop.drop_guard() };
        Ok((edge, incoming))
    }

    /// The addresses that are really bound.
    pub fn local(&self) -> Vec<Listener> {
        self.local.clone()
    }

    /// How many calls the edge holds, those included that are just ending.
    pub fn calls(&self) -> usize {
        self.shared.registry.len()
    }

    /// Stops: new calls are refused with 503, calls that are left end with 503 or BYE, then the sockets close.
    ///
    /// Takes at most three seconds. Whoever wants calls to end by themselves waits for [`calls`](Edge::calls) first.
    pub async fn shutdown(self) {
        self.shared.draining.cancel();
        let mut endings = tokio::task::JoinSet::new();
        for call in self.shared.registry.all() {
            if !call.refuse_early(503, None) {
                endings.spawn(async move {
                    let _ = call.hang_up().await;
                });
            }
        }
        if timeout(SHUTDOWN_TIME, async { while endings.join_next().await.is_some() {} }).await.is_err() {
            debug!(left = endings.len(), "some calls did not end in time");
        }
        for call in self.shared.registry.all() {
            call.forget();
        }
        self.shared.stop.cancel();
        self.endpoint.shutdown();
        for socket in &self.sockets {
            socket.close();
        }
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
        info!("the SIP edge has stopped");
    }
}

/// Takes every new transaction to where it belongs. Never waits for anything, so that one call cannot hold up others.
async fn dispatch(mut transactions: TransactionReceiver, shared: Arc<Shared>, calls: mpsc::Sender<Incoming>) {
    loop {
        let transaction = tokio::select! {
            () = shared.stop.cancelled() => return,
            transaction = transactions.recv() => transaction,
        };
        let Some(transaction) = transaction else {
            return;
        };
        let id = DialogId::of(&transaction.original);
        let method = transaction.original.method;
        if id.local_tag.is_empty() {
            match method {
                Method::Invite => begin(transaction, id, &shared, &calls),
                Method::Options => refuse(transaction, &shared, 200, vec![Header::Accept(ACCEPT.into())]),
                Method::Bye | Method::Info => refuse(transaction, &shared, 481, Vec::new()),
                _ => refuse(transaction, &shared, 405, Vec::new()),
            }
        } else if let Some(call) = shared.registry.find(&id) {
            tokio::spawn(async move { call.receive(transaction).await });
        } else {
            // RFC 3261 section 12.2.2.
            refuse(transaction, &shared, 481, Vec::new());
        }
    }
}

/// Takes up a call.
fn begin(transaction: Transaction, mut id: DialogId, shared: &Arc<Shared>, calls: &mpsc::Sender<Incoming>) {
    let busy = || vec![Header::RetryAfter("5".into())];
    let request = &transaction.original;
    let (Some(connection), Some(target)) = (transaction.connection.clone(), contact_target(request)) else {
        return refuse(transaction, shared, 400, Vec::new());
    };
    let Some(source) = connection.get_remote_addr().and_then(|addr| addr.get_socketaddr().ok()) else {
        return refuse(transaction, shared, 400, Vec::new());
    };
    let Ok(place) = calls.try_reserve() else {
        warn!(call_id = %id.call_id, %source, "a call was refused because too many wait");
        return refuse(transaction, shared, 503, busy());
    };
    if shared.draining.is_cancelled() {
        return refuse(transaction, shared, 503, busy());
    }
    let (transport, wire) = match connection.is_reliable() {
        true => (Transport::Tcp, Wire::Tcp),
        false => (Transport::Udp, Wire::Udp),
    };
    let invite = Invite::read(request, source, transport);
    let number = sequence(request);
    let key = (id.remote_tag.clone(), id.call_id.clone(), number);
    id.local_tag = make_tag().to_string();
    let (events, receiver) = mpsc::channel::<LegEvent>(MAX_EVENTS + RESERVED_EVENTS);
    let beginning = Beginning {
        id: id.clone(),
        source,
        endpoint: Arc::clone(&transaction.endpoint_inner),
        server: shared.server.clone(),
        address: SipAddr::new(wire, reached_at(shared, &connection, transport, source).into()),
        connection,
        sequence: number,
        target,
        events,
    };
    let call = Arc::new(Call::new(beginning, &transaction));
    match shared.registry.insert(key.clone(), &call) {
        Ok(()) => {}
        Err(Unregistered::Merged) => return refuse(transaction, shared, 482, Vec::new()),
        Err(Unregistered::Full) => {
            warn!(call_id = %id.call_id, %source, "a call was refused because too many are up");
            return refuse(transaction, shared, 503, busy());
        }
    }
    debug!(call_id = %id.call_id, %source, "a call came in");
    let shared = Arc::clone(shared);
    let running = Arc::clone(&call);
    tokio::spawn(async move {
        // Whatever happens in there, a panic included, the call is gone from the registry afterwards.
        let _entry = Entry { shared, key, id };
        running.run(transaction).await;
    });
    place.send(Incoming { invite, leg: Leg::new(call), events: receiver });
}

/// A call's place in the registry, given back when dropped.
struct Entry {
    shared: Arc<Shared>,
    key: super::registry::MergeKey,
    id: DialogId,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.shared.registry.remove(&self.key, &self.id);
    }
}

/// Answers a request that belongs to no call. A retransmission gets the same answer from rsipstack.
fn refuse(mut transaction: Transaction, shared: &Shared, status: u16, mut headers: Vec<Header>) {
    headers.push(Header::Allow(ALLOW.into()));
    headers.push(Header::Server(shared.server.as_str().into()));
    tokio::spawn(async move {
        if let Err(error) = transaction.reply_with(status.into(), headers, None).await {
            debug!(status, %error, "a response could not be sent");
        }
    });
}

/// The address at which the peer reaches us.
fn reached_at(shared: &Shared, connection: &SipConnection, transport: Transport, peer: SocketAddr) -> SocketAddr {
    let local = match transport {
        Transport::Udp => {
            let arrived = connection.get_addr().get_socketaddr().ok();
            let of_port = |addr: &SocketAddr| arrived.is_some_and(|arrived| arrived.port() == addr.port());
            let mut udp = shared.listeners.iter().filter(|l| l.transport == transport).map(|l| l.addr);
            // One listener has exactly the address, or one that is bound to all addresses has the port.
            udp.clone()
                .find(|addr| Some(*addr) == arrived)
                .or_else(|| udp.find(|addr| of_port(addr) && addr.is_ipv4() == peer.is_ipv4()))
                .or(arrived)
        }
        _ => shared.flows.local(peer),
    };
    let local = local.unwrap_or_else(|| SocketAddr::new(peer.ip(), 5060));
    let ip = match shared.advertised {
        Some(advertised) => advertised,
        None if local.ip().is_unspecified() => route_to(peer).unwrap_or_else(|| local.ip()),
        None => local.ip(),
    };
    SocketAddr::new(ip.to_canonical(), local.port())
}

/// The address this machine uses towards a peer. Connecting a UDP socket looks up the route and sends nothing.
fn route_to(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = std::net::UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
