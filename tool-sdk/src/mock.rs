//! A host for unit tests: an agent made of values, whose blocks and log can be looked at afterwards.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::host::{
    ArchivalHit, ArchivalQuery, Block, FileEntry, FileHit, FilePiece, FileRange, Hit, Host, Level, OpenedFile, Query,
};
use crate::http::{Request, Response};
use crate::{Arguments, HostError, Tool, ToolError};
use files::Shelf;
use web::Web;

mod files;
mod web;

/// The agent and the server that a tool under test talks to. It enforces what the real host
/// enforces: limits, read-only blocks, unknown labels.
#[derive(Debug, Default)]
pub struct MockHost {
    blocks: RefCell<Vec<Block>>,
    hits: Vec<Hit>,
    queries: RefCell<Vec<Query>>,
    archived: RefCell<Vec<(String, Vec<String>)>>,
    memories: Vec<ArchivalHit>,
    archival_queries: RefCell<Vec<ArchivalQuery>>,
    log: RefCell<Vec<(Level, String)>>,
    writes: RefCell<usize>,
    refusal: Option<HostError>,
    now: i64,
    timezone: Option<String>,
    variables: BTreeMap<String, String>,
    shelf: Shelf,
    web: Web,
}

/// The limit of the blocks that [`MockHost::with_block`] makes, in characters.
pub const BLOCK_LIMIT: u64 = 5_000;

impl MockHost {
    /// An agent with nothing, at the Unix epoch, in UTC.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a block that can be edited.
    pub fn with_block(self, label: &str, value: &str) -> Self {
        self.with(Block {
            label: label.to_owned(),
            value: value.to_owned(),
            description: None,
            limit: BLOCK_LIMIT,
            read_only: false,
        })
    }

    /// Adds a block.
    pub fn with(self, block: Block) -> Self {
        self.blocks.borrow_mut().push(block);
        self
    }

    /// Sets what every search finds (up to the query's limit).
    pub fn with_hits(mut self, hits: Vec<Hit>) -> Self {
        self.hits = hits;
        self
    }

    /// Sets what every archival search finds (up to the query's limit).
    pub fn with_memories(mut self, memories: Vec<ArchivalHit>) -> Self {
        self.memories = memories;
        self
    }

    /// Adds a file that can be read, such as `docs/notes.txt`.
    pub fn with_file(self, name: &str, text: &str) -> Self {
        self.shelf.add(name, text);
        self
    }

    /// Sets what every search in files finds (up to its limit).
    pub fn with_file_hits(mut self, hits: Vec<FileHit>) -> Self {
        self.shelf.hits = hits;
        self
    }

    /// The files that are open, the least recently used first.
    pub fn open_files(&self) -> Vec<String> {
        self.shelf.open()
    }

    /// Sets the clock, in milliseconds since the Unix epoch.
    pub fn at(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    /// Sets the agent's time zone.
    pub fn in_timezone(mut self, name: &str) -> Self {
        self.timezone = Some(name.to_owned());
        self
    }

    /// Sets an environment variable.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Scripts the answer to a request. A URL without a query stands for that URL with any query. Several answers for
    /// one URL come one after the other, and the last one stays.
    pub fn answering(self, method: &str, url: &str, answer: Response) -> Self {
        self.web.script(method, url, Ok(answer));
        self
    }

    /// Scripts a request that fails, written like [`MockHost::answering`].
    pub fn failing(self, method: &str, url: &str, error: ToolError) -> Self {
        self.web.script(method, url, Err(error));
        self
    }

    /// Makes every host call that can fail do so.
    pub fn refusing(mut self, error: HostError) -> Self {
        self.refusal = Some(error);
        self
    }

    /// Calls a tool as the model would.
    pub fn call<T: Tool>(&self, arguments: Value) -> Result<String, ToolError> {
        T::call(self, Arguments::from_value(arguments)?)
    }

    /// The value of a block now; `None` when there is no such block.
    pub fn value(&self, label: &str) -> Option<String> {
        let blocks = self.blocks.borrow();
        let block = blocks.iter().find(|block| block.label == label)?;
        Some(block.value.clone())
    }

    /// How many times a block was written.
    pub fn writes(&self) -> usize {
        *self.writes.borrow()
    }

    /// The searches that were made.
    pub fn queries(&self) -> Vec<Query> {
        self.queries.borrow().clone()
    }

    /// The texts that were put into archival memory, with their tags.
    pub fn archived(&self) -> Vec<(String, Vec<String>)> {
        self.archived.borrow().clone()
    }

    /// The archival searches that were made.
    pub fn archival_queries(&self) -> Vec<ArchivalQuery> {
        self.archival_queries.borrow().clone()
    }

    /// The requests that were sent, redirects included.
    pub fn requests(&self) -> Vec<Request> {
        self.web.requests()
    }

    /// The lines that were logged.
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.log.borrow().clone()
    }

