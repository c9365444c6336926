//! What a tool may do to the agent that called it, and nothing more.
//!
//! Edits of memory blocks are staged here and written with the rest of the step, so a step is committed whole or
//! not at all.

use std::sync::Arc;

use async_trait::async_trait;
use chrono_tz::Tz;
use mneme_domain::{
    Actor, AgentId, EntityId, Timestamp,
    archive::{Passage, TagMatch, clean_tags},
    block::{Block, check_limit},
    message::MessageRole,
};
use mneme_sandbox::{
    ApiRequest, ApiResponse, ArchivalHit, ArchivalQuery, ConversationHit, ConversationQuery, FileEntry, FileHit,
    FilePiece, HostError, MemoryBlock, OpenedFile, ToolHost,
};
use mneme_store::{blocks::StoredBlock, messages::MessageSearch};
use parking_lot::Mutex;

use crate::{Core, CoreError, MemoryBounds, PassageQuery, SearchMode, api::Chain, dates};

/// Hits that a search returns when the tool does not say.
const DEFAULT_HITS: u32 = 5;
/// Hits that a search returns at most.
const MAX_HITS: u32 = 50;
/// Memories that the tools of one step keep at most.
const MAX_STAGED: usize = 500;

/// An agent's blocks as a step sees them, with what its tools changed, and what they put into archival memory.
#[derive(Debug, Clone, Default)]
pub struct Working {
    blocks: Vec<(StoredBlock, bool)>,
    passages: Vec<Passage>,
}

impl Working {
    /// The blocks as read from the store.
    pub fn new(blocks: Vec<StoredBlock>) -> Self {
        Self { blocks: blocks.into_iter().map(|block| (block, false)).collect(), passages: Vec::new() }
    }

    /// The blocks as the model sees them.
    pub fn blocks(&self) -> Vec<Block> {
        self.blocks.iter().map(|(stored, _)| stored.block.clone()).collect()
    }

    /// The changed ones.
    pub fn changed(&self) -> impl Iterator<Item = &StoredBlock> {
        self.blocks.iter().filter(|(_, dirty)| *dirty).map(|(stored, _)| stored)
    }

    /// The passages to be written with the step.
    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    /// Adds a passage to those.
    pub fn stage(&mut self, passage: Passage) {
        self.passages.push(passage);
    }

    /// Takes the changes as written, with the blocks' new versions in the order of [`Working::changed`].
    pub fn committed(&mut self, versions: &[i64]) {
        let dirty = self.blocks.iter_mut().filter(|(_, dirty)| *dirty);
        for ((stored, dirty), version) in dirty.zip(versions) {
            stored.version = *version;
            *dirty = false;
        }
        self.passages.clear();
    }

    /// Makes an edit again that a tool made on an earlier reading. A block that is gone or read-only by now stays so.
    pub fn set(&mut self, label: &str, value: &str) {
        if let Some((stored, dirty)) = self.find(label)
            && !stored.block.read_only
        {
            value.clone_into(&mut stored.block.value);
            *dirty = true;
        }
    }

    fn find(&mut self, label: &str) -> Option<&mut (StoredBlock, bool)> {
        self.blocks.iter_mut().find(|(stored, _)| stored.block.label.as_deref() == Some(label))
    }
}

/// The host of one tool call.
pub struct AgentHost {
    core: Arc<Core>,
    actor: Actor,
    agent: AgentId,
    timezone: String,
    working: Arc<Mutex<Working>>,
    chain: Arc<Chain>,
    writes: Mutex<Vec<(String, String)>>,
    kept: Mutex<Vec<Passage>>,
}

impl AgentHost {
    /// A host that stages its edits in `working`.
    pub fn new(
        core: Arc<Core>,
        actor: Actor,
        agent: AgentId,
        timezone: Option<String>,
        chain: Arc<Chain>,
        working: Arc<Mutex<Working>>,
    ) -> Self {
        let timezone = timezone.unwrap_or_else(|| "UTC".into());
        Self { core, actor, agent, timezone, working, chain, writes: Mutex::default(), kept: Mutex::default() }
    }

    /// The blocks that the tool wrote, by label, in order.
    pub fn writes(&self) -> Vec<(String, String)> {
        self.writes.lock().clone()
    }

    /// The passages that the tool staged, in order.
    pub fn kept(&self) -> Vec<Passage> {
        self.kept.lock().clone()
    }

