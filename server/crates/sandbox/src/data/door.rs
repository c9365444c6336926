//! `host.call`: the module's one function beside WASI. Our Python sends a JSON message and gets one back:
//!
//! ```text
//! {"ask": "program"}                                            -> {"source", "filename", "environment"}
//! {"ask": "send", "method", "url", "headers", "body", "timeout"} -> {"status", "headers", "body"} or {"error", "late"}
//! {"ask": "done", "value" or "raised", "displays"}               -> {}
//! ```
//!
//! Bytes are in base64. The program can speak here as well as our Python can: it has no more to say than what its
//! policy gives it, and what it tells of itself is taken for its own words.

use std::sync::Arc;
use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasmtime::{Caller, Extern, Linker, Memory};

use super::state::State;
use crate::Courier;
use crate::bindings::script::exports::mneme::script::interpreter::{Display, Failure, Outcome, Raised, Value as Shown};
use crate::net::Unsent;

/// The largest message, in bytes.
const MAX_MESSAGE: usize = 64 << 20;
/// What the function returns.
const DONE: i32 = 0;
const FAULT: i32 = -2;

#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum Asked {
    Program,
    Send(Sent),
    Done(Told),
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    /// In seconds.
    timeout: Option<f64>,
}

/// What came of a program, in its own words.
#[derive(Deserialize)]
pub struct Told {
    value: Option<ToldValue>,
    raised: Option<(String, String, String)>,
    #[serde(default)]
    displays: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct ToldValue {
    json: Option<String>,
    text: String,
}

#[derive(Serialize)]
struct Received {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl From<Told> for Outcome {
    fn from(told: Told) -> Self {
        let value = match told.raised {
            Some((name, message, traceback)) => Err(Failure::Raised(Raised { name, message, traceback })),
            None => Ok(told.value.map(|value| Shown { json: value.json, text: value.text })),
        };
        let display = |(media_type, data): (String, String)| {
            let data = BASE64_STANDARD.decode(data).ok()?;
            Some(Display { media_type, data })
        };
        Self { value, displays: told.displays.into_iter().filter_map(display).collect() }
    }
}

/// Adds the function.
///
/// # Errors
/// When the linker does not take it.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    linker.func_wrap_async("host", "call", |caller: Caller<'_, State>, args: (u32, u32, u32, u32)| {
        Box::new(call(caller, args))
    })?;
    Ok(())
}

async fn call(mut caller: Caller<'_, State>, args: (u32, u32, u32, u32)) -> wasmtime::Result<i32> {
    let (at, length, answer_at, answer_length_at) = args;
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else { return Ok(FAULT) };
    let Some(message) = message(&caller, memory, at, length) else { return Ok(FAULT) };
    let Some(answer) = answer(&mut caller, &message).await else { return Ok(FAULT) };
    let Some(Extern::Func(room)) = caller.get_export("host_alloc") else { return Ok(FAULT) };
    let Ok(size) = u32::try_from(answer.len()) else { return Ok(FAULT) };
    let place = room.typed::<u32, u32>(&caller)?.call_async(&mut caller, size).await?;
    let mut write = |at: u32, bytes: &[u8]| memory.write(&mut caller, at as usize, bytes).is_ok();
    let written = place != 0
        && write(place, &answer)
        && write(answer_at, &place.to_le_bytes())
        && write(answer_length_at, &size.to_le_bytes());
    Ok(if written { DONE } else { FAULT })
}

fn message(caller: &Caller<'_, State>, memory: Memory, at: u32, length: u32) -> Option<Vec<u8>> {
    let (at, length) = (at as usize, length as usize);
    if length > MAX_MESSAGE {
        return None;
    }
    memory.data(caller).get(at..at.checked_add(length)?).map(<[u8]>::to_vec)
}

async fn answer(caller: &mut Caller<'_, State>, message: &[u8]) -> Option<Vec<u8>> {
    let answer = match serde_json::from_slice(message) {
        Ok(Asked::Program) => {
            let program = &caller.data().program;
            json!({ "source": program.source, "filename": program.filename, "environment": program.env })
        }
        Ok(Asked::Send(sent)) => {
            let courier = Arc::clone(&caller.data().courier);
            match send(&courier, sent).await {
                Ok(received) => serde_json::to_value(received).ok()?,
                Err(Unsent { reason, late }) => json!({ "error": reason, "late": late }),
            }
        }
        Ok(Asked::Done(told)) => {
            caller.data_mut().told = Some(told);
            Value::Object(serde_json::Map::new())
        }
        Err(error) => json!({ "error": format!("the host does not understand this: {error}") }),
    };
    serde_json::to_vec(&answer).ok()
}

async fn send(courier: &Courier, sent: Sent) -> Result<Received, Unsent> {
    let patience = sent.timeout.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let (head, body) = courier.send_within(read(sent)?, patience).await?.into_parts();
    let headers = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), latin(value))).collect();
    Ok(Received { status: head.status.as_u16(), headers, body: BASE64_STANDARD.encode(body) })
}

/// One byte is one character, as in HTTP.
fn latin(value: &HeaderValue) -> String {
    value.as_bytes().iter().map(|byte| char::from(*byte)).collect()
}

fn read(sent: Sent) -> Result<Request<Bytes>, String> {
    let uri: Uri = sent.url.parse().map_err(|_| format!("{:?} is no address", sent.url))?;
    let method = Method::from_bytes(sent.method.as_bytes()).map_err(|_| "this is no method of HTTP".to_owned())?;
    let body = BASE64_STANDARD.decode(sent.body).map_err(|error| error.to_string())?;
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in &sent.headers {
        let name: HeaderName = name.parse().map_err(|_| format!("{name:?} is no name of a header"))?;
        // One character is one byte, as in HTTP.
        let bytes = value.chars().map(|c| u8::try_from(u32::from(c))).collect::<Result<Vec<u8>, _>>();
        let value = bytes.ok().and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
        request = request.header(name, value.ok_or("a header has characters that it cannot have")?);
    }
    request.body(Bytes::from(body)).map_err(|error| error.to_string())
}
