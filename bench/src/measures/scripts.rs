//! Small tools in Python and JavaScript, run by themselves.

use std::time::{Duration, Instant};

use serde_json::json;

use super::requests::{Call, Requests};
use super::{Bench, home, timed};
use crate::failure::Result;
use crate::figures::Figures;
use crate::load::{self, Limit, Sample, Worker};
use crate::procfs;

const COUNT: u64 = 3_000;
/// Calls before the first look at the memory: buffers, pools and caches have their size.
const WARM_UP: u64 = 1_000;
/// Calls that memory must not grow with.
const GROWTH_COUNT: u64 = 10_000;
const PATIENCE: Duration = Duration::from_secs(900);
const PYTHON: &str = r#"
def total(first: int, second: int) -> int:
    """
    Adds two numbers.

    Args:
        first (int): One number.
        second (int): The other number.

    Returns:
        int: Their sum.
    """
    return first + second
"#;
const JAVASCRIPT: &str = "
/**
 * Adds two numbers.
 * @param first One number.
 * @param second The other number.
 */
export function total(first: number, second: number): number {
    return first + second;
}
";

/// What a tool is written in.
#[derive(Debug, Clone, Copy)]
pub enum Script {
    Python,
    JavaScript,
}

/// Clients that run the tool again and again.
async fn workers(port: u16, script: Script, clients: usize) -> Result<Vec<impl Worker>> {
    let (source, language) = match script {
        Script::Python => (PYTHON, "python"),
        Script::JavaScript => (JAVASCRIPT, "typescript"),
    };
    let mut workers = Vec::new();
    for client in 0..clients {
        let mut number = client;
        let make = move || {
            number += 1;
            let arguments = json!({"first": number, "second": 1});
            let body = json!({"source_code": source, "source_type": language, "name": "total", "args": arguments});
            Call::Post("/v1/tools/run".into(), body.to_string().into())
        };
        workers.push(Requests::new(port, r#""status":"success""#, make).await?);
    }
    Ok(workers)
}

impl Bench {
    pub(super) async fn script_tool(&mut self, script: Script, clients: usize) -> Result<Figures> {
        let port = self.port().await?;
        self.loaded(&mut workers(port, script, clients).await?, COUNT).await
    }

    /// The first call after a start with everything compiled: runtimes are loaded by it, not by the start.
    pub(super) async fn first_script(&self) -> Result<Figures> {
        let home = home()?;
        let (begun, mut calls) = (Instant::now(), Vec::new());
        for start in 0..=self.options.starts() {
            let server = self.launch.start(home.path()).await?;
            let took = workers(server.port, Script::Python, 1).await?.remove(0).once().await?;
            // The very first compiles.
            if start > 0 {
                calls.push(took);
            }
            server.stop().await?;
        }
        Ok(Figures::of_latencies(&Sample::new(calls, begun.elapsed())))
    }

    /// On a server of its own, whose memory nothing else has shaped.
    pub(super) async fn script_growth(&self) -> Result<Figures> {
        const CLIENTS: usize = 4;
        let home = home()?;
        let server = self.launch.start(home.path()).await?;
        let count = GROWTH_COUNT.min(self.options.growth_turns());
        let limit = |count| Limit { time: PATIENCE, count };
        let mut workers = workers(server.port, Script::Python, CLIENTS).await?;
        load::run(&mut workers, limit(WARM_UP.min(count))).await?;
        let before = procfs::memory(server.pid())?;
        let figures = timed(&server, &mut workers, limit(count)).await?;
        let after = procfs::memory(server.pid())?;
        server.stop().await?;
        Ok(Figures {
            mebibytes: Some(after.resident),
            growth_mebibytes: Some(after.resident - before.resident),
            note: Some(format!(
                "{:.1} MiB before, {} calls; not backed by files: {:.1} before, {:.1} after",
                before.resident, figures.count, before.anonymous, after.anonymous
            )),
            ..figures
        })
    }
}
