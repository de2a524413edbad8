//! `[gateway.NAME]`

use crate::model::{Sharing, Transport};
use crate::syntax::read::{At, table};
use crate::syntax::value::SecretSource;

table!(
    /// A SIP gateway: how calls come from a provider and go to it.
    GatewayTable {
        /// The label that the far side shows. Without it, the gateway's key.
        name: Option<At<String>>,
        /// The provider that address and transport are taken from where they are not given here.
        provider: Option<At<String>>,
        /// Where outbound calls are sent: a host and perhaps a port.
        #[schemars(example = "sip.example.com:5061")]
        address: Option<At<String>>,
        /// How outbound calls travel. Without it, the provider's, and else `tls`.
        transport: Option<At<Transport>>,
        /// Where calls enter and leave.
        region: Option<At<RegionTable>>,
        /// `shared` for one pair of gateways for all numbers, `dedicated` for a pair each. Without it, `shared`.
        /// It is fixed when the numbers are created.
        sharing: Option<At<Sharing>>,
        /// Whether media is encrypted (SRTP). Without it, false.
        media_encryption: Option<At<bool>>,
        /// Credentials for outbound calls.
        auth: Option<At<AuthTable>>,
        /// The environments in which it is there. Without it, all.
        #[schemars(example = ["prod"])]
        only: Option<At<Vec<At<String>>>>,
    }
);

table!(
    /// Regions of a gateway, by direction.
    RegionTable {
        /// Where the provider's calls come in: `auto`, `us002`, `in002`. Without it, `auto`.
        inbound: Option<At<String>>,
        /// Where calls to the provider go out. Without it, `auto`: the region nearest to the number dialled.
        outbound: Option<At<String>>,
    }
);

table!(
    /// Digest credentials: both or none.
    AuthTable {
        /// The user name.
        username: At<String>,
        /// The password, as a reference.
        password: At<SecretSource>,
    }
);
