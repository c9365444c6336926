//! Whole answers and usage, in the shapes that are about. Streams are tested over HTTP, in `tests/wire`.

use serde_json::json;

use super::*;

fn decode(body: Value) -> (Vec<Delta>, Progress) {
    let (mut decoder, mut out) = (ChatDecoder::default(), Vec::new());
    decoder.whole(&body, &mut out).expect("decodes");
    (out, decoder.progress)
}

fn answer(message: Value) -> Value {
    json!({"choices": [{"message": message, "finish_reason": "stop"}]})
}

#[test]
fn content_may_be_null_absent_text_or_parts() {
    let text = |text: &str| vec![Delta::Text(text.into())];
    for (message, expected) in [
        (json!({"content": null}), vec![]),
        (json!({}), vec![]),
        (json!({"content": ""}), vec![]),
        (json!({"content": "x"}), text("x")),
        (json!({"content": ["x"]}), text("x")),
        (json!({"content": [{"text": "x"}, {"type": "image"}]}), text("x")),
    ] {
        assert_eq!(decode(answer(message.clone())).0, expected, "{message}");
    }
}

#[test]
fn usage_is_read_wherever_it_is() {
    let of =
        |value: Value| usage(&value).map(|u| (u.prompt_tokens, u.completion_tokens, u.total_tokens, u.cached_tokens));
    assert_eq!(of(json!({"usage": {"prompt_tokens": 5, "completion_tokens": 2}})), Some((5, 2, 7, None)));
    assert_eq!(
        of(json!({"x_groq": {"usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}})),
        Some((5, 2, 7, None))
    );
    assert_eq!(
        of(json!({"usage": {"prompt_tokens": 5, "completion_tokens": 0, "prompt_cache_hit_tokens": 3}})),
        Some((5, 0, 5, Some(3)))
    );
    for none in [
        json!({}),
        json!({"usage": null}),
        json!({"usage": {}}),
        json!({"usage": {"prompt_tokens": 0, "completion_tokens": 0}}),
    ] {
        assert_eq!(of(none.clone()), None, "{none}");
    }
}

#[test]
fn two_calls_of_one_tool_stay_two() {
    let call = json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}});
    let (out, progress) = decode(answer(json!({"tool_calls": [call, call]})));
    assert_eq!(out.len(), 2);
    let calls = progress.slots.into_calls();
    assert_eq!(calls.len(), 2);
    assert_ne!(calls[0].id, calls[1].id);
}
