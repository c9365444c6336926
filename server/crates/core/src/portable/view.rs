//! Which messages of an agent are in view: what the file says, and what becomes of it.

use std::collections::{HashMap, HashSet};

use mneme_domain::{JsonObject, MessageId};

use super::{
    lenient::{Fault, field},
    outline::Messages,
};

/// Which messages of the file are in view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// None but the instructions.
    Nothing,
    Everything,
    Named(Vec<String>),
    Places(Vec<usize>),
}

/// Which messages are in view, by the words of either format.
pub fn view_of(fields: &JsonObject) -> Result<View, Fault> {
    if let Some(places) = field::<Vec<usize>>(fields, "in_context_message_indices")? {
        return Ok(View::Places(places));
    }
    Ok(match field::<Vec<String>>(fields, "in_context_message_ids")? {
        Some(names) => View::Named(names),
        None => View::Everything,
    })
}

/// Whether the first message in view is the agent's instructions.
pub fn opens_with_system(view: &View, messages: &Messages) -> bool {
    let mut system = messages.system.iter();
    match view {
        View::Nothing => false,
        View::Everything => system.next().is_some_and(|(place, _)| *place == 0),
        View::Places(places) => places.first().is_some_and(|first| system.any(|(place, _)| place == first)),
        View::Named(names) => names.first().is_some_and(|first| system.any(|(_, id)| id.as_ref() == Some(first))),
    }
}

/// The messages in view, collected while they are written.
pub struct InView {
    view: View,
    named: HashMap<String, MessageId>,
    placed: HashMap<usize, MessageId>,
    all: Vec<MessageId>,
}

impl InView {
    pub fn new(view: View) -> Self {
        Self { view, named: HashMap::new(), placed: HashMap::new(), all: Vec::new() }
    }

    /// Whether a message is the first of them.
    pub fn is_first(&self, place: usize, name: Option<&str>) -> bool {
        match &self.view {
            View::Nothing => false,
            View::Everything => place == 0,
            View::Places(places) => places.first() == Some(&place),
            View::Named(names) => name.is_some() && names.first().map(String::as_str) == name,
        }
    }

    /// Takes note of a message's new identifier.
    pub fn note(&mut self, place: usize, name: Option<&str>, id: &MessageId) {
        match &self.view {
            View::Nothing => {}
            View::Everything => self.all.push(id.clone()),
            View::Places(places) if places.contains(&place) => drop(self.placed.insert(place, id.clone())),
            View::Named(names) => {
                if let Some(name) = name.filter(|name| names.iter().any(|known| known == name)) {
                    self.named.entry(name.to_owned()).or_insert_with(|| id.clone());
                }
            }
            View::Places(_) => {}
        }
    }

    /// The messages in view, in the order of the file's list; names of nothing are passed over.
    pub fn ids(self) -> Vec<MessageId> {
        let mut ids: Vec<MessageId> = match self.view {
            View::Nothing => Vec::new(),
            View::Everything => self.all,
            View::Places(places) => places.iter().filter_map(|place| self.placed.get(place).cloned()).collect(),
            View::Named(names) => names.iter().filter_map(|name| self.named.get(name).cloned()).collect(),
        };
        let mut seen = HashSet::new();
        ids.retain(|id| seen.insert(id.clone()));
        ids
    }
}
