//! What the adapters cost per streamed delta: `cargo bench -p mneme-llm`.
//!
//! For every wire a server on this machine sends a long stream; what is measured is the time of the client's thread from
//! the first delta to the last, per delta, and the same at a pace of 1,000 deltas a second. The time that a thread
//! computed is read from the system, so waiting for the network does not count.

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::{Duration, Instant},
};

use futures::StreamExt;
use mneme_llm::{ChatMessage, ChatRequest, Extras, LlmClient, Part, Provider, ProviderKind, RetryPolicy, Timeouts};
use serde_json::{Value, json};

/// Deltas of a stream.
const DELTAS: usize = 20_000;
/// Deltas of a stream that comes at a pace.
const PACED: usize = 3_000;
/// The goal, for one core.
const GOAL: Duration = Duration::from_micros(200);

/// A wire: who speaks it, what a delta looks like, and how a stream begins and ends.
struct Wire {
    name: &'static str,
    kind: ProviderKind,
    model: &'static str,
    begin: Vec<u8>,
    delta: Vec<u8>,
    end: Vec<u8>,
}

fn line(value: &Value) -> Vec<u8> {
    match value["type"].as_str() {
        Some(kind) => format!("event: {kind}\ndata: {value}\n\n").into_bytes(),
        None => format!("data: {value}\n\n").into_bytes(),
    }
}

fn frame(kind: &str, payload: &Value) -> Vec<u8> {
    let mut headers = Vec::new();
    for (name, value) in [(":message-type", "event"), (":event-type", kind)] {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let payload = payload.to_string();
    let mut bytes = ((16 + headers.len() + payload.len()) as u32).to_be_bytes().to_vec();
    bytes.extend((headers.len() as u32).to_be_bytes());
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(payload.as_bytes());
    bytes.extend(checksum(&bytes).to_be_bytes());
    bytes
}

/// CRC-32, bit by bit.
fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

fn wires() -> Vec<Wire> {
    let lines = |values: &[Value]| values.iter().flat_map(line).collect();
    let chat = |delta: Value, finish: Value| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let gemini = |text: &str, finish: Value| {
        json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "index": 0,
            "finishReason": finish}], "modelVersion": "gemini-2.5-flash"})
    };
    vec![
        Wire {
            name: "chat completions",
            kind: ProviderKind::OpenAiCompatible,
            model: "m",
            begin: lines(&[chat(json!({"role": "assistant", "content": ""}), Value::Null)]),
            delta: lines(&[chat(json!({"content": "word "}), Value::Null)]),
            end: [lines(&[chat(json!({}), json!("stop"))]), b"data: [DONE]\n\n".to_vec()].concat(),
        },
        Wire {
            name: "chat completions, a call",
            kind: ProviderKind::OpenAiCompatible,
            model: "m",
            begin: lines(&[chat(
                json!({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": "{\"x\":\""}}]}),
                Value::Null,
            )]),
            delta: lines(&[chat(
                json!({"tool_calls": [{"index": 0, "function": {"arguments": "word "}}]}),
                Value::Null,
            )]),
            end: lines(&[chat(json!({}), json!("tool_calls"))]),
        },
        Wire {
            name: "responses",
            kind: ProviderKind::OpenAi,
            model: "gpt-5-mini",
            begin: lines(&[json!({"type": "response.created", "response": {"object": "response"}})]),
            delta: lines(&[json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0,
                "content_index": 0, "delta": "word ", "sequence_number": 7})]),
            end: lines(&[json!({"type": "response.completed", "response": {"object": "response",
                "status": "completed", "output": []}})]),
        },
        Wire {
            name: "anthropic",
            kind: ProviderKind::Anthropic,
            model: "claude-sonnet-4-20250514",
            begin: lines(&[
                json!({"type": "message_start", "message": {"usage": {"input_tokens": 1, "output_tokens": 1}}}),
                json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            ]),
            delta: lines(&[json!({"type": "content_block_delta", "index": 0,
                "delta": {"type": "text_delta", "text": "word "}})]),
            end: lines(&[
                json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}}),
                json!({"type": "message_stop"}),
            ]),
        },
        Wire {
            name: "gemini",
            kind: ProviderKind::Gemini,
            model: "gemini-2.5-flash",
            begin: Vec::new(),
            delta: lines(&[gemini("word ", Value::Null)]),
            end: lines(&[gemini("end", json!("STOP"))]),
        },
        Wire {
            name: "converse",
            kind: ProviderKind::Bedrock,
            model: "amazon.nova-lite-v1:0",
            begin: frame("messageStart", &json!({"role": "assistant"})),
            delta: frame("contentBlockDelta", &json!({"contentBlockIndex": 0, "delta": {"text": "word "}})),
            end: frame("messageStop", &json!({"stopReason": "end_turn"})),
        },
    ]
}

