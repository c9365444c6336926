//! Reads a background run's events.

use std::time::Duration;

use axum::{extract::State, response::Response};
use mneme_core::Reading;
use mneme_domain::{Actor, RunId};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::AppState,
    http::{
        ApiError, Caller, GetBody, Id, OptionalBody, Query,
        sse::{self, Manner},
    },
    routes::refusals::Refusals,
};

/// From where and how to read.
#[derive(Debug, Default, Deserialize, ToSchema, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Resume {
    /// Only events after the one with this `seq_id`.
    #[serde(default)]
    starting_after: Option<i64>,
    /// Send keep-alive events while nothing else happens; on unless switched off.
    #[serde(default)]
    include_pings: Option<bool>,
    /// Seconds between two looks at a run that another server works on, 0.05 to 10. A run of the server that is asked is
    /// followed as it goes.
    #[serde(default)]
    poll_interval: Option<f64>,
    /// Events read at once from what is kept, at most 1000.
    #[serde(default)]
    batch_size: Option<u32>,
}

impl Resume {
    fn reading(&self) -> Reading {
        let usual = Reading::default();
        Reading {
            poll: self
                .poll_interval
                .filter(|seconds| seconds.is_finite())
                .map_or(usual.poll, |seconds| Duration::from_secs_f64(seconds.clamp(0.05, 10.0))),
            batch: self.batch_size.map_or(usual.batch, |size| i64::from(size.clamp(1, 1000))),
        }
    }
}

/// Streams the events of a background run from any point, and goes on with those to come.
#[utoipa::path(
    post,
    path = "/v1/runs/{run_id}/stream",
    operation_id = "runs.stream",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`")),
    request_body = Option<Resume>,
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String), Refusals)
)]
pub async fn stream(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(run): Id<RunId>,
    OptionalBody(body): OptionalBody<Resume>,
) -> Result<Response, ApiError> {
    read(&app, &actor, &run, body.unwrap_or_default()).await
}

/// Streams the events of a background run, as above; for clients that can only ask with GET, as browsers' event sources.
#[utoipa::path(
    get,
    path = "/v1/runs/{run_id}/stream",
    operation_id = "runs.follow",
    tag = "runs",
    params(("run_id" = String, Path, description = "`run-<uuid4>`"), Resume),
    responses((status = 200, description = "The events.", content_type = "text/event-stream", body = String), Refusals)
)]
pub async fn follow(
    State(app): State<AppState>,
    Caller(actor): Caller,
    Id(run): Id<RunId>,
    Query(resume): Query<Resume>,
    GetBody(body): GetBody<Resume>,
) -> Result<Response, ApiError> {
    read(&app, &actor, &run, body.unwrap_or(resume)).await
}

async fn read(app: &AppState, actor: &Actor, run: &RunId, resume: Resume) -> Result<Response, ApiError> {
    let events = app.core.resume_stream(actor, run, resume.starting_after.unwrap_or(0), resume.reading()).await?;
    let ping = (resume.include_pings != Some(false)).then_some(app.ping);
    Ok(sse::respond(events, Manner { ping, patience: app.ping, run_id: Some(run.to_string()) }).await)
}
