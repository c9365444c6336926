//! The guest's imports, answered by the call's [`crate::ToolHost`].

use mneme_domain::policy::capability;

use crate::bindings::mneme::tool::{agent, archival, conversation, files, log, memory, types};
use crate::state::State;
use crate::{
    ArchivalHit, ArchivalQuery, ConversationHit, ConversationQuery, FileEntry, FileHit, FilePiece, HostError,
    MemoryBlock, OpenedFile,
};

impl types::Host for State {}

impl memory::Host for State {
    async fn list_blocks(&mut self) -> Result<Vec<memory::Block>, types::HostError> {
        let host = self.session.host(capability::MEMORY_READ)?;
        let blocks = self.session.bounded(host.blocks()).await?;
        Ok(blocks.into_iter().map(Into::into).collect())
    }

    async fn get_block(&mut self, label: String) -> Result<memory::Block, types::HostError> {
        let host = self.session.host(capability::MEMORY_READ)?;
        Ok(self.session.bounded(host.block(&label)).await?.into())
    }

    async fn set_block(&mut self, label: String, value: String) -> Result<(), types::HostError> {
        let host = self.session.host(capability::MEMORY_WRITE)?;
        Ok(self.session.bounded(host.set_block(&label, value)).await?)
    }
}

impl conversation::Host for State {
    async fn search(&mut self, query: conversation::Query) -> Result<Vec<conversation::Hit>, types::HostError> {
        let host = self.session.host(capability::CONVERSATION_SEARCH)?;
        let query = ConversationQuery {
            text: query.text,
            roles: query.roles,
            limit: query.limit,
            start_date: query.start_date,
            end_date: query.end_date,
        };
        let hits = self.session.bounded(host.search_conversation(query)).await?;
        Ok(hits.into_iter().map(Into::into).collect())
    }
}

impl archival::Host for State {
    async fn insert(&mut self, content: String, tags: Vec<String>) -> Result<String, types::HostError> {
        let host = self.session.host(capability::ARCHIVAL)?;
        Ok(self.session.bounded(host.archive(content, tags)).await?)
    }

    async fn search(&mut self, query: archival::Query) -> Result<Vec<archival::Hit>, types::HostError> {
        let host = self.session.host(capability::ARCHIVAL)?;
        let query = ArchivalQuery {
            text: query.text,
            tags: query.tags,
            match_all_tags: query.match_all_tags,
            limit: query.limit,
            start: query.start,
            end: query.end,
        };
        let hits = self.session.bounded(host.search_archive(query)).await?;
        Ok(hits.into_iter().map(Into::into).collect())
    }
}

impl files::Host for State {
    async fn list_files(&mut self) -> Result<Vec<files::File>, types::HostError> {
        let host = self.session.host(capability::FILES)?;
        let found = self.session.bounded(host.files()).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn read(&mut self, names: Vec<String>, offset: u64) -> Result<Vec<files::Piece>, types::HostError> {
        let host = self.session.host(capability::FILES)?;
        let found = self.session.bounded(host.read_files(names, offset)).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }

    async fn open(&mut self, name: String, range: Option<files::Range>) -> Result<files::Opened, types::HostError> {
        let host = self.session.host(capability::FILES)?;
        let range = range.map(|range| (range.offset, range.length));
        Ok(self.session.bounded(host.open_file(&name, range)).await?.into())
    }

    async fn close_others(&mut self, names: Vec<String>) -> Result<Vec<String>, types::HostError> {
        let host = self.session.host(capability::FILES)?;
        Ok(self.session.bounded(host.close_other_files(names)).await?)
    }

    async fn search(&mut self, text: String, limit: Option<u32>) -> Result<Vec<files::Hit>, types::HostError> {
        let host = self.session.host(capability::FILES)?;
        let found = self.session.bounded(host.search_files(text, limit)).await?;
        Ok(found.into_iter().map(Into::into).collect())
    }
}

impl agent::Host for State {
    async fn id(&mut self) -> String {
        self.session.anyone().agent_id().to_owned()
    }

    async fn timezone(&mut self) -> String {
        self.session.anyone().timezone().to_owned()
    }

    async fn now(&mut self) -> i64 {
        self.session.anyone().now()
    }
}

impl log::Host for State {
    async fn write(&mut self, level: log::Level, message: String) {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        let line = format!("[{level}] {message}\n");
        self.session.log().write(line.as_bytes());
    }
}

impl From<MemoryBlock> for memory::Block {
    fn from(block: MemoryBlock) -> Self {
        Self {
            label: block.label,
            value: block.value,
            description: block.description,
            limit: block.limit,
            read_only: block.read_only,
        }
    }
}

impl From<ConversationHit> for conversation::Hit {
    fn from(hit: ConversationHit) -> Self {
        Self { id: hit.id, timestamp: hit.timestamp, role: hit.role, content: hit.content }
    }
}

impl From<ArchivalHit> for archival::Hit {
    fn from(hit: ArchivalHit) -> Self {
        Self {
            id: hit.id,
            timestamp: hit.timestamp,
            tags: hit.tags,
            content: hit.content,
            score: hit.score,
            vector_rank: hit.vector_rank,
            text_rank: hit.text_rank,
        }
    }
}

impl From<FileEntry> for files::File {
    fn from(file: FileEntry) -> Self {
        Self { name: file.name, lines: file.lines, open: file.open, ready: file.ready }
    }
}

impl From<FilePiece> for files::Piece {
    fn from(piece: FilePiece) -> Self {
        Self { name: piece.name, line: piece.line, text: piece.text, next: piece.next }
    }
}

impl From<OpenedFile> for files::Opened {
    fn from(opened: OpenedFile) -> Self {
        let OpenedFile { name, first, last, lines, cut, closed } = opened;
        Self { name, first, last, lines, cut, closed }
    }
}

impl From<FileHit> for files::Hit {
    fn from(hit: FileHit) -> Self {
        Self {
            name: hit.name,
            text: hit.text,
            score: hit.score,
            vector_rank: hit.vector_rank,
            text_rank: hit.text_rank,
        }
    }
}

impl From<HostError> for types::HostError {
    fn from(error: HostError) -> Self {
        match error {
            HostError::NotFound(text) => Self::NotFound(text),
            HostError::ReadOnly(text) => Self::ReadOnly(text),
            HostError::LimitExceeded(text) => Self::LimitExceeded(text),
            HostError::Denied(text) => Self::Denied(text),
            HostError::Invalid(text) => Self::Invalid(text),
            HostError::Conflict(text) => Self::Conflict(text),
            HostError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}
