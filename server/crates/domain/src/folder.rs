//! Folders of files, which agents read. The API's older name for a folder is source.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FileId, JsonObject, Patch, SourceId, archive::VectorDbProvider, llm_config::EmbeddingConfig};

/// Characters that a folder's or a file's name may have.
pub const MAX_NAME_CHARS: usize = 255;

/// A folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Folder {
    /// Unique within the organisation.
    pub name: String,
    pub description: Option<String>,
    /// How agents should use it.
    pub instructions: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// `source-<uuid4>`.
    #[schema(value_type = String)]
    pub id: SourceId,
    /// The model that its files are embedded with; none when the server had none to offer.
    pub embedding_config: Option<EmbeddingConfig>,
    pub created_by_id: Option<String>,
    pub last_updated_by_id: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
}

/// A folder in the words of the older routes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    #[serde(flatten)]
    pub folder: Folder,
    /// Where vectors are kept: always `native`, in the server's own database.
    pub vector_db_provider: VectorDbProvider,
}

impl From<Folder> for Source {
    fn from(folder: Folder) -> Self {
        Self { folder, vector_db_provider: VectorDbProvider::Native }
    }
}

/// The body of a folder's creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreateFolder {
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub instructions: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    /// The embedding model's handle, `provider/model`. Without any the first that the server has is taken.
    #[serde(default)]
    pub embedding: Option<String>,
    /// Tokens of a chunk.
    #[serde(default)]
    pub embedding_chunk_size: Option<u32>,
    /// The embedding model, whole.
    #[serde(default)]
    pub embedding_config: Option<EmbeddingConfig>,
}

/// The body of a folder's update; what it does not name stays.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct UpdateFolder {
    #[schema(value_type = Option<String>)]
    pub name: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub description: Patch<String>,
    #[schema(value_type = Option<String>)]
    pub instructions: Patch<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<JsonObject>,
    /// The model of its files. With another one they are embedded anew; null keeps it.
    #[schema(value_type = Option<EmbeddingConfig>)]
    pub embedding_config: Patch<EmbeddingConfig>,
}

/// How far a file is on its way to being readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileStatus {
    /// It waits.
    Pending,
    /// Its text is being read.
    Parsing,
    /// Its text can be read and searched by words; its chunks are being embedded.
    Embedding,
    /// It is ready.
    Completed,
    /// It cannot be read.
    Error,
}

impl FileStatus {
    /// The API's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Parsing => "parsing",
            Self::Embedding => "embedding",
            Self::Completed => "completed",
            Self::Error => "error",
        }
    }

    /// Reads the API's name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Pending, Self::Parsing, Self::Embedding, Self::Completed, Self::Error];
        all.into_iter().find(|status| status.as_str() == name)
    }
}

/// A file, mostly without its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileMetadata {
    /// Its folder.
    #[schema(value_type = String)]
    pub source_id: SourceId,
    /// What agents call it: `folder/name`.
    pub file_name: String,
    /// What its uploader called it.
    pub original_file_name: String,
    /// Always null: the server keeps texts, not files.
    pub file_path: Option<String>,
    /// A media type.
    pub file_type: Option<String>,
    /// Bytes, as it was uploaded.
    pub file_size: i64,
    pub file_creation_date: Option<String>,
    pub file_last_modified_date: Option<String>,
    pub processing_status: FileStatus,
    /// Why it cannot be read, or what could not be done for it.
    pub error_message: Option<String>,
    pub total_chunks: Option<i64>,
    pub chunks_embedded: Option<i64>,
    /// Its text, where it was asked for.
    pub content: Option<String>,
    #[schema(value_type = String)]
    pub id: FileId,
    pub created_at: DateTime<Utc>,
    pub updated_at: Option<DateTime<Utc>>,
}

/// What happens to an upload whose name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateFileHandling {
    /// The file that is there stays, and is the answer.
    Skip,
    /// The upload is refused.
    Error,
    /// The upload gets a number behind its name.
    #[default]
    Suffix,
    /// The file that is there goes.
    Replace,
}

/// A file as an agent sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentFile {
    /// `file_agent-<uuid4>`.
    pub id: String,
    #[schema(value_type = String)]
    pub file_id: FileId,
    pub file_name: String,
    #[schema(value_type = String)]
    pub folder_id: SourceId,
    pub folder_name: String,
    pub is_open: bool,
    pub last_accessed_at: Option<DateTime<Utc>>,
    /// What of it is in the agent's context window.
    pub visible_content: Option<String>,
    /// The first line that was asked for, from 1; none for the whole file.
    pub start_line: Option<i64>,
    /// The last line that was asked for.
    pub end_line: Option<i64>,
}

/// An agent's files, a page of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AgentFiles {
    pub files: Vec<AgentFile>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
    pub has_more: bool,
}

/// An open file in the shape of a memory block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FileBlock {
    pub value: String,
    /// Characters that an open file may take.
    pub limit: i64,
    /// The file's name.
    pub label: String,
    pub read_only: bool,
    pub description: Option<String>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<JsonObject>,
    pub hidden: Option<bool>,
    pub id: String,
    #[schema(value_type = String)]
    pub file_id: FileId,
    #[schema(value_type = String)]
    pub source_id: SourceId,
    pub is_open: bool,
    pub last_accessed_at: Option<DateTime<Utc>>,
}

impl FileBlock {
    /// An open file of which at most `limit` characters are in view.
    pub fn of(file: AgentFile, limit: i64) -> Self {
        Self {
            value: file.visible_content.unwrap_or_default(),
            limit,
            label: file.file_name,
            read_only: true,
            description: None,
            metadata: Some(JsonObject::new()),
            hidden: None,
            id: file.id.replacen("file_agent-", "block-", 1),
            file_id: file.file_id,
            source_id: file.folder_id,
            is_open: file.is_open,
            last_accessed_at: file.last_accessed_at,
        }
    }
}

/// What an organisation's folders hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FolderTotals {
    pub total_sources: i64,
    pub total_files: i64,
    /// Bytes.
    pub total_size: i64,
    /// Each folder, where that was asked for.
    pub sources: Vec<FolderStats>,
}

/// What a folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FolderStats {
    #[schema(value_type = String)]
    pub source_id: SourceId,
    pub source_name: String,
    pub file_count: i64,
    /// Bytes.
    pub total_size: i64,
    pub files: Vec<FileStats>,
}

/// A file's size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileStats {
    #[schema(value_type = String)]
    pub file_id: FileId,
    pub file_name: String,
    /// Bytes.
    pub file_size: i64,
}
