//! What do the files say that only this daemon does, and the store does not know?

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::agent::Directory;
use crate::model::{Exchange, RuleBook, RuleName, Secret, SecretRef, StackName};
use crate::plan::Mark;
use crate::route::Table;
use crate::switch::Routing;

/// Settings for our own runtime, of the last good configuration.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    agents: Arc<Directory>,
    answer_first: BTreeSet<RuleName>,
    stack: Option<StackName>,
}

impl Settings {
    /// Those of a configuration, with its secrets.
    ///
    /// # Errors
    /// Of the first secret that cannot be had.
    pub fn of(exchange: &Exchange, secret: impl Fn(&SecretRef) -> Result<Secret, String>) -> Result<Self, String> {
        let reachable = exchange.agents().values().filter_map(|agent| Some((&agent.id, agent.endpoint.as_ref()?)));
        let bound: Result<Directory, String> =
            reachable.map(|(id, endpoint)| Ok((id.clone(), endpoint.bind(&secret)?))).collect();
        Ok(Self {
            agents: Arc::new(bound?),
            answer_first: exchange.answer_first().clone(),
            stack: Some(exchange.stack().clone()),
        })
    }

    /// By what calls are taken, with the rules of the store.
    pub fn routing(&self, book: &RuleBook) -> Routing {
        let ours = book.rules.iter().filter(|booked| {
            let mut marks = booked.rule.tags.iter().filter_map(|tag| tag.parse::<Mark>().ok());
            marks.any(|mark| Some(&mark.stack) == self.stack.as_ref() && self.answer_first.contains(&mark.key))
        });
        let answer_first = ours.map(|booked| booked.id.clone()).collect();
        Routing { table: Table::build(book), agents: Arc::clone(&self.agents), answer_first }
    }
}