/// A server for one request, on a thread of its own.
fn serve(wire: &Wire, deltas: usize, pace: Option<Duration>) -> std::io::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let kind =
        if wire.kind == ProviderKind::Bedrock { "application/vnd.amazon.eventstream" } else { "text/event-stream" };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n");
    let (begin, delta, end) = (wire.begin.clone(), wire.delta.clone(), wire.end.clone());
    std::thread::spawn(move || -> std::io::Result<()> {
        let (mut socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        let mut request = [0; 65_536];
        let _ = socket.read(&mut request)?;
        socket.write_all(&[head.as_bytes(), &begin].concat())?;
        let began = Instant::now();
        match pace {
            None => {
                let many = delta.repeat(100);
                (0..deltas / 100).try_for_each(|_| socket.write_all(&many))?;
            }
            Some(pace) => {
                for number in 1..=deltas {
                    socket.write_all(&delta)?;
                    let due = began + pace * number as u32;
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
            }
        }
        socket.write_all(&end)
    });
    Ok(url)
}

/// What this thread has computed so far.
fn computed() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(text.split(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0))
}

/// The time per delta.
fn measure(wire: &Wire, deltas: usize, pace: Option<Duration>) -> Result<Duration, Box<dyn std::error::Error>> {
    let url = serve(wire, deltas, pace)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = LlmClient::new(Timeouts::default(), RetryPolicy::default())?;
        let extras = Extras {
            access_key: Some("AKIDEXAMPLE".to_owned().into()),
            region: Some("eu-west-1".into()),
            ..Extras::default()
        };
        let key = Some("sk-bench-0123456789".to_owned().into());
        let provider = Provider::new("bench", wire.kind, url.parse()?, key).with(extras);
        let user = ChatMessage::User { parts: vec![Part::Text("hi".into())], name: None };
        let request = ChatRequest { model: wire.model.into(), messages: vec![user], ..ChatRequest::default() };
        let mut stream = client.stream(&provider, &request).await?;
        let before = computed();
        let mut seen = 0;
        while let Some(delta) = stream.next().await {
            delta?;
            seen += 1;
        }
        let took = computed() - before;
        if seen < deltas {
            return Err(format!("{seen} deltas of {deltas} came").into());
        }
        Ok(took / deltas as u32)
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    mneme_llm::install_crypto();
    println!("{:28} {:>14} {:>22}", "wire", "at full speed", "at 1,000 deltas/s");
    for wire in wires() {
        let fast = measure(&wire, DELTAS, None)?;
        let paced = measure(&wire, PACED, Some(Duration::from_millis(1)))?;
        println!(
            "{:28} {:>11.2} µs {:>19.2} µs",
            wire.name,
            fast.as_nanos() as f64 / 1e3,
            paced.as_nanos() as f64 / 1e3
        );
        if fast > GOAL || paced > GOAL {
            return Err(format!("{} takes more than {GOAL:?} per delta", wire.name).into());
        }
    }
    Ok(())
}
