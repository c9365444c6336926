//! Archives and the passages in them: an agent's long-term memory outside its context window.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use utoipa::ToSchema;

use crate::{ArchiveId, JsonObject, PassageId, Patch, Timestamp, llm_config::EmbeddingConfig};

/// Characters that a tag may have.
pub const MAX_TAG_CHARS: usize = 200;
/// Tags that a passage may have.
pub const MAX_TAGS: usize = 100;

/// A collection of passages. Agents may share one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Archive {
    /// `archive-<uuid4>`.
    #[schema(value_type = String)]
    pub id: ArchiveId,
    pub name: String,
    pub description: Option<String>,
    /// Where vectors are kept: always `native`, in the server's own database.
    pub vector_db_provider: VectorDbProvider,
    /// The model that passages are embedded with; none when they are found by words only.
    pub embedding_config: Option<EmbeddingConfig>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
}

/// Where the vectors of an archive are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum VectorDbProvider {
    /// In the server's own database.
    #[default]
    Native,
}

/// A text in an archive.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Passage {
    /// `passage-<uuid4>`.
    #[schema(value_type = String)]
    pub id: PassageId,
    pub text: String,
    /// The text's vector, where a single passage is shown; lists leave it out.
    pub embedding: Option<Vec<f32>>,
    /// The model of the vector; none when the text could not be embedded yet.
    pub embedding_config: Option<EmbeddingConfig>,
    #[schema(value_type = Option<String>)]
    pub archive_id: Option<ArchiveId>,
    /// The folder of a passage that comes from a file.
    pub source_id: Option<String>,
    pub file_id: Option<String>,
    pub file_name: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    pub tags: Option<Vec<String>>,
    pub is_deleted: bool,
    /// When it was made, or what time its author gave it.
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
}

/// The body of an archive's creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreateArchive {
    pub name: String,
    /// The embedding model, whole. Either this or `embedding` is needed.
    #[serde(default)]
    pub embedding_config: Option<EmbeddingConfig>,
    /// The embedding model's handle, `provider/model`.
    #[serde(default)]
    pub embedding: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
}

/// The body of an archive's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ArchiveUpdate {
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
}

/// The body of a passage's creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreatePassage {
    #[serde(alias = "content")]
    pub text: String,
    /// Labels to find it by.
    #[serde(default)]
    pub tags: Option<Vec<String>>,
    /// A time in the past for what was known before; now when left out.
    #[serde(default, deserialize_with = "lenient_time")]
    pub created_at: Option<DateTime<Utc>>,
    /// Anything the developer wants to keep with it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
}

/// The body of a passage's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct PassageUpdate {
    #[schema(value_type = Option<String>)]
    #[serde(alias = "content")]
    pub text: Patch<String>,
    #[schema(value_type = Option<Vec<String>>)]
    pub tags: Patch<Vec<String>>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<JsonObject>,
}

/// How many of the named tags a passage needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TagMatch {
    /// One of them.
    #[default]
    Any,
    /// Each of them.
    All,
}

/// Reads a time as clients send it: with an offset, or without one, which means UTC.
fn lenient_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else {
        return Ok(None);
    };
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(Some(time));
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())
        .or_else(|| text.parse::<chrono::NaiveDate>().ok()?.and_hms_opt(0, 0, 0));
    naive.map(|naive| Some(naive.and_utc())).ok_or_else(|| {
        let unexpected = serde::de::Unexpected::Str(&text);
        D::Error::invalid_value(unexpected, &"a date and time such as 2024-01-02T03:04:05Z")
    })
}

/// Tags as they are kept: trimmed, each once, in their order.
///
/// # Errors
/// What is wrong with one of them, or with their number.
pub fn clean_tags(tags: Vec<String>) -> Result<Vec<String>, String> {
    let mut clean: Vec<String> = Vec::new();
    for tag in tags {
        let tag = tag.trim();
        // Tags are told in the prompt, each in one line with others.
        if tag.is_empty() || tag.chars().count() > MAX_TAG_CHARS || tag.contains(char::is_control) {
            return Err(format!("a tag has 1 to {MAX_TAG_CHARS} characters, none of them a control character"));
        }
        if !clean.iter().any(|known| known == tag) {
            clean.push(tag.to_owned());
        }
    }
    if clean.len() > MAX_TAGS {
        return Err(format!("a passage has at most {MAX_TAGS} tags"));
    }
    Ok(clean)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_with_and_without_an_offset() {
        let read = |text: &str| {
            serde_json::from_value::<CreatePassage>(json!({"text": "x", "created_at": text}))
                .map(|body| body.created_at.unwrap().to_rfc3339())
        };
        for (text, expected) in [
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
            ("2024-01-02T03:04:05.5+02:00", "2024-01-02T01:04:05.500+00:00"),
            ("2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00"),
            ("2024-01-02", "2024-01-02T00:00:00+00:00"),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        let error = read("zzz").unwrap_err().to_string();
        assert!(error.contains("date and time"), "{error}");
    }

    #[test]
    fn tags_are_trimmed_and_kept_once() {
        let tags = |list: &[&str]| clean_tags(list.iter().map(|&tag| tag.to_owned()).collect());
        assert_eq!(tags(&[" a", "b", "a "]).unwrap(), ["a", "b"]);
        assert!(tags(&[""]).is_err() && tags(&["a\nb"]).is_err() && tags(&["x".repeat(201).as_str()]).is_err());
    }
}
