//! What do the tables of providers and gateways mean?

use super::names::Names;
use super::{preset, rules};
use crate::diagnostic::Span;
use crate::model::{
    Credentials, Gateway, MediaEncryption, Preset, Provider, ProviderName, Region, Regions, SecretRef, Sharing,
    SipAddress, Transport,
};
use crate::syntax::At;
use crate::syntax::tables::{GatewayTable, ProviderTable};

/// The port of SIP over UDP and TCP, and that of SIP over TLS (RFC 3261 section 19.1.2).
const PORTS: (u16, u16) = (5060, 5061);

pub(super) fn provider(names: &Names, name: &At<String>, table: &ProviderTable) -> Option<Provider> {
    let _: ProviderName = names.name("the name of a provider", name)?;
    let preset = table.preset.as_ref().map_or(Preset::Custom, |preset| preset.value);
    let facts = preset::facts(preset);
    let address = table.address.as_ref().map(|text| names.address(text));
    let sources = table.ips.as_ref().map(|ips| {
        let read: Vec<Option<_>> = ips.value.iter().map(|ip| names.source(ip)).collect();
        read.into_iter().collect::<Option<Vec<_>>>()
    });
    if let (Some(Some(address)), Some(at), Some(transport)) = (&address, &table.address, &table.transport) {
        port(names, address, &at.span, transport.value, Some(&transport.span));
    }
    Some(Provider {
        preset,
        address: address.map_or(Some(facts.address), |address| address.map(Some))?,
        transport: table.transport.as_ref().map(|word| word.value).or(facts.transport),
        sources: sources.unwrap_or(Some(facts.sources))?,
    })
}

pub(super) fn gateway(names: &Names, name: &At<String>, table: &GatewayTable) -> Option<Gateway<SecretRef>> {
    let own = table.address.as_ref().map(|text| names.address(text));
    let provider = table.provider.as_ref().map(|reference| names.refer("provider", reference, &names.providers));
    let key = names.name("the name of a gateway", name);
    let label = table.name.as_ref().map(|text| names.label("the label of a gateway", text));
    let password = table.auth.as_ref().map(|auth| names.secret(&auth.value.password));
    // A broken provider or address was reported where it stands.
    let provider = provider.map_or(Some(None), |provider| provider.map(Some))?;
    let chosen = table.transport.as_ref();
    let transport = chosen.map(|word| word.value).or(provider.and_then(|provider| provider.transport));
    let transport = transport.unwrap_or(Transport::Tls);
    let address = match own {
        Some(address) => {
            if let (Some(address), Some(at)) = (&address, &table.address) {
                port(names, address, &at.span, transport, chosen.map(|word| &word.span));
            }
            address?
        }
        None => match provider.and_then(|provider| provider.address.clone()) {
            Some(address) => address,
            None => {
                let provider = table.provider.as_ref().map(|name| name.value.as_str());
                names.report(rules::gateway_address_missing::finding(&name.value, &name.span, provider));
                return None;
            }
        },
    };
    let region = |text: Option<&At<String>>| text.map_or_else(Region::default, |text| Region(text.value.clone()));
    let regions = table.region.as_ref().map_or_else(Regions::default, |region_table| Regions {
        inbound: region(region_table.value.inbound.as_ref()),
        outbound: region(region_table.value.outbound.as_ref()),
    });
    Some(Gateway {
        name: key?,
        label,
        address,
        transport,
        regions,
        sharing: table.sharing.as_ref().map_or(Sharing::Shared, |word| word.value),
        media_encryption: match table.media_encryption.as_ref().is_some_and(|flag| flag.value) {
            true => MediaEncryption::Enable,
            false => MediaEncryption::Disable,
        },
        credentials: table
            .auth
            .as_ref()
            .zip(password)
            .map(|(auth, password)| Credentials { username: auth.value.username.value.clone(), password }),
    })
}

/// Warns of a port that is known to be another transport's.
fn port(names: &Names, address: &SipAddress, span: &Span, transport: Transport, chosen: Option<&Span>) {
    let (clear, tls) = PORTS;
    let other = match (address.port(), transport) {
        (Some(port), Transport::Udp | Transport::Tcp) if port == tls => "tls",
        (Some(port), Transport::Tls) if port == clear => "udp and tcp",
        _ => return,
    };
    let port = address.port().unwrap_or_default();
    let transport = transport.to_string();
    names.report(rules::port_transport_mismatch::finding(port, &transport, span, chosen, other));
}
