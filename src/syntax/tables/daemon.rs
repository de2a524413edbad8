//! `[daemon]`

use crate::syntax::read::{At, table};
use crate::syntax::value::OneOrMany;

table!(
    /// How `strowger daemon` serves. Each key is a flag of that command, and the flag wins. A change is taken up when
    /// the daemon is started again.
    DaemonTable {
        /// Where the REST API listens. Without it, `127.0.0.1:7878`.
        #[schemars(example = &"127.0.0.1:7878")]
        api: Option<At<String>>,
        /// Where SIP listens: an address for UDP and TCP, `udp:…` or `tcp:…` for one of them. Without it,
        /// `127.0.0.1:5060`.
        #[schemars(example = ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"])]
        sip: Option<At<OneOrMany>>,
        /// The address that peers reach this machine at, where it is behind NAT.
        #[schemars(example = &"203.0.113.7")]
        advertise: Option<At<String>>,
        /// The UDP ports for media. Without it, `10000-20000`.
        #[schemars(example = &"10000-20000")]
        media_ports: Option<At<String>>,
    }
);
