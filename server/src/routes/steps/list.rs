//! Lists steps.

use axum::{Json, extract::State};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use mneme_core::StepFilter;
use mneme_domain::{
    AgentId, Order,
    step::{Feedback, Step},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    app::AppState,
    http::{
        Answer, Caller, Paging, Query,
        page::{DEFAULT_LIMIT, PageParams},
        path::parse_query,
        problem::Problem,
        query,
    },
    routes::refusals::Common,
};

/// Which steps.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// Begun then or later: a date, or a time in ISO 8601.
    start_date: Option<String>,
    /// Begun then or earlier: a date, or a time in ISO 8601.
    end_date: Option<String>,
    /// The model's name.
    model: Option<String>,
    /// The agent that took them.
    agent_id: Option<String>,
    /// Any of these traces.
    #[serde(default)]
    #[param(required = false)]
    trace_ids: Vec<String>,
    /// The judgement that was given.
    #[param(inline)]
    feedback: Option<Feedback>,
    /// Whether any judgement was given.
    #[serde(default, deserialize_with = "query::flag")]
    has_feedback: Option<bool>,
    /// Any of these labels.
    #[serde(default)]
    #[param(required = false)]
    tags: Vec<String>,
    /// The exact project.
    project_id: Option<String>,
}

impl Params {
    fn filter(self) -> Result<StepFilter, Problem> {
        let read = |key: &str, text: &Option<String>, end_of_day: bool| {
            text.as_deref().filter(|text| !text.is_empty()).map(|text| time(key, text, end_of_day)).transpose()
        };
        Ok(StepFilter {
            agent_id: self.agent_id.as_deref().map(|id| parse_query::<AgentId>("agent_id", id)).transpose()?,
            run_id: None,
            model: self.model,
            feedback: self.feedback,
            has_feedback: self.has_feedback,
            start: read("start_date", &self.start_date, false)?,
            end: read("end_date", &self.end_date, true)?,
            tags: self.tags,
            trace_ids: self.trace_ids,
            project_id: self.project_id,
        })
    }
}

/// Reads a time; one without an offset is UTC, and a bare date means the whole day.
fn time(key: &str, text: &str, end_of_day: bool) -> Result<DateTime<Utc>, Problem> {
    // A plus sign that was not escaped arrives as a space.
    let text = text.replace(' ', "+");
    if let Ok(time) = DateTime::parse_from_rfc3339(&text) {
        return Ok(time.to_utc());
    }
    let local = text.replacen('+', "T", 1);
    if let Ok(time) = local.parse::<NaiveDateTime>() {
        return Ok(time.and_utc());
    }
    let day = text.parse::<NaiveDate>().ok();
    let of_day = day
        .and_then(|day| if end_of_day { day.and_hms_micro_opt(23, 59, 59, 999_999) } else { day.and_hms_opt(0, 0, 0) });
    of_day.map(|time| time.and_utc()).ok_or_else(|| {
        Problem::new("datetime_parsing", vec!["query".into(), key.into()], "Input should be a valid datetime")
            .input(text.into())
    })
}

/// Lists steps, newest first unless asked otherwise.
#[utoipa::path(
    get,
    path = "/v1/steps",
    operation_id = "steps.list",
    tag = "steps",
    params(PageParams, Params),
    responses((status = 200, description = "The steps.", body = Vec<Step>), Common)
)]
pub async fn list(
    State(app): State<AppState>,
    Caller(actor): Caller,
    paging: Paging,
    Query(params): Query<Params>,
) -> Answer<Vec<Step>> {
    let page = paging.page(Order::Desc, DEFAULT_LIMIT);
    Ok(Json(app.core.list_steps(&actor, params.filter()?, &page).await?))
}
