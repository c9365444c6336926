//! Counts tokens the way OpenAI's `o200k` models do; close enough for every other model's budget.

use crate::request::{ChatMessage, Part, ToolSpec};

/// Texts up to this many bytes are counted exactly.
const EXACT_BYTES: usize = 256 << 10;
/// Of a longer text this many bytes are counted, in evenly spread windows, and the rest estimated from them.
const WINDOWS: usize = 8;
const WINDOW_BYTES: usize = 16 << 10;
/// The encoder's work grows with the square of an unbroken run, so runs are cut here.
const MAX_RUN: usize = 512;
/// What roles and separators cost per message.
const PER_MESSAGE: usize = 4;
/// What an image costs about: a 1024 by 1024 picture in high detail.
const PER_IMAGE: usize = 765;
/// What the frame around a tool's definition or call costs.
const PER_TOOL: usize = 8;

/// Number of tokens of `text`. Exact for texts of ordinary length, estimated from samples for very long ones.
pub fn count(text: &str) -> usize {
    if text.len() <= EXACT_BYTES {
        return exact(text);
    }
    let (mut tokens, mut bytes) = (0, 0);
    let step = (text.len() - WINDOW_BYTES) / (WINDOWS - 1);
    for window in 0..WINDOWS {
        let start = floor_boundary(text, window * step);
        let end = floor_boundary(text, start + WINDOW_BYTES);
        tokens += exact(&text[start..end]);
        bytes += end - start;
    }
    (tokens as u128 * text.len() as u128 / bytes.max(1) as u128) as usize
}

/// Number of tokens that a request with these messages and tools takes.
pub fn count_messages(messages: &[ChatMessage], tools: &[ToolSpec]) -> usize {
    messages.iter().map(|each| message(each, &count)).sum::<usize>()
        + tools.iter().map(|each| tool(each, &count)).sum::<usize>()
}

/// What [`count_messages`] gives at most, without the vocabulary: a token has at least one byte.
pub fn upper_bound(messages: &[ChatMessage], tools: &[ToolSpec]) -> usize {
    messages.iter().map(|each| message(each, &str::len)).sum::<usize>()
        + tools.iter().map(|each| tool(each, &str::len)).sum::<usize>()
}

fn message(message: &ChatMessage, count: &dyn Fn(&str) -> usize) -> usize {
    let optional = |text: &Option<String>| text.as_deref().map_or(0, count);
    PER_MESSAGE
        + match message {
            ChatMessage::System { text } => count(text),
            ChatMessage::User { parts, name } => {
                parts.iter().map(|each| part(each, count)).sum::<usize>() + optional(name)
            }
            ChatMessage::Assistant { text, reasoning, tool_calls, name } => {
                let thoughts: usize = reasoning.iter().map(|block| count(&block.text)).sum();
                let calls: usize =
                    tool_calls.iter().map(|call| PER_TOOL + count(&call.name) + count(&call.arguments)).sum();
                optional(text) + optional(name) + thoughts + calls
            }
            ChatMessage::Tool { call_id, content, .. } => count(content) + count(call_id),
        }
}

fn part(part: &Part, count: &dyn Fn(&str) -> usize) -> usize {
    match part {
        Part::Text(text) => count(text),
        Part::Image { .. } | Part::ImageUrl { .. } => PER_IMAGE,
    }
}

fn tool(tool: &ToolSpec, count: &dyn Fn(&str) -> usize) -> usize {
    PER_TOOL + count(&tool.name) + count(&tool.description) + count(&tool.parameters.to_string())
}

fn exact(text: &str) -> usize {
    let encoder = tiktoken_rs::o200k_base_singleton();
    runs(text).map(|run| encoder.count_ordinary(run)).sum()
}

/// Cuts `text` inside runs of more than [`MAX_RUN`] bytes without white space; other texts stay in one piece.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let mut cuts = vec![0];
    let mut run_start = 0;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            run_start = at + c.len_utf8();
        } else if at - run_start >= MAX_RUN {
            cuts.push(at);
            run_start = at;
        }
    }
    cuts.push(text.len());
    let bounds: Vec<(usize, usize)> = cuts.windows(2).map(|pair| (pair[0], pair[1])).collect();
    bounds.into_iter().map(|(start, end)| &text[start..end])
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::ToolCall;

    #[test]
    fn ordinary_texts_are_counted_exactly() {
        for (text, expected) in [("", 0), ("hello world", 2), ("tiktoken is great!", 6), ("<|endoftext|>", 7)] {
            assert_eq!(count(text), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_estimated_closely_and_fast() {
        let sentence = "The quick brown fox jumps over the lazy dog, again and again. ";
        let text = sentence.repeat(40_000);
        let started = std::time::Instant::now();
        let estimate = count(&text) as f64;
        let truth = (exact(&sentence.repeat(400)) * 100) as f64;
        assert!((estimate / truth - 1.0).abs() < 0.05, "{estimate} for {truth}");
        let run = count(&"a".repeat(3_000_000));
        assert!((100_000..3_000_000).contains(&run), "{run}");
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
        let wide = "é✓".repeat(200_000);
        assert!(count(&wide) > 100_000);
    }

    #[test]
    fn everything_in_a_conversation_counts() {
        let tools =
            [ToolSpec { name: "f".into(), description: "does f".into(), parameters: json!({"type": "object"}) }];
        let messages = [
            ChatMessage::System { text: "be kind".into() },
            ChatMessage::User {
                parts: vec![
                    Part::Text("look".into()),
                    Part::ImageUrl { url: "https://x.example".into(), detail: None },
                ],
                name: None,
            },
            ChatMessage::Assistant {
                text: None,
                reasoning: vec![],
                tool_calls: vec![ToolCall { id: "c".into(), name: "f".into(), arguments: "{}".into() }],
                name: None,
            },
            ChatMessage::Tool { call_id: "c".into(), name: None, content: "fine".into() },
        ];
        let bare = count_messages(&messages, &[]);
        assert!(bare > PER_IMAGE + 4 * PER_MESSAGE);
        assert_eq!(count_messages(&messages, &tools) - bare, tool(&tools[0], &count));
        let parts: usize = messages.iter().map(|m| count_messages(std::slice::from_ref(m), &[])).sum();
        assert_eq!(parts, bare);
    }
}
