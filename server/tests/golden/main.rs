//! Calls that were recorded on the retired server, made again in their order: statuses, shapes and the order of events
//! are as clients know them. The recordings lie beside the checkout, in `../shared/golden`; without them there is
//! nothing to compare with, and the test says so.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../common/mod.rs"]
mod common;
mod known;
mod model;
mod recording;
mod shape;

use std::path::Path;

use axum::body::Body;
use common::{TestApp, request};
use known::Verdict;
use mneme_tests::Provider;
use recording::{Answer, Recording};
use serde_json::Value;
use shape::Names;

/// Fewer comparisons mean that the recordings were not found or not understood.
const LEAST: usize = 120;

#[tokio::test]
async fn recorded_calls_are_answered_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    if !folder.is_dir() {
        println!("SKIPPED: {} is not there, so nothing was compared", folder.display());
        return;
    }
    let provider = Provider::start().await;
    provider.models(&["gpt-4o-mini", "gpt-4o", "text-embedding-3-small"]).script(model::reply);
    let app = TestApp::with_provider(&provider.base_url()).await;
    let (mut names, mut faults, mut compared) = (Names::default(), Vec::new(), 0);
    for recording in recording::all(&folder) {
        match known::verdict(&recording) {
            Verdict::Compare => {}
            Verdict::LeftOut => continue,
            Verdict::Differs(expected) => {
                let answer = send(&app, &recording, &names).await;
                names.learn(&recording.answer, &answer.1);
                if answer.0 != expected {
                    faults.push(format!(
                        "{}: {} instead of our own {expected}: {:?}",
                        recording.name, answer.0, answer.1
                    ));
                }
                continue;
            }
        }
        compared += 1;
        let (status, answer) = send(&app, &recording, &names).await;
        names.learn(&recording.answer, &answer);
        if status != recording.status {
            faults.push(format!("{}: status {status}, recorded {}: {answer:?}", recording.name, recording.status));
            continue;
        }
        let found = shape::faults(&recording.answer, &answer);
        faults.extend(found.into_iter().map(|fault| format!("{}: {fault}", recording.name)));
    }
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    assert!(compared >= LEAST, "only {compared} were compared");
}

/// Makes a recorded call, with our own names of things in the place of the recorded ones.
async fn send(app: &TestApp, recording: &Recording, names: &Names) -> (u16, Answer) {
    let path = names.translated(&recording.target());
    let mut request = request(recording.method.clone(), &path);
    for (name, value) in &recording.headers {
        request = request.header(name, value);
    }
    let body = recording.body.as_ref().map(|body| names.translated(body)).unwrap_or_default();
    let answer = app.send(request.body(Body::from(body)).unwrap()).await;
    let kind = answer.header("content-type").unwrap_or_default().to_owned();
    let parsed = if kind.starts_with("text/event-stream") {
        Answer::Events(recording::events(&answer.text))
    } else {
        serde_json::from_str::<Value>(&answer.text).map_or(Answer::Text, Answer::Json)
    };
    (answer.status.as_u16(), parsed)
}
