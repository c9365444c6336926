//! What was sent to a provider in a step, and what came back.

use mneme_domain::{Actor, StepId, TraceId, clock::from_micros, step::ProviderTrace};

use crate::{
    Conn, Result, json,
    sql::{args, statements},
};

statements! {
    ADD: "insert into provider_traces
            (step_id, id, org_id, request_json, response_json, created_at, updated_at, created_by_id, last_updated_by_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    GET: "select step_id, id, request_json, response_json, created_at, updated_at, created_by_id, last_updated_by_id
        from provider_traces where org_id = $1 and step_id = $2";
}

#[derive(sqlx::FromRow)]
struct TraceRow {
    step_id: String,
    id: String,
    request_json: String,
    response_json: String,
    created_at: i64,
    updated_at: Option<i64>,
    created_by_id: Option<String>,
    last_updated_by_id: Option<String>,
}

pub(super) async fn insert(c: &mut Conn, a: &Actor, step: &StepId, trace: &ProviderTrace) -> Result<()> {
    let arguments = args![
        step,
        &trace.id,
        &a.org,
        json::text(&trace.request_json)?,
        json::text(&trace.response_json)?,
        trace.created_at,
        trace.updated_at,
        &trace.created_by_id,
        &trace.last_updated_by_id,
    ];
    c.run(&ADD, arguments).await.map(drop)
}

/// What went over the wire in a step, if it was kept.
pub async fn trace(c: &mut Conn, a: &Actor, id: &StepId) -> Result<Option<ProviderTrace>> {
    let Some(row) = c.one::<TraceRow>(&GET, args![&a.org, id]).await? else {
        return Ok(None);
    };
    Ok(Some(ProviderTrace {
        created_by_id: row.created_by_id,
        last_updated_by_id: row.last_updated_by_id,
        created_at: from_micros(row.created_at),
        updated_at: row.updated_at.map(from_micros),
        id: TraceId::trusted(row.id),
        request_json: json::value("provider_traces.request_json", &row.request_json)?,
        response_json: json::value("provider_traces.response_json", &row.response_json)?,
        step_id: Some(StepId::trusted(row.step_id)),
    }))
}
