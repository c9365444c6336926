//! `send_message`, with which agents of the older kind speak.

use mneme_tool_sdk::tool;

/// Tells the user something. The user reads only what you send this way.
///
/// # Arguments
/// * `message` - What to tell the user; any Unicode text.
// The message itself travels in the call's arguments: the server shows those to the client.
#[tool]
pub fn send_message(message: String) -> &'static str {
    drop(message);
    "Sent message."
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::mock::MockHost;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_is_demanded() {
        let host = MockHost::new();
        let sent = host.call::<send_message>(json!({"message": "hi", "request_heartbeat": false}));
        assert_eq!(sent, Ok("Sent message.".to_owned()));
        assert!(host.call::<send_message>(json!({"text": "hi"})).is_err());
    }
}
