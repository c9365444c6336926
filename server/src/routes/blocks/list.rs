//! Lists blocks.

use axum::{Json, extract::State};
use mneme_core::BlockFilter;
use mneme_domain::{Order, block::Block};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
        query,
    },
    routes::refusals::Common,
};

/// Which blocks.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The exact label.
    label: Option<String>,
    /// Only templates.
    #[serde(default, deserialize_with = "query::flag")]
    templates_only: Option<bool>,
    /// The exact template name.
    name: Option<String>,
    /// An identity that the blocks belong to.
    identity_id: Option<String>,
    /// Keys of such identities.
    #[serde(default)]
    #[param(required = false)]
    identifier_keys: Vec<String>,
    /// The exact project.
    project_id: Option<String>,
    /// Part of the label.
    label_search: Option<String>,
    /// Part of the description.
    description_search: Option<String>,
    /// Part of the value.
    value_search: Option<String>,
    /// Attached to more agents than this.
    connected_to_agents_count_gt: Option<i64>,
    /// Attached to fewer agents than this.
    connected_to_agents_count_lt: Option<i64>,
    /// Attached to one of these numbers of agents.
    #[serde(default)]
    #[param(required = false)]
    connected_to_agents_count_eq: Vec<i64>,
    /// Labels of blocks, of newer clients. This server keeps none, so with one nothing is found.
    #[serde(default)]
    #[param(required = false)]
    tags: Vec<String>,
}

impl Params {
    fn filter(self) -> BlockFilter {
        BlockFilter {
            label: self.label,
            label_search: self.label_search,
            value_search: self.value_search,
            description_search: self.description_search,
            name: self.name,
            templates_only: self.templates_only.unwrap_or(false),
            project_id: self.project_id,
            identity_id: self.identity_id,
            identifier_keys: self.identifier_keys,
            connected_eq: self.connected_to_agents_count_eq,
            connected_gt: self.connected_to_agents_count_gt,
            connected_lt: self.connected_to_agents_count_lt,
            include_hidden: false,
        }
    }
}

/// Lists blocks.
#[utoipa::path(
    get,
    path = "/v1/blocks",
    operation_id = "blocks.list",
    tag = "blocks",
    params(PageParams, Params),
    responses((status = 200, description = "The blocks.", body = Vec<Block>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Block>> {
    if params.tags.iter().any(|tag| !tag.is_empty()) {
        return Ok(Json(Vec::new()));
    }
    let page = paging.page(Order::Asc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_blocks(&actor, params.filter(), &page).await?))
}
