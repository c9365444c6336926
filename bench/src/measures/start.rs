//! How long a start takes, and what an idle server weighs.

use std::path::Path;
use std::time::{Duration, Instant};

use super::turn::Ask;
use super::{Bench, fixtures, home, turn};
use crate::failure::Result;
use crate::figures::Figures;
use crate::load::Sample;
use crate::procfs::{self, Memory};

/// After this a server that has nothing to do has come to rest.
const REST: Duration = Duration::from_secs(1);

impl Bench {
    pub(super) async fn start(&self, warm: bool) -> Result<Figures> {
        let home = home()?;
        let begun = Instant::now();
        let first = self.launch.start(home.path()).await?;
        let mut starts = vec![first.started_in];
        if warm {
            // A tool has run, so that whatever is compiled on demand is there.
            let agent = fixtures::agents(first.port, 1).await?.remove(0);
            turn::one(first.port, &agent, Ask::Tool).await?;
            first.stop().await?;
            starts.clear();
            for _ in 0..self.options.starts() {
                let server = self.launch.start(home.path()).await?;
                starts.push(server.started_in);
                server.stop().await?;
            }
        } else {
            first.stop().await?;
        }
        Ok(Figures::of_latencies(&Sample::new(starts, begun.elapsed())))
    }

    /// A server's life mostly is not its first start, which compiles tools; what that leaves in memory is noted.
    pub(super) async fn idle_memory(&self) -> Result<Figures> {
        let home = home()?;
        let first = self.memory_after_a_turn(home.path()).await?;
        let later = self.memory_after_a_turn(home.path()).await?;
        Ok(Figures {
            mebibytes: Some(later.resident),
            note: Some(format!(
                "{:.1} MiB of it not backed by files; at the very first start {:.1} and {:.1} MiB",
                later.anonymous, first.resident, first.anonymous
            )),
            ..Figures::default()
        })
    }

    async fn memory_after_a_turn(&self, home: &Path) -> Result<Memory> {
        let server = self.launch.start(home).await?;
        let agent = fixtures::agents(server.port, 1).await?.remove(0);
        turn::one(server.port, &agent, Ask::Text).await?;
        tokio::time::sleep(REST).await;
        let memory = procfs::memory(server.pid())?;
        server.stop().await?;
        Ok(memory)
    }
}
