//! Messages: talking to agents, and what was said.

mod cancel;
mod create;
mod create_async;
pub mod list;
mod list_all;
mod modify;
mod preview;
mod reset;
mod retrieve;
mod search;
mod search_all;
mod stream;
mod summarize;
pub mod turn;

use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::AppState;

/// Whether a conversation is another one than an agent's own. This server keeps none of those, so nothing is found in
/// them. Clients call an agent's own `default`.
pub fn elsewhere(conversation: Option<&str>) -> bool {
    conversation.is_some_and(|id| !id.is_empty() && id != "default")
}

/// The routes.
pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create::create))
        .routes(routes!(stream::stream))
        .routes(routes!(create_async::create))
        .routes(routes!(cancel::cancel))
        .routes(routes!(summarize::summarize))
        .routes(routes!(search::search))
        .routes(routes!(search_all::search))
        .routes(routes!(list_all::list))
        .routes(routes!(preview::preview))
        .routes(routes!(modify::modify))
        .routes(routes!(reset::reset))
        .routes(routes!(retrieve::retrieve))
}
