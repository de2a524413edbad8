//! A whole file.

use super::{
    AccountTable, AgentTable, GatewayTable, NumberTable, ProviderTable, RoomTable, RuleTable, StackTable, TestTable,
};
use crate::syntax::read::{At, Tables, table};

table!(
    /// A strowger configuration: phone numbers, SIP gateways and the rules by which calls are routed.
    #[allow(dead_code, reason = "`draft` reads each key of a file on its own, so that one broken table costs no other")]
    RootTable {
        /// The version of this language. Always 1.
        schema: Option<At<u16>>,
        /// What this configuration is.
        stack: Option<At<StackTable>>,
        /// The account that `plan` and `apply` talk to; without it, the daemon on this machine.
        account: Option<At<AccountTable>>,
        /// Telephony providers, by name.
        provider: Tables<ProviderTable>,
        /// SIP gateways, by name.
        gateway: Tables<GatewayTable>,
        /// Phone numbers, by E.164 number: `[number."+14155550100"]`.
        number: Tables<NumberTable>,
        /// AI agents that rules may dispatch, by name.
        agent: Tables<AgentTable>,
        /// Rooms that rules may name, by name.
        room: Tables<RoomTable>,
        /// Routing rules, by name.
        rule: Tables<RuleTable>,
        /// Calls that nobody makes, and the decisions that are expected of them: `[[test]]`.
        test: Option<At<Vec<At<TestTable>>>>,
    }
);
