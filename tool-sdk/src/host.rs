//! The host as a tool sees it: one trait, implemented by the component's imports and by the mock.

use crate::HostError;
#[cfg(not(target_family = "wasm"))]
use crate::{
    ToolError,
    http::{Request, Response},
};

/// A memory block of the calling agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Unique within the agent.
    pub label: String,
    /// The text of the block.
    pub value: String,
    /// What the block is for.
    pub description: Option<String>,
    /// Most characters that `value` may hold.
    pub limit: u64,
    /// Whether tools must leave the block alone.
    pub read_only: bool,
}

/// A search in the calling agent's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// What to look for.
    pub text: String,
    /// Any of `user`, `assistant`, `tool`; empty means all.
    pub roles: Vec<String>,
    /// Most hits wanted.
    pub limit: Option<u32>,
    /// Inclusive lower bound, an ISO 8601 date or date-time.
    pub start_date: Option<String>,
    /// Inclusive upper bound, an ISO 8601 date or date-time.
    pub end_date: Option<String>,
}

/// A message that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Message id.
    pub id: String,
    /// RFC 3339, in the agent's time zone.
    pub timestamp: String,
    /// `user`, `assistant` or `tool`.
    pub role: String,
    /// The text of the message.
    pub content: String,
}

/// A search in the calling agent's archival memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchivalQuery {
    /// What to look for.
    pub text: String,
    /// Only memories with these tags.
    pub tags: Vec<String>,
    /// Whether a memory needs all of the tags; one is enough otherwise.
    pub match_all_tags: bool,
    /// Most hits wanted.
    pub limit: Option<u32>,
    /// Inclusive lower bound, an ISO 8601 date or date-time.
    pub start: Option<String>,
    /// Inclusive upper bound, an ISO 8601 date or date-time.
    pub end: Option<String>,
}

/// A memory that a search found.
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

/// A file of the calling agent's folders.
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
    /// The number of its first line, from 1; the line of the piece before when that one ended within it.
    pub line: u64,
    /// The text.
    pub text: String,
    /// Where the next piece of the file begins, in bytes; none after the last one.
    pub next: Option<u64>,
}

/// Lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileRange {
    /// The first one, from 0.
    pub offset: u64,
    /// How many; up to the end when left out.
    pub length: Option<u64>,
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
    /// Whether less than what was asked for fits into the view.
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

/// How much a log line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Details for whoever debugs the tool.
    Debug,
    /// The normal course of things.
    Info,
    /// Something odd that the tool coped with.
    Warn,
    /// Something that went wrong.
    Error,
}

/// Every host call there is. Tools do not use it directly: they get capabilities
/// ([`crate::Memory`] and the like), which reach only their part of it.
pub trait Host {
    /// All blocks of the agent.
    fn blocks(&self) -> Result<Vec<Block>, HostError>;
    /// One block.
    fn block(&self, label: &str) -> Result<Block, HostError>;
    /// Replaces the value of a block.
    fn set_block(&self, label: &str, value: &str) -> Result<(), HostError>;
    /// Searches the agent's messages.
    fn search(&self, query: &Query) -> Result<Vec<Hit>, HostError>;
    /// Keeps a text in the agent's archival memory; returns its passage id.
    fn archive(&self, content: &str, tags: &[String]) -> Result<String, HostError>;
    /// Searches the agent's archival memory.
    fn search_archive(&self, query: &ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError>;
    /// All files of the agent's folders.
    fn files(&self) -> Result<Vec<FileEntry>, HostError>;
    /// Texts of files in the given order, the first one from an offset in bytes; the answer may end before the last.
    fn read_files(&self, names: &[String], offset: u64) -> Result<Vec<FilePiece>, HostError>;
    /// Puts a file, or lines of it, into the agent's view.
    fn open_file(&self, name: &str, range: Option<FileRange>) -> Result<OpenedFile, HostError>;
    /// Takes every file but the named ones out of the agent's view; returns which.
    fn close_other_files(&self, names: &[String]) -> Result<Vec<String>, HostError>;
    /// The parts of files that match a text, best first.
    fn search_files(&self, text: &str, limit: Option<u32>) -> Result<Vec<FileHit>, HostError>;
    /// The agent's id.
    fn agent_id(&self) -> String;
    /// The agent's time zone, an IANA name.
    fn timezone(&self) -> String;
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> i64;
    /// An environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Sends a request. A component calls its import for this, see `RequestBuilder::send`.
    #[cfg(not(target_family = "wasm"))]
    fn exchange(&self, request: &Request) -> Result<Response, ToolError>;
    /// Writes a log line.
    fn log(&self, level: Level, message: &str);
}
