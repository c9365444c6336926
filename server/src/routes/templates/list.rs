//! Lists templates.

use axum::{Json, extract::State};
use mneme_core::TemplateFilter;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::view::{TemplateView, Window, cut};
use crate::{
    app::AppState,
    http::{Answer, Caller, Query},
    routes::refusals::Common,
};

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TemplateSort {
    /// The last change, the newest first.
    UpdatedAt,
    /// The creation, the newest first.
    CreatedAt,
}

/// Which templates.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// How many to leave out before.
    offset: Option<u32>,
    /// How many at most.
    limit: Option<u32>,
    /// Whether `name` is a whole name, as it is unless this is `false`.
    exact: Option<String>,
    /// The number of a version: only templates that have it. `latest` is the same as none.
    version: Option<String>,
    /// The exact template.
    template_id: Option<String>,
    /// The name.
    name: Option<String>,
    /// A part of the name.
    search: Option<String>,
    /// The project.
    project_slug: Option<String>,
    /// The project.
    project_id: Option<String>,
    /// What the list is sorted by.
    #[param(inline)]
    sort_by: Option<TemplateSort>,
}

/// A page of templates.
#[derive(Debug, Serialize, ToSchema)]
pub struct Templates {
    templates: Vec<TemplateView>,
    has_next_page: bool,
}

/// Lists templates.
#[utoipa::path(
    get,
    path = "/v1/templates",
    operation_id = "templates.list",
    tag = "templates",
    params(Params),
    responses((status = 200, description = "The templates.", body = Templates), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Query(params): Query<Params>,
) -> Answer<Templates> {
    let project = app.core.project(&actor);
    let places = [&params.project_id, &params.project_slug];
    if places.into_iter().flatten().any(|place| !place.is_empty() && !project.is_named(place)) {
        return Ok(Json(Templates { templates: Vec::new(), has_next_page: false }));
    }
    let (limit, offset) = Window { limit: params.limit, offset: params.offset }.bounds();
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (mut name, mut search) = (given(params.name), given(params.search));
    if params.exact.as_deref() == Some("false") {
        search = search.or(name.take());
    }
    let filter = TemplateFilter {
        id: given(params.template_id),
        name,
        search,
        // A version that is no number is one that nothing has.
        version: given(params.version).filter(|version| version != "latest").map(|text| text.parse().unwrap_or(0)),
        by_creation: params.sort_by == Some(TemplateSort::CreatedAt),
        limit: limit + 1,
        offset,
    };
    let mut found = app.core.list_templates(&actor, &filter).await?;
    let has_next_page = cut(&mut found, limit);
    let templates = found.into_iter().map(|template| TemplateView::of(&project, template)).collect();
    Ok(Json(Templates { templates, has_next_page }))
}
