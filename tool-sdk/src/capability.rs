//! Capabilities: what a tool may ask of the host, one type per right.
//!
//! A tool receives them as reference parameters, so its signature is the whole list of
//! what it can reach, and the host is told exactly that list.

use crate::HostError;
use crate::host::{
    ArchivalHit, ArchivalQuery, Block, FileEntry, FileHit, FilePiece, FileRange, Hit, Host, Level, OpenedFile, Query,
};

/// Something that the host hands to a tool.
pub trait Capability<'h>: Sized {
    /// The names under which the host knows the right; empty when everybody has it.
    const NAMES: &'static [&'static str];
    /// Wraps the host. Called by the generated code of `#[tool]`.
    fn granted(host: &'h dyn Host) -> Self;
}

macro_rules! capability {
    ($(#[$doc:meta])* $name:ident: $rights:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub struct $name<'h> {
            host: &'h dyn Host,
        }

        impl<'h> Capability<'h> for $name<'h> {
            const NAMES: &'static [&'static str] = $rights;
            fn granted(host: &'h dyn Host) -> Self {
                Self { host }
            }
        }
    };
}

capability! {
    /// Reads the agent's memory blocks.
    Memory: &["memory-read"]
}

impl Memory<'_> {
    /// All blocks of the agent.
    pub fn blocks(&self) -> Result<Vec<Block>, HostError> {
        self.host.blocks()
    }

    /// The block with that label.
    pub fn block(&self, label: &str) -> Result<Block, HostError> {
        self.host.block(label)
    }
}

capability! {
    /// Reads and changes the agent's memory blocks.
    MemoryEditor: &["memory-read", "memory-write"]
}

impl MemoryEditor<'_> {
    /// All blocks of the agent.
    pub fn blocks(&self) -> Result<Vec<Block>, HostError> {
        self.host.blocks()
    }

    /// The block with that label.
    pub fn block(&self, label: &str) -> Result<Block, HostError> {
        self.host.block(label)
    }

    /// Replaces the value of an existing block.
    pub fn set(&self, label: &str, value: &str) -> Result<(), HostError> {
        self.host.set_block(label, value)
    }
}

capability! {
    /// Searches the agent's message history.
    Conversation: &["conversation-search"]
}

impl Conversation<'_> {
    /// The messages that match, best first.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>, HostError> {
        self.host.search(query)
    }
}

capability! {
    /// Keeps and finds texts in the agent's archival memory.
    Archival: &["archival"]
}

impl Archival<'_> {
    /// Keeps a text; returns its passage id. It lasts when the agent's step does.
    pub fn insert(&self, content: &str, tags: &[String]) -> Result<String, HostError> {
        self.host.archive(content, tags)
    }

    /// The memories that match, best first.
    pub fn search(&self, query: &ArchivalQuery) -> Result<Vec<ArchivalHit>, HostError> {
        self.host.search_archive(query)
    }
}

capability! {
    /// Reads, opens and searches the files of the agent's folders.
    Files: &["files"]
}

impl Files<'_> {
    /// All files of the agent's folders.
    pub fn list(&self) -> Result<Vec<FileEntry>, HostError> {
        self.host.files()
    }

    /// Texts of files in the given order, the first one from an offset in bytes. The answer is bounded in size: it may
    /// end before the last file, and within one.
    pub fn read(&self, names: &[String], offset: u64) -> Result<Vec<FilePiece>, HostError> {
        self.host.read_files(names, offset)
    }

    /// Puts a file, or lines of it, into the agent's view.
    pub fn open(&self, name: &str, range: Option<FileRange>) -> Result<OpenedFile, HostError> {
        self.host.open_file(name, range)
    }

    /// Takes every file but the named ones out of the agent's view; returns which.
    pub fn close_others(&self, names: &[String]) -> Result<Vec<String>, HostError> {
        self.host.close_other_files(names)
    }

    /// The parts of files that match a text by words or by meaning, best first.
    pub fn search(&self, text: &str, limit: Option<u32>) -> Result<Vec<FileHit>, HostError> {
        self.host.search_files(text, limit)
    }
}

capability! {
    /// Knows who is calling and what time it is.
    Agent: &[]
}

impl Agent<'_> {
    /// The agent's id.
    pub fn id(&self) -> String {
        self.host.agent_id()
    }

    /// The agent's time zone, an IANA name.
    pub fn timezone(&self) -> String {
        self.host.timezone()
    }

    /// Milliseconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        self.host.now()
    }
}

capability! {
    /// Writes lines for whoever debugs the tool.
    Log: &[]
}

impl Log<'_> {
    /// Writes a line.
    pub fn write(&self, level: Level, message: &str) {
        self.host.log(level, message);
    }

    /// Writes a line at [`Level::Info`].
    pub fn info(&self, message: &str) {
        self.write(Level::Info, message);
    }

    /// Writes a line at [`Level::Warn`].
    pub fn warn(&self, message: &str) {
        self.write(Level::Warn, message);
    }
}
