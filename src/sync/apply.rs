//! How is a plan carried out?

use crate::api::{
    Auth, Call, CreateNumbers, CreateRule, DeleteInboundGateway, DeleteOutboundGateway, DeleteRule, DetachBody,
    DetachNumber, GatewayPatch, Handle, InboundSide, NewNumbers, NewRule, OutboundSide, Patch, ReleaseNumber,
    RulePatch, UpdateGateway, UpdateRule, WireSecret, Word,
};
use crate::model::{Direction, Exchange, Gateway, GatewayName, Secret, SecretRef, Sharing};
use crate::plan::{Action, GatewayChange, Plan, Step};

use super::Remote;

/// A step that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The object as the files name it.
    pub object: String,
    /// The id that the far side gave, where the step made something that says so.
    pub id: Option<String>,
}

/// What applying came to.
#[derive(Debug)]
pub struct Applied<F: std::error::Error> {
    /// The steps that were done, in order.
    pub done: Vec<Done>,
    /// The step that failed, which ended the run; the next plan takes up from there.
    pub failed: Option<(Step, ApplyError<F>)>,
    /// How many steps were not begun.
    pub left: usize,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError<F: std::error::Error> {
    /// The far side refused it, or could not be reached.
    #[error("{0}")]
    Call(F),
    /// A secret that the step needs cannot be had.
    #[error("{0}")]
    Secret(String),
    /// The plan names a gateway that its configuration does not have.
    #[error("the plan names the gateway {0}, which the files do not have")]
    Gateway(GatewayName),
}

/// Carries a plan out, step by step. The first failure ends it: what follows may depend on it, and the next plan
/// finds whatever was done.
///
/// `secret` reads a secret at the moment when it is sent; `told` hears of each step that is done.
pub async fn apply<R: Remote>(
    plan: &Plan,
    exchange: &Exchange,
    remote: &R,
    secret: impl Fn(&SecretRef) -> Result<Secret, String> + Send + Sync,
    mut told: impl FnMut(&Step, &Done) + Send,
) -> Applied<R::Failure> {
    let mut done = Vec::new();
    for (at, step) in plan.steps.iter().enumerate() {
        match one(step, exchange, remote, &secret).await {
            Ok(id) => {
                let outcome = Done { object: step.object.clone(), id };
                told(step, &outcome);
                done.push(outcome);
            }
            Err(error) => {
                return Applied { done, failed: Some((step.clone(), error)), left: plan.steps.len() - at - 1 };
            }
        }
    }
    Applied { done, failed: None, left: 0 }
}

/// The changes that clear what goes beyond the vendor's contract.
const BEYOND: [&str; 7] =
    ["priority", "schedule", "block.callers", "block.ips", "split", "failover.gateways", "failover.move_on"];

async fn one<R: Remote>(
    step: &Step,
    exchange: &Exchange,
    remote: &R,
    secret: &(impl Fn(&SecretRef) -> Result<Secret, String> + Send + Sync),
) -> Result<Option<String>, ApplyError<R::Failure>> {
    let failed = ApplyError::Call;
    match &step.action {
        Action::CreateNumbers { gateway, label, numbers } => {
            let declared = exchange.gateways().get(gateway).ok_or_else(|| ApplyError::Gateway(gateway.clone()))?;
            let bound = declared.value.clone().try_map(|reference| secret(&reference)).map_err(ApplyError::Secret)?;
            let numbers = numbers.iter().map(|number| number.to_string()).collect();
            let body = new_numbers(label.clone(), numbers, bound);
            Handle::<CreateNumbers>::handle(remote, Call::with_body(body)).await.map_err(failed)?;
            Ok(None)
        }
        Action::UpdateGateway { id, change } => {
            let body = gateway_patch(change, secret).map_err(ApplyError::Secret)?;
            let call = Call::of_with_body(id.as_str(), body);
            Handle::<UpdateGateway>::handle(remote, call).await.map_err(failed)?;
            Ok(None)
        }
        Action::DetachNumber { number } => {
            let body = DetachBody { phone_number: number.to_string() };
            Handle::<DetachNumber>::handle(remote, Call::with_body(body)).await.map_err(failed)?;
            Ok(None)
        }
        Action::ReleaseNumber { id, .. } => {
            Handle::<ReleaseNumber>::handle(remote, Call::of(id.as_str())).await.map_err(failed)?;
            Ok(None)
        }
        Action::DeleteGateway { id, direction: Direction::Inbound } => {
            Handle::<DeleteInboundGateway>::handle(remote, Call::of(id.as_str())).await.map_err(failed)?;
            Ok(None)
        }
        Action::DeleteGateway { id, direction: Direction::Outbound } => {
            Handle::<DeleteOutboundGateway>::handle(remote, Call::of(id.as_str())).await.map_err(failed)?;
            Ok(None)
        }
        Action::CreateRule { rule, tags, .. } => {
            let fields = RulePatch::from_model(rule, tags.clone());
            let body = NewRule { kind: Word::Known(rule.direction()), fields };
            let created = Handle::<CreateRule>::handle(remote, Call::with_body(body)).await.map_err(failed)?;
            Ok(Some(created.id))
        }
        Action::UpdateRule { id, rule, tags, .. } => {
            let mut fields = RulePatch::from_model(rule, tags.clone());
            let goes = |field: &str| step.changes.iter().any(|change| change.field == field && change.before.is_some());
            if rule.beyond.is_plain() && BEYOND.iter().any(|field| goes(field)) {
                fields.strowger = Patch::Clear;
            }
            let call = Call::of_with_body(id.as_str(), fields);
            Handle::<UpdateRule>::handle(remote, call).await.map_err(failed)?;
            Ok(None)
        }
        Action::TakeNumbers { id, left } => {
            let call = Call::of_with_body(id.as_str(), RulePatch::numbers(left.iter().copied()));
            Handle::<UpdateRule>::handle(remote, call).await.map_err(failed)?;
            Ok(None)
        }
        Action::DeleteRule { id } => {
            Handle::<DeleteRule>::handle(remote, Call::of(id.as_str())).await.map_err(failed)?;
            Ok(None)
        }
    }
}

fn new_numbers(name: String, phone_numbers: Vec<String>, gateway: Gateway<Secret>) -> NewNumbers {
    NewNumbers {
        name,
        phone_numbers,
        is_shared: gateway.sharing == Sharing::Shared,
        media_encryption: Some(gateway.media_encryption.to_string()),
        inbound: InboundSide { sip_region: Some(gateway.regions.inbound.0) },
        outbound: OutboundSide {
            address: gateway.address.to_string(),
            sip_region: Some(gateway.regions.outbound.0),
            transport: Some(gateway.transport.to_string()),
            auth: gateway
                .credentials
                .map(|credentials| Auth { username: credentials.username, password: WireSecret(credentials.password) }),
        },
    }
}

fn gateway_patch(
    change: &GatewayChange,
    secret: impl Fn(&SecretRef) -> Result<Secret, String>,
) -> Result<GatewayPatch, String> {
    let auth = match &change.credentials {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some((username, password))) => {
            Patch::Set(Auth { username: username.clone(), password: WireSecret(secret(password)?) })
        }
    };
    Ok(GatewayPatch {
        name: change.name.clone(),
        media_encryption: change.media_encryption.clone(),
        sip_region: change.region.clone(),
        address: change.address.clone(),
        transport: change.transport.clone(),
        auth,
        ..GatewayPatch::default()
    })
}
