//! `strowger daemon`

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use crate::daemon::{self, DaemonConfig, Reconciled, Started};
use crate::diagnostic::{Format, render};
use crate::model::Transport;
use crate::plan;
use crate::sip::Listener;

use super::compile::{PathArg, look};
use super::exit::{Exit, Failure, print};
use super::impact::impact;
use super::log;
use super::target::data_dir;

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
    /// Where the REST API listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7878")]
    api: SocketAddr,
    /// Where SIP listens: `127.0.0.1:5060` for UDP and TCP, `udp:…` or `tcp:…` for one of them. May be repeated.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5060")]
    sip: Vec<SipArg>,
    /// The address that peers reach this machine at, where it is behind NAT.
    #[arg(long, value_name = "IP")]
    advertise: Option<IpAddr>,
    /// The UDP ports for media.
    #[arg(long, value_name = "FIRST-LAST", default_value = "10000-20000")]
    media_ports: PortsArg,
}

/// One value of `--sip`.
#[derive(Debug, Clone)]
struct SipArg {
    transports: &'static [Transport],
    addr: SocketAddr,
}

impl FromStr for SipArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (transports, addr): (&[Transport], &str) = match text.split_once(':') {
            Some(("udp", addr)) => (&[Transport::Udp], addr),
            Some(("tcp", addr)) => (&[Transport::Tcp], addr),
            Some(("tls", _)) => return Err("SIP over TLS is not served yet; use udp or tcp".to_owned()),
            _ => (&[Transport::Udp, Transport::Tcp], text),
        };
        let addr = addr.parse().map_err(|_| "write an address and a port, such as 127.0.0.1:5060".to_owned())?;
        Ok(Self { transports, addr })
    }
}

/// The value of `--media-ports`.
#[derive(Debug, Clone)]
struct PortsArg(RangeInclusive<u16>);

impl FromStr for PortsArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.split_once('-').and_then(|(first, last)| {
            let (first, last) = (first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?);
            (first > 0 && first <= last).then_some(first..=last)
        });
        range.map(Self).ok_or_else(|| "write two ports, the first not above the last, such as 10000-20000".to_owned())
    }
}

impl Daemon {
    pub fn run(self) -> Result<Exit, Failure> {
        log::start();
        let config = DaemonConfig {
            path: self.path.path.clone(),
            data_dir: data_dir(self.data_dir),
            api: self.api,
            sip: self
                .sip
                .iter()
                .flat_map(|arg| {
                    arg.transports.iter().map(|transport| Listener { transport: *transport, addr: arg.addr })
                })
                .collect(),
            advertised: self.advertise,
            media_ports: self.media_ports.0,
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
    print(format_args!("  api    http://{}\n", started.api));
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