    fn zone(&self) -> Tz {
        self.timezone.parse().unwrap_or(Tz::UTC)
    }

    /// A bound of a search; a date alone means its first or last moment in the agent's time zone.
    fn bound(&self, text: Option<&str>, end: bool) -> Result<Option<Timestamp>, HostError> {
        let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        match dates::bound(text, self.zone(), end) {
            Some(time) => Ok(Some(time)),
            None => Err(HostError::Invalid(format!("'{text}' is no date: write YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS"))),
        }
    }
}

impl AgentHost {
    /// The core's refusal in words for a model; what only the operator can mend is logged.
    fn refusal(&self, error: CoreError) -> HostError {
        match error {
            CoreError::NotFound(text) => HostError::NotFound(text),
            CoreError::Invalid(text) | CoreError::Unprocessable { msg: text, .. } => HostError::Invalid(text),
            error => {
                tracing::warn!(agent = %self.agent, %error, "what an agent keeps outside its context cannot be reached");
                HostError::Unavailable("Archival memory and files cannot be used right now".into())
            }
        }
    }
}

/// Not every database can keep the character.
fn without_nul(text: &str) -> Result<(), HostError> {
    if text.contains('\0') {
        return Err(HostError::Invalid("Memory cannot hold the character NUL".into()));
    }
    Ok(())
}

fn view(block: &Block) -> MemoryBlock {
    MemoryBlock {
        label: block.label.clone().unwrap_or_default(),
        value: block.value.clone(),
        description: block.description.clone(),
        limit: u64::try_from(block.limit).unwrap_or(0),
        read_only: block.read_only,
    }
}

#[async_trait]
impl ToolHost for AgentHost {
    async fn blocks(&self) -> Result<Vec<MemoryBlock>, HostError> {
        Ok(self.working.lock().blocks().iter().map(view).collect())
    }

    async fn block(&self, label: &str) -> Result<MemoryBlock, HostError> {
        let mut working = self.working.lock();
        match working.find(label) {
            Some((stored, _)) => Ok(view(&stored.block)),
            None => Err(HostError::NotFound(format!("There is no memory block with the label '{label}'"))),
        }
    }

    async fn set_block(&self, label: &str, value: String) -> Result<(), HostError> {
        let mut working = self.working.lock();
        let Some((stored, dirty)) = working.find(label) else {
            return Err(HostError::NotFound(format!("There is no memory block with the label '{label}'")));
        };
        if stored.block.read_only {
            return Err(HostError::ReadOnly(format!("The memory block '{label}' is read-only and cannot be edited")));
        }
        without_nul(&value)?;
        check_limit(&value, stored.block.limit).map_err(|over| HostError::LimitExceeded(over.to_string()))?;
        stored.block.value.clone_from(&value);
        *dirty = true;
        self.writes.lock().push((label.to_owned(), value));
        Ok(())
    }

    async fn search_conversation(&self, query: ConversationQuery) -> Result<Vec<ConversationHit>, HostError> {
        let mut roles = Vec::new();
        for role in &query.roles {
            match MessageRole::from_name(role) {
                Some(role @ (MessageRole::User | MessageRole::Assistant | MessageRole::Tool)) => roles.push(role),
                _ => {
                    return Err(HostError::Invalid(format!("'{role}' is no role: use user, assistant or tool")));
                }
            }
        }
        if roles.is_empty() {
            // Results of earlier searches would otherwise be found again and again.
            roles = vec![MessageRole::User, MessageRole::Assistant];
        }
        let search = MessageSearch {
            agent_id: Some(self.agent.clone()),
            project_id: None,
            template_id: None,
            query: Some(query.text).filter(|text| !text.trim().is_empty()),
            roles,
            start: self.bound(query.start_date.as_deref(), false)?,
            end: self.bound(query.end_date.as_deref(), true)?,
            limit: query.limit.unwrap_or(DEFAULT_HITS).clamp(1, MAX_HITS),
            offset: 0,
        };
        let found = self.core.search_messages(&self.actor, search, SearchMode::Hybrid).await.map_err(|error| {
            tracing::warn!(agent = %self.agent, %error, "a conversation search failed");
            HostError::Unavailable("The message history cannot be searched right now".into())
        })?;
        let zone = self.zone();
        Ok(found
            .into_iter()
            .map(|found| found.message)
            .map(|message| ConversationHit {
                id: message.id.as_str().to_owned(),
                timestamp: message.created_at.with_timezone(&zone).to_rfc3339(),
                role: message.role.as_str().to_owned(),
                content: shown(&message),
            })
            .collect())
    }

