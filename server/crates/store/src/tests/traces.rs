//! What went over the wire is small in the database, and rows from before it was packed are still read.

use mneme_domain::{
    Actor, StepId, Timestamp, TraceId,
    step::{ProviderTrace, Step, StepMetrics},
};
use serde_json::{Value, json};

use super::{empty, migrated};
use crate::{
    Conn, StoreError,
    migrate::{self, MIGRATIONS},
    sql::{args, statements},
    steps,
};

statements! {
    ADD_STEP: "insert into steps (id, org_id, tags, created_at, tools_used) values ($1, $2, '[]', 0, '[]')";
    ADD_OLD: "insert into provider_traces (step_id, id, org_id, request_json, response_json, created_at)
        values ($1, $2, $3, $4, '[2]', 0)";
    ADD_PACKED: "insert into provider_traces (step_id, id, org_id, request_json, response_json, packed, created_at)
        values ($1, $2, $3, '', '', $4, 0)";
    STORED: "select request_json, response_json, packed from provider_traces where step_id = $1";
}

fn id(number: u8) -> (StepId, TraceId) {
    let rest = format!("00000000-0000-4000-8000-0000000000{number:02}");
    (StepId::trusted(format!("step-{rest}")), TraceId::trusted(format!("provider_trace-{rest}")))
}

async fn read(c: &mut Conn, step: &StepId) -> crate::Result<(Value, Value)> {
    let trace = steps::trace(c, &Actor::default_admin(), step).await?.expect("a trace");
    Ok((trace.request_json, trace.response_json))
}

#[tokio::test]
async fn traces_are_packed_and_come_back_as_they_were() {
    let actor = Actor::default_admin();
    let message = json!({ "role": "user", "content": "a long history says much the same again and again" });
    let request = json!({ "z": 1, "messages": vec![message; 500], "a": "\u{1f600}\u{e9}\\u0000" });
    let response = json!({ "choices": [] });
    for store in migrated().await {
        let mut c = store.write().await.unwrap();
        let (step, trace) = id(1);
        let trace = ProviderTrace {
            created_by_id: None,
            last_updated_by_id: None,
            created_at: Timestamp::default(),
            updated_at: None,
            id: trace,
            request_json: request.clone(),
            response_json: response.clone(),
            step_id: None,
        };
        let (record, metrics) = bare(&step);
        steps::insert(&mut c, &actor, &record, &metrics, Some(&trace), &[]).await.unwrap();
        let kept = read(&mut c, &step).await.unwrap();
        assert_eq!(kept, (request.clone(), response.clone()));
        assert_eq!(kept.0.to_string(), request.to_string(), "keys keep their order");
        let (sent, came, packed): (String, String, Vec<u8>) = c.one(&STORED, args![&step]).await.unwrap().unwrap();
        assert_eq!((sent.as_str(), came.as_str()), ("", ""));
        assert!(packed.len() * 20 < request.to_string().len(), "{} bytes", packed.len());
    }
}

#[tokio::test]
async fn traces_from_before_are_read_and_damaged_ones_are_an_error() {
    let actor = Actor::default_admin();
    for store in empty().await {
        let mut c = store.write().await.unwrap();
        migrate::run(&mut c, &MIGRATIONS[..2]).await.unwrap();
        let (old, trace) = id(2);
        c.run(&ADD_STEP, args![&old, &actor.org]).await.unwrap();
        c.run(&ADD_OLD, args![&old, &trace, &actor.org, r#"{"b":1,"a":2}"#]).await.unwrap();
        c.commit().await.unwrap();
        store.migrate().await.unwrap();
        let mut c = store.write().await.unwrap();
        let kept = read(&mut c, &old).await.unwrap();
        assert_eq!((kept.0.to_string().as_str(), kept.1), (r#"{"b":1,"a":2}"#, json!([2])));
        let (damaged, trace) = id(3);
        c.run(&ADD_STEP, args![&damaged, &actor.org]).await.unwrap();
        c.run(&ADD_PACKED, args![&damaged, &trace, &actor.org, vec![1_u8, 2, 3]]).await.unwrap();
        assert!(matches!(read(&mut c, &damaged).await, Err(StoreError::Corrupt(_))));
        assert_eq!(statements().len(), 4, "each is used");
    }
}

/// A step of nobody, without measures.
fn bare(id: &StepId) -> (Step, StepMetrics) {
    let step = json!({ "id": id, "tags": [], "messages": [], "created_at": "2026-11-23T00:00:00Z" });
    (serde_json::from_value(step).unwrap(), serde_json::from_value(json!({ "id": id })).unwrap())
}
