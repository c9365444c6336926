//! Lists archives.

use axum::{Json, extract::State};
use mneme_core::ArchiveFilter;
use mneme_domain::{AgentId, Order, archive::Archive};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, ApiError, Caller, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
        path::parse_query,
    },
    routes::refusals::Common,
};

/// Which archives.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact name.
    name: Option<String>,
    /// Only the archives of this agent.
    agent_id: Option<String>,
}

impl Params {
    fn filter(self) -> Result<ArchiveFilter, ApiError> {
        let agent = self.agent_id.filter(|id| !id.is_empty());
        let agent_id = agent.map(|id| parse_query::<AgentId>("agent_id", &id)).transpose()?;
        Ok(ArchiveFilter { name: self.name, agent_id })
    }
}

/// Lists archives.
#[utoipa::path(
    get,
    path = "/v1/archives",
    operation_id = "archives.list-archives",
    tag = "archives",
    params(PageParams, Params),
    responses((status = 200, description = "The archives.", body = Vec<Archive>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Archive>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_archives(&actor, params.filter()?, &page).await?))
}
