//! The only crate that talks to a database: tenants' data in SQLite or PostgreSQL behind one set of functions.
//!
//! [`Store::read`] and [`Store::write`] give a [`Conn`]; each entity's module holds free functions that take
//! it and the [`Actor`](mneme_domain::Actor) on whose behalf they run. Every statement is limited to the
//! actor's organisation, so another tenant's identifier is as unknown as one that never was.
//!
//! Functions that change several rows expect to run in a transaction ([`Store::write`]).

pub mod agents;
pub mod archives;
pub mod batches;
pub mod blocks;
mod checkpoint;
pub mod client_tokens;
mod config;
mod conn;
pub mod denials;
mod error;
pub mod files;
pub mod folders;
pub mod groups;
pub mod identities;
mod json;
mod keys;
mod lane;
mod link;
pub mod mcp;
pub mod messages;
mod migrate;
mod open;
mod page;
pub mod passages;
mod presence;
pub mod providers;
mod query;
pub mod runs;
mod script;
mod secrets;
mod sql;
pub mod steps;
mod store;
pub mod tags;
pub mod templates;
pub mod tenants;
#[cfg(test)]
mod tests;
pub mod tools;
pub mod variables;
mod vectors;

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

pub use config::{MasterKey, StoreConfig};
pub use conn::Conn;
pub use error::{Result, StoreError};
pub use presence::Presence;
pub use store::{Engine, Store};

/// Puts rows into the order of the keys that were asked for; a key asked for twice gives its row twice.
fn in_order<K: Eq + Hash, T: Clone>(keys: &[K], rows: Vec<T>, key_of: impl Fn(&T) -> K) -> Vec<T> {
    let by_key: HashMap<K, T> = rows.into_iter().map(|row| (key_of(&row), row)).collect();
    keys.iter().filter_map(|key| by_key.get(key).cloned()).collect()
}

/// The items, each once, in the order of their first appearance.
fn distinct<T: Clone + Eq + Hash>(items: &[T]) -> Vec<T> {
    let mut seen = HashSet::new();
    items.iter().filter(|item| seen.insert(*item)).cloned().collect()
}
