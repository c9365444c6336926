//! Runs measures: each prepares what it needs, warms up, and is then timed.

use std::time::Duration;

use tempfile::TempDir;

use crate::catalogue::{Kind, Measure};
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::load::{self, Worker};
use crate::options::Options;
use crate::procfs;
use crate::provider::Provider;
use crate::server::{Launch, Server};

mod archival;
mod create;
mod files;
mod fixtures;
mod growth;
mod history;
mod large;
pub mod mcp;
mod read;
mod requests;
pub mod runs;
pub mod scripts;
mod start;
pub mod stream;
mod tool_call;
mod turn;

/// Everything that measures share.
#[derive(Debug)]
pub struct Bench {
    options: Options,
    launch: Launch,
    provider: Provider,
    /// The server that most measures share, once one has needed it, with its folder.
    shared: Option<(Server, TempDir)>,
    /// A filled archive, once a measure has needed it.
    large: Option<large::Large>,
    /// Agents of the shared server that nobody has talked to.
    agents: Vec<String>,
}

impl Bench {
    /// A bench whose server is not started yet.
    pub fn new(options: Options, launch: Launch, provider: Provider) -> Self {
        Self { options, launch, provider, shared: None, large: None, agents: Vec::new() }
    }

    /// Takes one measure.
    pub async fn measure(&mut self, measure: &Measure) -> Result<Figures> {
        match measure.kind {
            Kind::Start { warm } => self.start(warm).await,
            Kind::IdleMemory => self.idle_memory().await,
            Kind::Health { clients } => self.health(clients).await,
            Kind::AgentGet { clients } => self.agent_get(clients).await,
            Kind::AgentList => self.agent_list().await,
            Kind::BlockList { clients } => self.block_list(clients).await,
            Kind::AgentCreate { clients } => self.agent_create(clients).await,
            Kind::Turn { clients } => self.turn(clients, turn::Ask::Text).await,
            Kind::ToolTurn { clients } => self.turn(clients, turn::Ask::Tool).await,
            Kind::ToolCall => self.tool_call().await,
            Kind::FirstToken { door } => self.first_token(door).await,
            Kind::ArchivalInsert => self.archival_insert().await,
            Kind::ArchivalSearch => self.archival_search().await,
            Kind::LargeInsert => self.large_insert().await,
            Kind::LargeSearch => self.large_search().await,
            Kind::LargeRecall => self.large_recall().await,
            Kind::LargeFirst => self.large_first().await,
            Kind::ScriptTool { script, clients } => self.script_tool(script, clients).await,
            Kind::FirstScript => self.first_script().await,
            Kind::ScriptGrowth => self.script_growth().await,
            Kind::McpCall { transport } => self.mcp_call(transport).await,
            Kind::McpList => self.mcp_list().await,
            Kind::PdfIngest => self.pdf_ingest().await,
            Kind::GrepFolder => self.grep_folder().await,
            Kind::MemoryGrowth => self.memory_growth().await,
            Kind::BackgroundFirst => self.background_first().await,
            Kind::Resume => self.resume().await,
            Kind::Cancel { within } => self.cancel(within).await,
            Kind::History => self.history().await,
        }
    }

    /// The version of the shared server, empty when no measure needed it.
    pub fn version(&self) -> &str {
        self.shared.as_ref().map_or("", |(server, _)| &server.version)
    }

    /// Stops the shared server.
    pub async fn finish(self) -> Result {
        match self.shared {
            Some((server, _home)) => server.stop().await,
            None => Ok(()),
        }
    }

    /// The port of the shared server, which is started when it is not there yet.
    async fn port(&mut self) -> Result<u16> {
        if self.shared.is_none() {
            let home = home()?;
            self.shared = Some((self.launch.start(home.path()).await?, home));
        }
        Ok(self.server()?.port)
    }

    fn server(&self) -> Result<&Server> {
        let shared = self.shared.as_ref().map(|(server, _)| server);
        shared.ok_or_else(|| Failure::Broken("no server runs yet".into()))
    }

    /// Warms up and measures on the shared server, with `count` operations at most.
    async fn loaded<W: Worker>(&self, workers: &mut [W], count: u64) -> Result<Figures> {
        let (warm_up, run) = self.options.limits(count);
        load::run(workers, warm_up).await?;
        timed(self.server()?, workers, run).await
    }
}

/// Measures operations together with the processor time that they cost.
async fn timed<W: Worker>(server: &Server, workers: &mut [W], limit: load::Limit) -> Result<Figures> {
    let (server, bench) = (server.pid(), std::process::id());
    let before = (procfs::processor_time(server)?, procfs::processor_time(bench)?);
    let sample = load::run(workers, limit).await?;
    let after = (procfs::processor_time(server)?, procfs::processor_time(bench)?);
    let each =
        |before: Duration, after: Duration| Some((after - before).as_secs_f64() * 1e3 / sample.count().max(1) as f64);
    Ok(Figures {
        server_cpu_ms: each(before.0, after.0),
        bench_cpu_ms: each(before.1, after.1),
        ..Figures::of_load(&sample)
    })
}

/// A fresh folder for a server.
fn home() -> Result<TempDir> {
    tempfile::Builder::new().prefix("mneme-bench-").tempdir().map_err(Failure::while_doing("a temporary folder"))
}
