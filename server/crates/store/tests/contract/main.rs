//! What the store promises, checked from the same code on SQLite and on PostgreSQL.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]
#![expect(clippy::disallowed_methods, reason = "tests share a database and only need names that differ")]

mod agent_lists;
mod agent_parts;
mod agents;
mod archives;
mod batches;
mod block_lists;
mod blocks;
mod client_tokens;
mod components;
mod denials;
mod files;
mod fixtures;
mod groups;
mod identities;
mod large_spaces;
mod leases;
mod mcp;
mod messages;
mod providers;
mod run_events;
mod runs;
mod search;
mod steps;
mod store;
mod templates;
mod tenancy;
mod together;
mod tools;
mod variables;

/// Makes a test for each database out of each function `async fn(World)`.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test] async fn $name() { super::$name(crate::fixtures::World::sqlite().await).await; })+
        }
        mod postgres {
            $(#[tokio::test] async fn $name() { super::$name(crate::fixtures::World::postgres().await).await; })+
        }
    };
}
pub(crate) use on_both;
