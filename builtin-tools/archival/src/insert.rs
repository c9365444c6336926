//! `archival_memory_insert`.

use mneme_tool_sdk::{Archival, ToolError, tool};

/// Keeps a text in your archival memory for good. It takes no room in your context; later you find
/// it again by words, by meaning or by its tags. Write it so that it can be understood by itself.
///
/// # Arguments
/// * `content` - What to remember; any Unicode text.
/// * `tags` - Labels to find it by, such as "preferences" or "travel".
#[tool]
pub fn archival_memory_insert(
    archival: &Archival,
    content: String,
    tags: Option<Vec<String>>,
) -> Result<String, ToolError> {
    if content.trim().is_empty() {
        return Err(ToolError::InvalidArguments("`content` is empty: there is nothing to remember".to_owned()));
    }
    archival.insert(&content, &tags.unwrap_or_default())?;
    Ok("Kept in archival memory.".to_owned())
}

#[cfg(test)]
mod tests {
    use mneme_tool_sdk::mock::MockHost;
    use mneme_tool_sdk::{HostError, Tool};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_kept_with_its_tags() {
        let host = MockHost::new();
        let kept = host.call::<archival_memory_insert>(json!({"content": "Ada likes tea", "tags": ["ada", "drinks"]}));
        assert_eq!(kept, Ok("Kept in archival memory.".to_owned()));
        host.call::<archival_memory_insert>(json!({"content": "東京 🗼"})).expect("an answer");
        let tags = vec!["ada".to_owned(), "drinks".to_owned()];
        assert_eq!(host.archived(), [("Ada likes tea".to_owned(), tags), ("東京 🗼".to_owned(), vec![])]);
    }

    #[test]
    fn nothing_is_not_kept_and_refusals_reach_the_model() {
        let host = MockHost::new();
        let empty = host.call::<archival_memory_insert>(json!({"content": " \n"}));
        assert!(matches!(empty, Err(ToolError::InvalidArguments(_))));
        assert_eq!(host.archived(), []);
        let down = MockHost::new().refusing(HostError::Unavailable("try later".into()));
        let refused = down.call::<archival_memory_insert>(json!({"content": "x"}));
        assert_eq!(refused.expect_err("refused").to_string(), "try later");
        assert_eq!(archival_memory_insert::spec().capabilities, ["archival"]);
    }
}
