//! Which relationships of an agent a client wants to see.

use axum::{extract::FromRequestParts, http::request::Parts};
use mneme_domain::agent::Include;
use utoipa::IntoParams;

use super::{client::Client, error::ApiError, query};
use crate::app::AppState;

/// What `include` and `include_relationships` ask for, or the client's generation gets by default.
#[derive(Debug, Clone, Copy)]
pub struct Wanted(pub Include);

/// The same for the API's description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters that `Wanted` reads")]
pub struct IncludeParams {
    /// The relationships to show, such as `agent.blocks`, `agent.tools`, `agent.tags`, and `agent.pending_approval`. Clients of the 1.x generation
    /// see none unless they ask, others see all.
    include: Option<Vec<String>>,
    /// The same in the words of older clients: `memory`, `tools`, `tags`, ….
    include_relationships: Option<Vec<String>>,
}

impl FromRequestParts<AppState> for Wanted {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        let pairs = query::pairs(parts.uri.query().unwrap_or_default())?;
        let named =
            |(key, _): &&(String, String)| matches!(key.trim_end_matches("[]"), "include" | "include_relationships");
        let names: Vec<&str> = pairs.iter().filter(named).flat_map(|(_, value)| value.split(',')).collect();
        if !names.is_empty() {
            return Ok(Self(Include::from_names(&names)));
        }
        Ok(Self(match Client::of(&parts.headers) {
            Client::Classic => Include::ALL,
            Client::Current => Include::NONE,
        }))
    }
}
