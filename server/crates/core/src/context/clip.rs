//! The last rung of the ladder: when no message can leave any more, the longest texts lose their middle in what the
//! model is shown. The store keeps them whole. Also what stands in for images that a model cannot see.

use mneme_llm::{ChatMessage, Part};

/// Halvings of the longest text before there is nothing left to gain.
pub const LEVELS: u32 = 10;
/// Characters that every text may keep.
const LEAST: usize = 200;

/// Characters that one text may have at a level from 1 to [`LEVELS`], for a window of so many tokens.
fn limit(window: u32, level: u32) -> usize {
    (usize::try_from(window).unwrap_or(usize::MAX).saturating_mul(2) >> level.min(31)).max(LEAST)
}

/// Cuts texts to the level's length. The system prompt stays: without it the agent would be another.
pub fn texts(chat: &mut [ChatMessage], window: u32, level: u32) {
    if level == 0 {
        return;
    }
    let limit = limit(window, level);
    for message in chat {
        match message {
            ChatMessage::System { .. } => {}
            ChatMessage::User { parts, .. } => {
                for part in parts {
                    if let Part::Text(text) = part {
                        middle(text, limit);
                    }
                }
            }
            ChatMessage::Assistant { text, tool_calls, .. } => {
                if let Some(text) = text {
                    middle(text, limit);
                }
                for call in tool_calls {
                    if call.arguments.chars().nth(limit).is_some() {
                        // Half an object is no JSON; providers refuse that.
                        middle(&mut call.arguments, limit);
                        call.arguments = serde_json::json!({ "shortened_arguments": call.arguments }).to_string();
                    }
                }
            }
            ChatMessage::Tool { content, .. } => middle(content, limit),
        }
    }
}

/// Whether there are images to see.
pub fn shows_images(chat: &[ChatMessage]) -> bool {
    let drawn = |part: &Part| !matches!(part, Part::Text(_));
    chat.iter().any(|message| matches!(message, ChatMessage::User { parts, .. } if parts.iter().any(drawn)))
}

/// Puts words in the place of images.
pub fn images(chat: &mut [ChatMessage]) {
    for message in chat {
        let ChatMessage::User { parts, .. } = message else { continue };
        for part in parts {
            if !matches!(part, Part::Text(_)) {
                *part = Part::Text("[an image that this model cannot see]".into());
            }
        }
    }
}

fn middle(text: &mut String, limit: usize) {
    let count = text.chars().count();
    if count <= limit {
        return;
    }
    let head: String = text.chars().take(limit / 2).collect();
    let tail: String = text.chars().skip(count - limit / 2).collect();
    *text = format!("{head}\n[{} characters are left out here, the text is too long]\n{tail}", count - limit / 2 * 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(text: &str) -> ChatMessage {
        ChatMessage::User { parts: vec![Part::Text(text.into())], name: None }
    }

    #[test]
    fn a_long_text_keeps_both_ends_and_every_level_is_shorter() {
        let long = format!("begin{}end", "é".repeat(100_000));
        let mut before = usize::MAX;
        for level in 1..=5 {
            let mut chat = vec![user(&long), user("short")];
            texts(&mut chat, 8_000, level);
            let ChatMessage::User { parts, .. } = &chat[0] else { panic!() };
            let Part::Text(text) = &parts[0] else { panic!() };
            assert!(text.starts_with("begin") && text.ends_with("end") && text.len() < before, "{level}");
            before = text.len();
            assert_eq!(chat[1], user("short"));
        }
    }

    #[test]
    fn images_become_words() {
        let image = Part::Image { media_type: "image/png".into(), data: "AA==".into() };
        let mut chat = vec![ChatMessage::User { parts: vec![Part::Text("see".into()), image], name: None }];
        assert!(shows_images(&chat));
        images(&mut chat);
        assert!(!shows_images(&chat));
    }
}
