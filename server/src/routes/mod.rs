//! The API's routes, a folder for each resource and a file for each verb.
//!
//! A handler reads the request, calls the core and answers; it decides nothing.

pub mod agent_blocks;
pub mod agent_files;
pub mod agent_folders;
pub mod agent_tools;
pub mod agents;
pub mod archival;
pub mod archives;
pub mod batches;
pub mod blocks;
pub mod chat;
pub mod client_tokens;
pub mod folders;
pub mod groups;
pub mod health;
pub mod identities;
pub mod jobs;
pub mod mcp_servers;
pub mod mcp_tools;
pub mod messages;
pub mod models;
pub mod organizations;
pub mod passages;
pub mod projects;
pub mod providers;
pub mod refusals;
pub mod runs;
pub mod steps;
pub mod tags;
pub mod templates;
pub mod tools;

use utoipa_axum::router::OpenApiRouter;

use crate::app::AppState;

/// All routes.
pub fn all() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(health::routes())
        .merge(models::routes())
        .merge(agents::routes())
        .merge(agent_blocks::routes())
        .merge(agent_tools::routes())
        .merge(agent_folders::routes())
        .merge(agent_folders::sources())
        .merge(agent_files::routes())
        .merge(folders::routes())
        .merge(folders::sources())
        .merge(archival::routes())
        .merge(archives::routes())
        .merge(passages::routes())
        .merge(messages::routes())
        .merge(batches::routes())
        .merge(chat::routes())
        .merge(blocks::routes())
        .merge(identities::routes())
        .merge(groups::routes())
        .merge(tools::routes())
        .merge(mcp_tools::routes())
        .merge(mcp_servers::routes())
        .merge(runs::routes())
        .merge(jobs::routes())
        .merge(steps::routes())
        .merge(tags::routes())
        .merge(providers::routes())
        .merge(organizations::routes())
        .merge(projects::routes())
        .merge(templates::routes())
        .merge(client_tokens::routes())
}
