//! The component side, on the wasm target only: imports behind [`Host`], exports behind the list of tools.

/// Generated from `wit/`.
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/tool-0.1.0",
        world: "tool",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "mneme_tool_sdk::guest::bindings",
    });
}

pub mod http;

use std::io::Write;

use bindings::exports::mneme::tool::guest as exported;
use bindings::mneme::tool::{agent, archival, conversation, files, log, memory, types};

use crate::host::{
    ArchivalHit, ArchivalQuery, Block, FileEntry, FileHit, FilePiece, FileRange, Hit, Host, Level, OpenedFile, Query,
};
use crate::{HostError, RegisteredTool, ToolError};

/// The host that the component is linked to.
pub struct ImportedHost;

impl Host for ImportedHost {
    fn blocks(&self) -> Result<Vec<Block>, HostError> {
        Ok(memory::list_blocks()?.into_iter().map(Block::from).collect())
    }

    fn block(&self, label: &str) -> Result<Block, HostError> {
        Ok(memory::get_block(label)?.into())
    }

    fn set_block(&self, label: &str, value: &str) -> Result<(), HostError> {
        Ok(memory::set_block(label, value)?)
    }

    fn search(&self, query: &Query) -> Result<Vec<Hit>, HostError> {
        let hits = conversation::search(&conversation::Query {
            text: query.text.clone(),
            roles: query.roles.clone(),
            limit: query.limit,
            start_date: query.start_date.clone(),
            end_date: query.end_date.clone(),
        })?;
        Ok(hits
            .into_iter()
            .map(|hit| Hit { id: hit.id, timestamp: hit.timestamp, role: hit.role, content: hit.content })
            .collect())
    }

    fn archive(&self, content: &str, tags: &[String]) -> Result<String, HostError> {
        Ok(archival::insert(content, tags)?)
    }

    fn search_archive(&self, query: &ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError> {
        let hits = archival::search(&archival::Query {
            text: query.text.clone(),
            tags: query.tags.clone(),
            match_all_tags: query.match_all_tags,
            limit: query.limit,
            start: query.start.clone(),
            end: query.end.clone(),
        })?;
        Ok(hits.into_iter().map(ArchivalHit::from).collect())
    }

    fn files(&self) -> Result<Vec<FileEntry>, HostError> {
        Ok(files::list_files()?.into_iter().map(FileEntry::from).collect())
    }

    fn read_files(&self, names: &[String], offset: u64) -> Result<Vec<FilePiece>, HostError> {
        Ok(files::read(names, offset)?.into_iter().map(FilePiece::from).collect())
    }

    fn open_file(&self, name: &str, range: Option<FileRange>) -> Result<OpenedFile, HostError> {
        let range = range.map(|range| files::Range { offset: range.offset, length: range.length });
        Ok(files::open(name, range)?.into())
    }

    fn close_other_files(&self, names: &[String]) -> Result<Vec<String>, HostError> {
        Ok(files::close_others(names)?)
    }

    fn search_files(&self, text: &str, limit: Option<u32>) -> Result<Vec<FileHit>, HostError> {
        Ok(files::search(text, limit)?.into_iter().map(FileHit::from).collect())
    }

    fn agent_id(&self) -> String {
        agent::id()
    }

    fn timezone(&self) -> String {
        agent::timezone()
    }

    fn now(&self) -> i64 {
        agent::now()
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => log::Level::Debug,
            Level::Info => log::Level::Info,
            Level::Warn => log::Level::Warn,
            Level::Error => log::Level::Error,
        };
        log::write(level, message);
    }
}

impl From<memory::Block> for Block {
    fn from(block: memory::Block) -> Self {
        Self {
            label: block.label,
            value: block.value,
            description: block.description,
            limit: block.limit,
            read_only: block.read_only,
        }
    }
}

impl From<archival::Hit> for ArchivalHit {
    fn from(hit: archival::Hit) -> Self {
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

impl From<files::File> for FileEntry {
    fn from(file: files::File) -> Self {
        Self { name: file.name, lines: file.lines, open: file.open, ready: file.ready }
    }
}

impl From<files::Piece> for FilePiece {
    fn from(piece: files::Piece) -> Self {
        Self { name: piece.name, line: piece.line, text: piece.text, next: piece.next }
    }
}

impl From<files::Opened> for OpenedFile {
    fn from(opened: files::Opened) -> Self {
        let files::Opened { name, first, last, lines, cut, closed } = opened;
        Self { name, first, last, lines, cut, closed }
    }
}

impl From<files::Hit> for FileHit {
    fn from(hit: files::Hit) -> Self {
        Self {
            name: hit.name,
            text: hit.text,
            score: hit.score,
            vector_rank: hit.vector_rank,
            text_rank: hit.text_rank,
        }
    }
}

impl From<types::HostError> for HostError {
    fn from(error: types::HostError) -> Self {
        match error {
            types::HostError::NotFound(text) => Self::NotFound(text),
            types::HostError::ReadOnly(text) => Self::ReadOnly(text),
            types::HostError::LimitExceeded(text) => Self::LimitExceeded(text),
            types::HostError::Denied(text) => Self::Denied(text),
            types::HostError::Invalid(text) => Self::Invalid(text),
            types::HostError::Conflict(text) => Self::Conflict(text),
            types::HostError::Unavailable(text) => Self::Unavailable(text),
        }
    }
}

/// The exported `describe`.
pub fn describe(tools: &[RegisteredTool]) -> Vec<exported::ToolSpec> {
    tools
        .iter()
        .map(RegisteredTool::spec)
        .map(|spec| exported::ToolSpec {
            name: spec.name,
            description: spec.description,
            parameters: spec.parameters.to_string(),
            capabilities: spec.capabilities,
        })
        .collect()
}

/// The exported `call`.
pub fn call(tools: &[RegisteredTool], name: &str, arguments: &str) -> Result<String, exported::ToolError> {
    let answer = crate::tool::dispatch(tools, &ImportedHost, name, arguments);
    // The instance is dropped after the call without a chance to flush. Nobody can be told of a failure.
    let _ = std::io::stdout().flush();
    answer.map_err(|error| match error {
        ToolError::InvalidArguments(text) => exported::ToolError::InvalidArguments(text),
        ToolError::Failed(text) => exported::ToolError::Failed(text),
        ToolError::Denied(text) => exported::ToolError::Denied(text),
    })
}

/// Exports a list of tools as the component's `guest` interface.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_component {
    ($tools:path) => {
        struct __MnemeComponent;

        impl $crate::guest::bindings::exports::mneme::tool::guest::Guest for __MnemeComponent {
            fn describe() -> ::std::vec::Vec<$crate::guest::bindings::exports::mneme::tool::guest::ToolSpec> {
                $crate::guest::describe(&$tools())
            }

            fn call(
                name: ::std::string::String,
                arguments: ::std::string::String,
            ) -> ::std::result::Result<
                ::std::string::String,
                $crate::guest::bindings::exports::mneme::tool::guest::ToolError,
            > {
                $crate::guest::call(&$tools(), &name, &arguments)
            }
        }

        #[allow(unsafe_code)]
        const _: () = {
            $crate::guest::bindings::export_component!(
                __MnemeComponent with_types_in $crate::guest::bindings
            );
        };
    };
}
