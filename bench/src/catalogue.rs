//! Every measure: its name, what it measures, and what is expected of it.

use std::fmt;

use crate::figures::Figures;
use crate::measures::{mcp::Transport, runs::Within, scripts::Script, stream::Door};
use crate::retired::{self, Retired};

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Short and stable: for `--only` and for comparing JSON files.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    pub kind: Kind,
    pub target: Option<Target>,
    pub retired: Option<Retired>,
}

impl Measure {
    /// What is expected on SQLite or on Postgres.
    pub fn target_on(&self, postgres: bool) -> Option<Target> {
        match self.kind {
            Kind::LargeSearch if postgres => Some(Target::Median(10.0)),
            _ => self.target,
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// From the start of the process to a healthy answer.
    Start {
        warm: bool,
    },
    IdleMemory,
    Health {
        clients: usize,
    },
    AgentGet {
        clients: usize,
    },
    AgentList,
    BlockList {
        clients: usize,
    },
    AgentCreate {
        clients: usize,
    },
    Turn {
        clients: usize,
    },
    ToolTurn {
        clients: usize,
    },
    ToolCall,
    FirstToken {
        door: Door,
    },
    ArchivalInsert,
    ArchivalSearch,
    LargeInsert,
    LargeSearch,
    /// How much of the exact answer a search of the archive finds.
    LargeRecall,
    LargeFirst,
    ScriptTool {
        script: Script,
        clients: usize,
    },
    /// The first call of a tool in source after a start.
    FirstScript,
    /// What many calls of tools in source leave.
    ScriptGrowth,
    /// A call of an MCP tool, without the MCP server's own time.
    McpCall {
        transport: Transport,
    },
    /// The tools of many MCP servers.
    McpList,
    PdfIngest,
    GrepFolder,
    MemoryGrowth,
    /// How much later the first words of a stream come when its run goes on without its client.
    BackgroundFirst,
    /// Reading a run of very many events again.
    Resume,
    Cancel {
        within: Within,
    },
    /// Turns of agents with few and with very many messages.
    History,
}

/// What is expected.
#[derive(Debug, Clone, Copy)]
pub enum Target {
    /// More operations a second.
    Rate(f64),
    /// Fewer milliseconds for half of the operations.
    Median(f64),
    /// Less resident memory, in MiB.
    Memory(f64),
    /// Less growth of resident memory, in MiB.
    Growth(f64),
    /// Fewer milliseconds for 99 of 100 operations.
    Slowest(f64),
    /// The dearest case costs at most this many times the cheapest.
    Times(f64),
    /// More of what should be found is found, 0 to 1.
    Recall(f64),
}

impl Target {
    /// Whether figures meet the target; figures of another kind never do.
    pub fn is_met(self, figures: &Figures) -> bool {
        match self {
            Self::Rate(least) => figures.rate.is_some_and(|rate| rate > least),
            Self::Median(most) => figures.p50_ms.is_some_and(|p50| p50 < most),
            Self::Memory(most) => figures.mebibytes.is_some_and(|size| size < most),
            Self::Growth(most) => figures.growth_mebibytes.is_some_and(|growth| growth < most),
            Self::Slowest(most) => figures.p99_ms.is_some_and(|p99| p99 < most),
            Self::Times(most) => figures.times.is_some_and(|times| times < most),
            Self::Recall(least) => figures.recall.is_some_and(|recall| recall > least),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(least) => write!(f, "> {least}/s"),
            Self::Median(most) => write!(f, "p50 < {most} ms"),
            Self::Memory(most) => write!(f, "< {most} MiB"),
            Self::Growth(most) => write!(f, "growth < {most} MiB"),
            Self::Slowest(most) => write!(f, "p99 < {most} ms"),
            Self::Times(most) => write!(f, "within {most}x"),
            Self::Recall(least) => write!(f, "recall > {least}"),
        }
    }
}

const fn measure(
    name: &'static str,
    title: &'static str,
    kind: Kind,
    target: Option<Target>,
    retired: Option<Retired>,
) -> Measure {
    Measure { name, title, kind, target, retired }
}

/// All measures, in the order in which they run.
#[rustfmt::skip]
pub const MEASURES: &[Measure] = &[
    measure("start-cold", "start to healthy, nothing there yet", Kind::Start { warm: false }, None, None),
    measure("start-warm", "start to healthy, warm caches", Kind::Start { warm: true }, Some(Target::Median(200.0)), Some(retired::START)),
    measure("idle-memory", "memory, idle after one turn", Kind::IdleMemory, Some(Target::Memory(60.0)), Some(retired::IDLE_MEMORY)),
    measure("health-32", "health, 32 clients", Kind::Health { clients: 32 }, None, Some(retired::HEALTH_32)),
    measure("agent-get-1", "agent retrieve, 1 client", Kind::AgentGet { clients: 1 }, None, Some(retired::AGENT_GET_1)),
    measure("agent-get-8", "agent retrieve, 8 clients", Kind::AgentGet { clients: 8 }, None, Some(retired::AGENT_GET_8)),
    measure("agent-get-32", "agent retrieve, 32 clients", Kind::AgentGet { clients: 32 }, Some(Target::Rate(6000.0)), Some(retired::AGENT_GET_32)),
    measure("agent-list", "list 50 agents, 1 client", Kind::AgentList, None, Some(retired::AGENT_LIST)),
    measure("block-list-8", "list 50 blocks, 8 clients", Kind::BlockList { clients: 8 }, None, Some(retired::BLOCK_LIST)),
    measure("agent-create-1", "agent create, 1 client", Kind::AgentCreate { clients: 1 }, None, Some(retired::AGENT_CREATE_1)),
    measure("agent-create-8", "agent create, 8 clients", Kind::AgentCreate { clients: 8 }, Some(Target::Rate(800.0)), Some(retired::AGENT_CREATE_8)),
    measure("turn-1", "message turn, 1 client", Kind::Turn { clients: 1 }, Some(Target::Median(4.0)), Some(retired::TURN_1)),
    measure("turn-8", "message turn, 8 clients", Kind::Turn { clients: 8 }, None, Some(retired::TURN_8)),
    measure("turn-32", "message turn, 32 clients", Kind::Turn { clients: 32 }, Some(Target::Rate(600.0)), Some(retired::TURN_32)),
    measure("tool-turn-1", "turn with a memory tool call, 1 client", Kind::ToolTurn { clients: 1 }, Some(Target::Median(6.0)), Some(retired::TOOL_TURN)),
    measure("tool-call", "that tool call by itself", Kind::ToolCall, None, None),
    measure("first-token", "stream: first token, beyond the model's own time", Kind::FirstToken { door: Door::Own }, Some(Target::Median(3.0)), Some(retired::FIRST_TOKEN)),
    measure("chat-first-token", "chat completions: the same", Kind::FirstToken { door: Door::OpenAi }, Some(Target::Median(3.0)), None),
    measure("background-first", "stream: first words in the background, beyond those of a foreground run", Kind::BackgroundFirst, Some(Target::Median(5.0)), None),
    measure("resume", "stream of 10,000 events read again", Kind::Resume, Some(Target::Rate(50_000.0)), None),
    measure("cancel-tokens", "cancel between two tokens", Kind::Cancel { within: Within::Tokens }, Some(Target::Slowest(50.0)), None),
    measure("cancel-tool", "cancel in the middle of a tool", Kind::Cancel { within: Within::Tool }, Some(Target::Slowest(50.0)), None),
    measure("turn-history", "turn of an agent with 10 to 100,000 messages", Kind::History, Some(Target::Times(1.3)), None),
    measure("archival-insert", "archival insert, 1 client", Kind::ArchivalInsert, None, Some(retired::ARCHIVAL_INSERT)),
    measure("archival-search", "archival search over 1,000 passages, 1 client", Kind::ArchivalSearch, None, Some(retired::ARCHIVAL_SEARCH)),
    measure("large-insert", "insert 100,000 passages of 384 dimensions, in batches", Kind::LargeInsert, Some(Target::Rate(3000.0)), None),
    measure("large-search", "hybrid search over 100,000 passages, 1 client", Kind::LargeSearch, Some(Target::Median(15.0)), None),
    measure("large-recall", "recall@10 of the search by meaning over 100,000 passages", Kind::LargeRecall, Some(Target::Recall(0.95)), None),
    measure("large-first", "first search over 100,000 passages after a start", Kind::LargeFirst, Some(Target::Median(300.0)), None),
    measure("python-tool", "Python tool run, warm, 1 client", Kind::ScriptTool { script: Script::Python, clients: 1 }, Some(Target::Median(6.0)), Some(retired::PYTHON_TOOL)),
    measure("python-tool-32", "Python tool run, warm, 32 clients", Kind::ScriptTool { script: Script::Python, clients: 32 }, None, Some(retired::PYTHON_TOOL)),
    measure("python-first", "Python tool run, first after a start with warm caches", Kind::FirstScript, Some(Target::Median(25.0)), Some(retired::PYTHON_TOOL_COLD)),
    measure("js-tool", "TypeScript tool run, warm, 1 client", Kind::ScriptTool { script: Script::JavaScript, clients: 1 }, Some(Target::Median(2.0)), None),
    measure("python-growth", "memory after 10,000 Python tool runs, 4 clients", Kind::ScriptGrowth, Some(Target::Growth(20.0)), None),
    measure("mcp-http", "MCP tool call over HTTP, beyond the MCP server's own time", Kind::McpCall { transport: Transport::Http }, Some(Target::Median(2.0)), None),
    measure("mcp-stdio", "MCP tool call over stdio, beyond the MCP server's own time", Kind::McpCall { transport: Transport::Stdio }, Some(Target::Median(1.0)), None),
    measure("mcp-list", "list 1,000 tools of 50 MCP servers", Kind::McpList, Some(Target::Median(50.0)), None),
    measure("pdf-ingest", "a PDF of 300 pages, from upload to searchable by meaning", Kind::PdfIngest, Some(Target::Median(10_000.0)), None),
    measure("grep-folder", "grep over a folder of 1,000 files, the call by itself", Kind::GrepFolder, Some(Target::Median(300.0)), None),
    measure("memory-growth", "memory after many turns, 8 clients", Kind::MemoryGrowth, Some(Target::Growth(20.0)), Some(retired::MEMORY_AFTER_LOAD)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_easy_to_type() {
        for (index, measure) in MEASURES.iter().enumerate() {
            assert!(measure.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            assert!(MEASURES[..index].iter().all(|other| other.name != measure.name));
        }
    }

    #[test]
    fn a_target_looks_at_its_own_figure() {
        let figures = Figures { rate: Some(700.0), p50_ms: Some(5.0), ..Figures::default() };
        assert!(Target::Rate(600.0).is_met(&figures));
        assert!(!Target::Rate(700.0).is_met(&figures));
        assert!(!Target::Median(4.0).is_met(&figures));
        assert!(!Target::Memory(60.0).is_met(&figures));
        assert!(!Target::Growth(1.0).is_met(&figures));
        assert!(!Target::Recall(0.95).is_met(&figures));
        let figures = Figures { recall: Some(0.96), ..figures };
        assert!(Target::Recall(0.95).is_met(&figures) && !Target::Recall(0.96).is_met(&figures));
    }
}