    async fn archive(&self, content: String, tags: Vec<String>) -> Result<String, HostError> {
        if self.working.lock().passages.len() >= MAX_STAGED {
            return Err(HostError::LimitExceeded(format!("One step keeps at most {MAX_STAGED} memories")));
        }
        without_nul(&content)?;
        let tags = clean_tags(tags).map_err(HostError::Invalid)?;
        let staged = self.core.stage_memory(&self.actor, &self.agent, content, tags).await;
        let passage = staged.map_err(|error| self.refusal(error))?;
        let id = passage.id.to_string();
        self.kept.lock().push(passage.clone());
        self.working.lock().stage(passage);
        Ok(id)
    }

    async fn search_archive(&self, query: ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError> {
        // A text that is no date is said here, in words for a model.
        self.bound(query.start.as_deref(), false)?;
        self.bound(query.end.as_deref(), true)?;
        let query = PassageQuery {
            text: query.text,
            tags: query.tags,
            tag_match: if query.match_all_tags { TagMatch::All } else { TagMatch::Any },
            bounds: MemoryBounds { start: query.start, end: query.end },
            limit: Some(query.limit.unwrap_or(DEFAULT_HITS).min(MAX_HITS)),
        };
        let found = self.core.search_memories(&self.actor, &self.agent, query).await;
        let (found, zone) = found.map_err(|error| self.refusal(error))?;
        let hit = |found: crate::FoundPassage| ArchivalHit {
            id: found.passage.id.to_string(),
            timestamp: found.passage.created_at.with_timezone(&zone).to_rfc3339(),
            tags: found.passage.tags.unwrap_or_default(),
            content: found.passage.text,
            score: found.score,
            vector_rank: found.vector_rank,
            text_rank: found.text_rank,
        };
        Ok(found.into_iter().map(hit).collect())
    }

    async fn files(&self) -> Result<Vec<FileEntry>, HostError> {
        self.core.tool_files(&self.actor, &self.agent).await.map_err(|error| self.refusal(error))
    }

    async fn read_files(&self, names: Vec<String>, offset: u64) -> Result<Vec<FilePiece>, HostError> {
        let read = self.core.tool_read_files(&self.actor, &self.agent, &names, offset).await;
        read.map_err(|error| self.refusal(error))
    }

    async fn open_file(&self, name: &str, range: Option<(u64, Option<u64>)>) -> Result<OpenedFile, HostError> {
        let opened = self.core.tool_open_file(&self.actor, &self.agent, name, range).await;
        opened.map_err(|error| self.refusal(error))
    }

    async fn close_other_files(&self, names: Vec<String>) -> Result<Vec<String>, HostError> {
        let closed = self.core.tool_close_others(&self.actor, &self.agent, &names).await;
        closed.map_err(|error| self.refusal(error))
    }

    async fn search_files(&self, text: String, limit: Option<u32>) -> Result<Vec<FileHit>, HostError> {
        let limit = limit.unwrap_or(DEFAULT_HITS).min(MAX_HITS);
        let found = self.core.search_files(&self.actor, &self.agent, &text, limit).await;
        let hit = |found: crate::FoundPassage| FileHit {
            name: found.passage.file_name.unwrap_or_default(),
            text: found.passage.text,
            score: found.score,
            vector_rank: found.vector_rank,
            text_rank: found.text_rank,
        };
        Ok(found.map_err(|error| self.refusal(error))?.into_iter().map(hit).collect())
    }

    async fn api_request(&self, request: ApiRequest) -> Result<ApiResponse, HostError> {
        self.core.answer_tool(&self.actor, &self.chain, request).await
    }

    fn agent_id(&self) -> &str {
        self.agent.as_str()
    }

    fn timezone(&self) -> &str {
        &self.timezone
    }

    fn now(&self) -> i64 {
        self.core.env.now().timestamp_millis()
    }
}

/// What a search shows of a message.
fn shown(message: &mneme_domain::message::Message) -> String {
    let said = message.said();
    if !said.is_empty() {
        return said;
    }
    let returns: Vec<&str> = message.tool_returns.iter().filter_map(|one| one.func_response.as_deref()).collect();
    returns.join("\n")
}
