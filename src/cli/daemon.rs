//! `strowger daemon`

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::Args;

use crate::daemon::{self, DaemonConfig, Reconciled, Started};
use crate::diagnostic::{Format, render};
use crate::model::{PortRange, SipListen};
use crate::plan;
use crate::server::Limits;
use crate::sip::Listener;

use super::compile::{PathArg, checked, look};
use super::exit::{Exit, Failure, print};
use super::impact::impact;
use super::log;
use super::target::{data_dir, master_key};

/// Serves the REST API and real calls, as the files say, and follows them.
///
/// Needs no account and nothing installed. A good edit is live at once; a broken one leaves what is served as it is,
/// and says why.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  strowger daemon examples/quickstart\n  strowger daemon --sip 0.0.0.0:5060 --sip tcp:0.0.0.0:5060 --advertise 203.0.113.7"
)]
pub(super) struct Daemon {
    #[command(flatten)]
    path: PathArg,
    /// Where everything is kept; by the platform's convention when not given.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Where the REST API listens. Without it, the `api` of [daemon] in the files, or 127.0.0.1:7878.
    #[arg(long, value_name = "ADDRESS")]
    api: Option<SocketAddr>,
    /// The API's certificate chain (PEM). Read again when it changes.
    #[arg(long, value_name = "FILE", requires = "api_key")]
    api_cert: Option<PathBuf>,
    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "api_cert")]
    api_key: Option<PathBuf>,
    /// Requests a second that each API key may make; 0 for no limit.
    #[arg(long, value_name = "N", env = "STROWGER_RATE_LIMIT", default_value_t = Limits::default().per_second)]
    rate_limit: u32,
    /// Requests that each API key may make at once, after a pause.
    #[arg(long, value_name = "N", env = "STROWGER_RATE_BURST", default_value_t = Limits::default().burst)]
    rate_burst: u32,
    /// Where SIP listens: `127.0.0.1:5060` for UDP and TCP, `udp:…` or `tcp:…` for one of them. May be repeated.
    /// Without it, the `sip` of [daemon] in the files, or 127.0.0.1:5060.
    #[arg(long, value_name = "ADDRESS")]
    sip: Vec<SipListen>,
    /// The address that peers reach this machine at, where it is behind NAT.
    #[arg(long, value_name = "IP")]
    advertise: Option<IpAddr>,
    /// The UDP ports for media. Without it, the `media_ports` of [daemon] in the files, or 10000-20000.
    #[arg(long, value_name = "FIRST-LAST")]
    media_ports: Option<PortRange>,
}

/// Where the REST API listens where nothing is said: for programs of this machine alone.
const API: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7878);

/// Where SIP listens where nothing is said.
const SIP: SipListen = SipListen { transport: None, addr: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060) };

/// The ports for media where nothing is said.
const MEDIA_PORTS: RangeInclusive<u16> = 10_000..=20_000;

impl Daemon {
    pub fn run(self) -> Result<Exit, Failure> {
        log::start();
        // What is broken elsewhere in the files is told once the daemon serves; how it serves has to be known now.
        let (_, checked) = checked(&self.path)?;
        let Some(settings) = checked.daemon else {
            eprint!("{}", render(&checked.report, Format::Graphical, look(std::io::stderr().is_terminal())));
            return Err(Failure::new(
                "daemon-settings",
                "the [daemon] table of the files is broken, so nothing is served",
            )
            .help("mend it, and start the daemon again"));
        };
        let sip = [self.sip, settings.sip, vec![SIP]].into_iter().find(|list| !list.is_empty()).unwrap_or_default();
        let ports = self.media_ports.or(settings.media_ports).map_or(MEDIA_PORTS, |PortRange(ports)| ports);
        let config = DaemonConfig {
            path: self.path.path.clone(),
            environment: self.path.environment,
            data_dir: data_dir(self.data_dir),
            master_key: master_key()?,
            api: self.api.or(settings.api).unwrap_or(API),
            api_tls: self.api_cert.zip(self.api_key),
            limits: Limits { per_second: self.rate_limit, burst: self.rate_burst },
            sip: sip
                .iter()
                .flat_map(|listen| {
                    listen.transports().iter().map(|transport| Listener { transport: *transport, addr: listen.addr })
                })
                .collect(),
            advertised: self.advertise.or(settings.advertise),
            media_ports: ports,
        };
        let data_dir = config.data_dir.clone();
        let path = self.path.path;
        log::runtime()?.block_on(async {
            let stop = daemon::stop_on_signals()?;
            daemon::run(config, stop, |started| announce(&started, &path, &data_dir), tell).await
        })?;
        print("stopped\n");
        Ok(Exit::Done)
    }
}

fn announce(started: &Started, path: &std::path::Path, data_dir: &std::path::Path) {
    tell(&started.first);
    let sip: Vec<String> =
        started.sip.iter().map(|listener| format!("{}:{}", listener.transport, listener.addr)).collect();
    print(format_args!("strowger {}\n", env!("CARGO_PKG_VERSION")));
    print(format_args!("  files  {}\n", path.display()));
    print(format_args!("  data   {}\n", data_dir.display()));
    print(format_args!("  api    {}\n", started.api));
    print(format_args!("  sip    {}\n", sip.join(", ")));
    if let Some(key) = &started.new_key {
        print(format_args!("  key    {} with the secret {}\n", key.id, key.secret.expose()));
        print("         (made now, and shown this once; `strowger token` makes tokens with it)\n");
    }
    let (numbers, rules) = started.table;
    print(format_args!("ready: {numbers} numbers, {rules} rules\n"));
}

/// Tells what a reconciliation came to.
fn tell(outcome: &Reconciled) {
    let look = look(std::io::stderr().is_terminal());
    match outcome {
        Reconciled::Applied { plan: done, report, digest, .. } => {
            eprint!("{}", render(report, Format::Graphical, look));
            if !done.is_empty() {
                eprint!("{}{}", impact(done), plan::text(done));
            }
            let digest = digest.get(..12).unwrap_or(digest);
            tracing::info!(digest, steps = done.steps.len(), "the files are served");
        }
        Reconciled::Broken(report) => {
            eprint!("{}", render(report, Format::Graphical, look));
            tracing::error!(
                findings = report.findings.len(),
                "the files are broken; what was served before is served on"
            );
        }
        Reconciled::Failed { reason, .. } => {
            tracing::error!(reason, "the files cannot be applied; what was served before is served on");
        }
    }
}
