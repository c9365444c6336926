//! What was sent to a provider in a step, and what came back.
//!
//! Both are kept packed in one column: they are long, much alike, and seldom read. Rows of the first versions have
//! them as text in two columns, which are empty now.

use mneme_domain::{Actor, StepId, Timestamp, TraceId, clock::from_micros, step::ProviderTrace};
use mneme_macros::boxed;
use serde_json::Value;

use crate::{
    Conn, Result, StoreError, json,
    sql::{args, statements},
};

statements! {
    ADD: "insert into provider_traces
            (step_id, id, org_id, request_json, response_json, packed, created_at, updated_at, created_by_id,
             last_updated_by_id)
        values ($1, $2, $3, '', '', $4, $5, $6, $7, $8)";
    GET: "select step_id, id, request_json, response_json, packed, created_at, updated_at, created_by_id,
            last_updated_by_id
        from provider_traces where org_id = $1 and step_id = $2";
    FORGET: "delete from provider_traces where step_id in
        (select step_id from provider_traces where created_at < $1 order by created_at limit $2)";
}

/// The fastest level: a trace is written while a transaction waits for it, and shrinks to a fraction all the same.
const LEVEL: i32 = 1;

#[derive(mneme_macros::FromRow)]
struct TraceRow {
    step_id: String,
    id: String,
    request_json: String,
    response_json: String,
    packed: Option<Vec<u8>>,
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
        pack(trace)?,
        trace.created_at,
        trace.updated_at,
        &trace.created_by_id,
        &trace.last_updated_by_id,
    ];
    c.effect(&ADD, arguments).await
}

/// What went over the wire in a step, if it was kept.
#[boxed]
pub async fn trace(c: &mut Conn, a: &Actor, id: &StepId) -> Result<Option<ProviderTrace>> {
    let Some(row) = c.one::<TraceRow>(&GET, args![&a.org, id]).await? else {
        return Ok(None);
    };
    let (request_json, response_json) = match &row.packed {
        Some(packed) => unpack(packed)?,
        None => (
            json::value("provider_traces.request_json", &row.request_json)?,
            json::value("provider_traces.response_json", &row.response_json)?,
        ),
    };
    Ok(Some(ProviderTrace {
        created_by_id: row.created_by_id,
        last_updated_by_id: row.last_updated_by_id,
        created_at: from_micros(row.created_at),
        updated_at: row.updated_at.map(from_micros),
        id: TraceId::trusted(row.id),
        request_json,
        response_json,
        step_id: Some(StepId::trusted(row.step_id)),
    }))
}

/// Deletes what went over the wire before then, of every organisation, at most `limit` steps' worth. Returns how many.
#[boxed]
pub async fn forget_traces(c: &mut Conn, before: Timestamp, limit: i64) -> Result<u64> {
    c.run(&FORGET, args![before, limit]).await
}

/// Request and response as a packed array of two.
fn pack(trace: &ProviderTrace) -> Result<Vec<u8>> {
    let text = json::text(&(&trace.request_json, &trace.response_json))?;
    let packed = zstd::encode_all(text.as_bytes(), LEVEL);
    packed.map_err(|error| StoreError::Database(sqlx::Error::Encode(error.into())))
}

/// Request and response as [`pack`] packed them.
fn unpack(packed: &[u8]) -> Result<(Value, Value)> {
    let text = zstd::decode_all(packed).map_err(corrupt)?;
    serde_json::from_slice(&text).map_err(corrupt)
}

fn corrupt(error: impl std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("provider_traces.packed: {error}"))
}