    fn admit(&self) -> Result<(), HostError> {
        self.refusal.clone().map_or(Ok(()), Err)
    }
}

impl Host for MockHost {
    fn blocks(&self) -> Result<Vec<Block>, HostError> {
        self.admit()?;
        Ok(self.blocks.borrow().clone())
    }

    fn block(&self, label: &str) -> Result<Block, HostError> {
        self.admit()?;
        let blocks = self.blocks.borrow();
        let found = blocks.iter().find(|block| block.label == label);
        found.cloned().ok_or_else(|| HostError::NotFound(format!("there is no memory block `{label}`")))
    }

    fn set_block(&self, label: &str, value: &str) -> Result<(), HostError> {
        self.admit()?;
        let mut blocks = self.blocks.borrow_mut();
        let Some(block) = blocks.iter_mut().find(|block| block.label == label) else {
            return Err(HostError::NotFound(format!("there is no memory block `{label}`")));
        };
        if block.read_only {
            return Err(HostError::ReadOnly(format!("`{label}` is read-only")));
        }
        if value.chars().count() as u64 > block.limit {
            return Err(HostError::LimitExceeded(format!("`{label}` holds at most {} characters", block.limit)));
        }
        block.value = value.to_owned();
        *self.writes.borrow_mut() += 1;
        Ok(())
    }

    fn search(&self, query: &Query) -> Result<Vec<Hit>, HostError> {
        self.admit()?;
        self.queries.borrow_mut().push(query.clone());
        let most = query.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(self.hits.iter().take(most).cloned().collect())
    }

    fn archive(&self, content: &str, tags: &[String]) -> Result<String, HostError> {
        self.admit()?;
        let mut archived = self.archived.borrow_mut();
        archived.push((content.to_owned(), tags.to_vec()));
        Ok(format!("passage-00000000-0000-4000-8000-{:012}", archived.len()))
    }

    fn search_archive(&self, query: &ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError> {
        self.admit()?;
        self.archival_queries.borrow_mut().push(query.clone());
        let most = query.limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(self.memories.iter().take(most).cloned().collect())
    }

    fn files(&self) -> Result<Vec<FileEntry>, HostError> {
        self.admit()?;
        Ok(self.shelf.list())
    }

    fn read_files(&self, names: &[String], offset: u64) -> Result<Vec<FilePiece>, HostError> {
        self.admit()?;
        self.shelf.read(names, offset)
    }

    fn open_file(&self, name: &str, range: Option<FileRange>) -> Result<OpenedFile, HostError> {
        self.admit()?;
        self.shelf.put_into_view(name, range)
    }

    fn close_other_files(&self, names: &[String]) -> Result<Vec<String>, HostError> {
        self.admit()?;
        Ok(self.shelf.close_others(names))
    }

    fn search_files(&self, _: &str, limit: Option<u32>) -> Result<Vec<FileHit>, HostError> {
        self.admit()?;
        let most = limit.map_or(usize::MAX, |limit| limit as usize);
        Ok(self.shelf.hits.iter().take(most).cloned().collect())
    }

    fn agent_id(&self) -> String {
        "agent-00000000-0000-4000-8000-000000000000".to_owned()
    }

    fn timezone(&self) -> String {
        self.timezone.clone().unwrap_or_else(|| "UTC".to_owned())
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn exchange(&self, request: &Request) -> Result<Response, ToolError> {
        self.admit()?;
        self.web.exchange(request)
    }

    fn log(&self, level: Level, message: &str) {
        self.log.borrow_mut().push((level, message.to_owned()));
    }
}
