//! What the sandbox needs from its surroundings to answer a guest's host calls.

use async_trait::async_trait;
use bytes::Bytes;

/// A memory block as a tool sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryBlock {
    /// Unique within the agent.
    pub label: String,
    /// The text of the block.
    pub value: String,
    /// What the block is for.
    pub description: Option<String>,
    /// Most characters (Unicode scalar values) that `value` may hold.
    pub limit: u64,
    /// Whether tools must leave the block alone.
    pub read_only: bool,
}

/// A search in the agent's message history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationQuery {
    /// What to look for.
    pub text: String,
    /// Any of `user`, `assistant`, `tool`; empty means all.
    pub roles: Vec<String>,
    /// Most hits wanted; the host has a default and an upper bound.
    pub limit: Option<u32>,
    /// Inclusive lower bound: ISO 8601 date or date-time, in the agent's time zone unless it has an offset.
    pub start_date: Option<String>,
    /// Inclusive upper bound, written like `start_date`.
    pub end_date: Option<String>,
}

/// One message that a [`ConversationQuery`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationHit {
    /// Message id.
    pub id: String,
    /// RFC 3339, in the agent's time zone.
    pub timestamp: String,
    /// `user`, `assistant` or `tool`.
    pub role: String,
    /// The text of the message.
    pub content: String,
}

/// A search in the agent's archival memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchivalQuery {
    /// What to look for.
    pub text: String,
    /// Only memories with these tags.
    pub tags: Vec<String>,
    /// Whether a memory needs all of the tags; one is enough otherwise.
    pub match_all_tags: bool,
    /// Most hits wanted; the host has a default and an upper bound.
    pub limit: Option<u32>,
    /// Inclusive lower bound: ISO 8601 date or date-time, in the agent's time zone unless it has an offset.
    pub start: Option<String>,
    /// Inclusive upper bound, written like `start`.
    pub end: Option<String>,
}

/// One memory that an [`ArchivalQuery`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchivalHit {
    /// Passage id.
    pub id: String,
    /// RFC 3339, in the agent's time zone.
    pub timestamp: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The text.
    pub content: String,
    /// Fused score of both ranks; more is better.
    pub score: f64,
    /// Place by meaning, from 1.
    pub vector_rank: Option<u32>,
    /// Place by words, from 1.
    pub text_rank: Option<u32>,
}

/// A file of the agent's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// `folder/name`.
    pub name: String,
    /// Lines of its text.
    pub lines: u64,
    /// Whether the agent has it open.
    pub open: bool,
    /// Whether its text can be read yet.
    pub ready: bool,
}

/// A part of a file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePiece {
    /// `folder/name`.
    pub name: String,
    /// The number of its first line, from 1.
    pub line: u64,
    /// The text.
    pub text: String,
    /// Where the next piece begins, in bytes; none after the last one.
    pub next: Option<u64>,
}

/// What became of opening a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedFile {
    /// `folder/name`.
    pub name: String,
    /// The first line in view, from 1.
    pub first: u64,
    /// The last line in view.
    pub last: u64,
    /// Lines of the whole file.
    pub lines: u64,
    /// Whether less than what was asked for is in view.
    pub cut: bool,
    /// Files that were closed to make room.
    pub closed: Vec<String>,
}

/// A part of a file that a search found.
#[derive(Debug, Clone, PartialEq)]
pub struct FileHit {
    /// `folder/name`.
    pub name: String,
    /// The text.
    pub text: String,
    /// Fused score of both ranks; more is better.
    pub score: f64,
    /// Place by meaning, from 1.
    pub vector_rank: Option<u32>,
    /// Place by words, from 1.
    pub text_rank: Option<u32>,
}

/// A request to this server's own API, from a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiRequest {
    /// The HTTP method, in capitals.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// All of the body.
    pub body: Bytes,
}

/// What the API answers to an [`ApiRequest`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// All of the body.
    pub body: Bytes,
}

/// Why a host call was not carried out. The texts reach the model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Nothing has that name.
    #[error("{0}")]
    NotFound(String),
    /// The thing must not be changed by an agent.
    #[error("{0}")]
    ReadOnly(String),
    /// A size or count limit would be exceeded.
    #[error("{0}")]
    LimitExceeded(String),
    /// The tool or its agent lacks the capability.
    #[error("{0}")]
    Denied(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The thing changed between the tool's read and its write.
    #[error("{0}")]
    Conflict(String),
    /// No answer now; trying later may help.
    #[error("{0}")]
    Unavailable(String),
}

/// Speaks for one agent during one call. Every method acts with that agent's identity
/// and nothing more; the sandbox has already checked the tool's declared capabilities.
///
/// A read followed by a write of the same block should detect a change in between and
/// answer [`HostError::Conflict`]: the host is created per call, so it can remember what it handed out.
#[async_trait]
pub trait ToolHost: Send + Sync {
    /// All blocks of the agent.
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError>;
    /// One block.
    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError>;
    /// Replaces the value of an existing block, checking its limit and its read-only flag.
    async fn set_block(&self, label: &str, value: String) -> Result<(), HostError>;
    /// Searches the agent's messages, best match first.
    async fn search_conversation(&self, query: ConversationQuery) -> Result<Vec<ConversationHit>, HostError>;
    /// Keeps a text in the agent's archival memory; returns its passage id.
    async fn archive(&self, content: String, tags: Vec<String>) -> Result<String, HostError> {
        let _ = (content, tags);
        Err(no_archive())
    }
    /// Searches the agent's archival memory, best match first.
    async fn search_archive(&self, query: ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError> {
        let _ = query;
        Err(no_archive())
    }
    /// All files of the agent's folders.
    async fn files(&self) -> Result<Vec<FileEntry>, HostError> {
        Err(no_files())
    }
    /// Texts of files in the given order, the first one from an offset in bytes. The implementation bounds the answer.
    async fn read_files(&self, names: Vec<String>, offset: u64) -> Result<Vec<FilePiece>, HostError> {
        let _ = (names, offset);
        Err(no_files())
    }
    /// Puts a file into the agent's view: from a line, counted from 0, so many lines.
    async fn open_file(&self, name: &str, range: Option<(u64, Option<u64>)>) -> Result<OpenedFile, HostError> {
        let _ = (name, range);
        Err(no_files())
    }
    /// Takes every file but those out of the agent's view; returns which.
    async fn close_other_files(&self, names: Vec<String>) -> Result<Vec<String>, HostError> {
        let _ = names;
        Err(no_files())
    }
    /// Searches the files of the agent's folders, best match first.
    async fn search_files(&self, text: String, limit: Option<u32>) -> Result<Vec<FileHit>, HostError> {
        let _ = (text, limit);
        Err(no_files())
    }
    /// Answers a request to this server's API with the rights of the agent's owner, whatever credential the request
    /// carries. It may take as long as the call has left.
    async fn api_request(&self, request: ApiRequest) -> Result<ApiResponse, HostError> {
        let ApiRequest { method, path, .. } = request;
        Err(HostError::Denied(format!("{method} {path}: the API is not available to this call")))
    }
    /// The id of the agent.
    fn agent_id(&self) -> &str;
    /// The agent's time zone, an IANA name.
    fn timezone(&self) -> &str;
    /// Now, in milliseconds since the Unix epoch.
    fn now(&self) -> i64;
}

fn no_files() -> HostError {
    HostError::Denied("files are not available to this call".to_owned())
}

fn no_archive() -> HostError {
    HostError::Denied("archival memory is not available to this call".to_owned())
}
