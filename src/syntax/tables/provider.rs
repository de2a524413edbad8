//! `[provider.NAME]`

use crate::model::{Preset, Transport};
use crate::syntax::read::{At, table};

table!(
    /// A telephony provider: what its gateways have in common.
    ProviderTable {
        /// Whose documented facts to start from; what stands here beside it wins. Without it, `custom`.
        preset: Option<At<Preset>>,
        /// The SIP address that calls are sent to: a host and perhaps a port.
        #[schemars(example = "sip.example.com:5061")]
        address: Option<At<String>>,
        /// How SIP messages travel.
        transport: Option<At<Transport>>,
        /// The addresses and networks that the provider's calls come from. Rules name them as `provider.NAME`.
        #[schemars(example = ["192.0.2.0/24"])]
        ips: Option<At<Vec<At<String>>>>,
    }
);
