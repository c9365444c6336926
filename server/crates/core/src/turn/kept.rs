//! Events of background runs as they are kept, and how they are found again after a crash.
//!
//! What is kept may lack the end of what happened: events are written in batches, some after the step that they tell
//! of. All that may be missing follows from what the steps wrote, so it is made again from there, with the same places.

use std::{collections::HashSet, sync::Arc};

use mneme_domain::{
    Actor, RunId,
    message::{Message, MessageRole},
    run::{Run, RunStatus, StopReason},
    step::TurnUsage,
};
use mneme_store::{messages, runs};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{TurnEvent, runner::error_data};
use crate::{Core, CoreError, Result, envelope};

/// Events read from the database at once.
const READ: i64 = 500;

/// An event as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kept {
    Message(Value),
    Stop(StopReason),
    Usage { prompt_tokens: i64, completion_tokens: i64, total_tokens: i64, step_count: i64 },
    Error(Value),
}

pub(super) fn keep(event: TurnEvent, place: i64, run: &RunId) -> String {
    let kept = match event {
        TurnEvent::Message(mut envelope) => {
            envelope.seq_id = Some(place);
            Kept::Message(serde_json::to_value(&*envelope).unwrap_or_default())
        }
        TurnEvent::Stop(reason) => Kept::Stop(reason),
        TurnEvent::Usage(usage) => Kept::Usage {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            total_tokens: usage.total_tokens,
            step_count: usage.step_count,
        },
        TurnEvent::Error(error) => Kept::Error(error_event(&error, run)),
        TurnEvent::Stored(value) => Kept::Message(value),
    };
    serde_json::to_string(&kept).unwrap_or_default()
}

fn error_event(error: &CoreError, run: &RunId) -> Value {
    let data = error_data(error);
    match error {
        CoreError::Llm(failure) => {
            error_value(&data["type"], &failure.message.into(), &failure.detail.clone().into(), run)
        }
        _ => error_value(&data["type"], &data["message"], &data["message"], run),
    }
}

fn error_value(kind: &Value, message: &Value, detail: &Value, run: &RunId) -> Value {
    json!({
        "message_type": "error_message",
        "run_id": run,
        "error_type": kind,
        "message": message,
        "detail": detail,
        "error": {"type": kind, "message": message, "detail": detail},
    })
}

pub(super) fn shown(payload: &str) -> Option<TurnEvent> {
    match serde_json::from_str(payload).ok()? {
        Kept::Message(value) | Kept::Error(value) => Some(TurnEvent::Stored(value)),
        Kept::Stop(reason) => Some(TurnEvent::Stop(reason)),
        Kept::Usage { prompt_tokens, completion_tokens, total_tokens, step_count } => {
            Some(TurnEvent::Usage(TurnUsage { prompt_tokens, completion_tokens, total_tokens, step_count }))
        }
    }
}

/// Whether nothing follows an event.
pub(super) fn is_last(payload: &str) -> bool {
    matches!(serde_json::from_str(payload), Ok(Kept::Usage { .. } | Kept::Error(_)))
}

/// Which message an event shows, and as what.
fn part(payload: &str) -> Option<(String, String)> {
    let Ok(Kept::Message(value)) = serde_json::from_str(payload) else { return None };
    Some((value["id"].as_str()?.to_owned(), value["message_type"].as_str()?.to_owned()))
}

impl Core {
    /// All events of a run with their places, as they were kept.
    pub(super) async fn kept_events(&self, actor: &Actor, run: &RunId) -> Result<Vec<(i64, Arc<str>)>> {
        let mut all: Vec<(i64, Arc<str>)> = Vec::new();
        let mut conn = self.store.read().await?;
        loop {
            let place = all.last().map_or(0, |(place, _)| *place);
            let read = runs::events::after(&mut conn, actor, run, place, READ).await?;
            let more = read.len() as i64 == READ;
            all.extend(read.into_iter().map(|(place, payload)| (place, payload.into())));
            if !more {
                return Ok(all);
            }
        }
    }

    /// What happened in a run and is not among the kept events, as far as it is known for good.
    pub(super) async fn unkept_events(
        &self,
        actor: &Actor,
        run: &Run,
        kept: &[(i64, Arc<str>)],
    ) -> Result<Vec<TurnEvent>> {
        if kept.last().is_some_and(|(_, payload)| is_last(payload)) {
            return Ok(Vec::new());
        }
        let seen: HashSet<(String, String)> = kept.iter().filter_map(|(_, payload)| part(payload)).collect();
        let mut conn = self.store.read().await?;
        let page = mneme_domain::Page { order: mneme_domain::Order::Asc, ..mneme_domain::Page::all() };
        let found = messages::by_run(&mut conn, actor, &run.id, &page).await?;
        let config = run.request_config.clone().unwrap_or_default();
        // The client's own messages have no step.
        let said = found.iter().filter(|message: &&Message| {
            message.step_id.is_some()
                && matches!(message.role, MessageRole::Assistant | MessageRole::Tool | MessageRole::Approval)
        });
        let mut events = Vec::new();
        for mut envelope in envelope::envelopes_of(said, &config) {
            envelope.run_id = Some(run.id.clone());
            let shown = serde_json::to_value(&envelope).unwrap_or_default();
            let part = (shown["id"].as_str().unwrap_or_default(), shown["message_type"].as_str().unwrap_or_default());
            if !seen.contains(&(part.0.to_owned(), part.1.to_owned())) {
                events.push(TurnEvent::Message(Box::new(envelope)));
            }
        }
        if !run.status.is_terminal() {
            return Ok(events);
        }
        let error = run.metadata.as_ref().and_then(|metadata| metadata.get("error")).filter(|error| error.is_object());
        match error {
            Some(error) if run.status == RunStatus::Failed => {
                events.push(TurnEvent::Stored(error_value(
                    &error["type"],
                    &error["message"],
                    &error["message"],
                    &run.id,
                )));
            }
            _ => {
                if !kept.last().is_some_and(|(_, payload)| matches!(shown(payload), Some(TurnEvent::Stop(_)))) {
                    events.push(TurnEvent::Stop(run.stop_reason.unwrap_or(StopReason::Error)));
                }
                let usage = runs::usage(&mut conn, actor, &run.id).await?.unwrap_or_default();
                events.push(TurnEvent::Usage(usage));
            }
        }
        Ok(events)
    }
}
