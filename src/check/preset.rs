//! What is documented of a provider?

use crate::model::{Preset, Provider, SipAddress, SourceNet};

/// The facts that a preset starts from. What a provider does not document for all its customers stays unset:
/// a guessed address would send calls, or admit them, wrongly.
pub(super) fn facts(preset: Preset) -> Provider {
    let (address, sources): (Option<&str>, &[&str]) = match preset {
        // Each trunk has an address of its own. The networks are the documented signalling ranges of the
        // North American edges; other edges are added in the provider's table.
        Preset::Twilio => (None, &["54.172.60.0/30", "54.244.51.0/30"]),
        Preset::Telnyx => (Some("sip.telnyx.com"), &["192.76.120.10", "64.16.250.10"]),
        // Each trunk has an address of its own, and the list of addresses stands in the customer's console.
        Preset::Plivo => (None, &[]),
        Preset::Vonage => (
            Some("sip.nexmo.com"),
            &[
                "216.147.0.1",
                "216.147.0.2",
                "216.147.1.1",
                "216.147.1.2",
                "216.147.2.1",
                "216.147.2.2",
                "216.147.3.1",
                "216.147.3.2",
                "216.147.4.1",
                "216.147.4.2",
                "216.147.5.1",
                "216.147.5.2",
            ],
        ),
        Preset::Custom => (None, &[]),
    };
    Provider {
        preset,
        address: address.and_then(|text| text.parse::<SipAddress>().ok()),
        transport: None,
        sources: sources.iter().filter_map(|text| text.parse::<SourceNet>().ok()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_source_is_an_address() {
        assert_eq!(facts(Preset::Vonage).sources.len(), 12);
        assert_eq!(facts(Preset::Twilio).sources.len(), 2);
        assert!(facts(Preset::Telnyx).address.is_some());
    }
}
