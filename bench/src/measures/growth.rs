//! Whether memory grows with the number of turns.

use std::time::{Duration, Instant};

use super::turn::{Ask, Conversations, expected};
use super::{Bench, fixtures, home, requests, timed};
use crate::client::Client;
use crate::failure::Result;
use crate::figures::Figures;
use crate::load::{self, Limit, Worker};
use crate::procfs;

const CLIENTS: usize = 8;
const AGENTS_OF_A_CLIENT: usize = 8;
/// Turns before the first look: every agent has been talked to, and buffers, pools and caches have their size.
const WARM_UP: u64 = 2_000;
const PATIENCE: Duration = Duration::from_secs(900);
/// What a start loads behind itself, and messages that are still embedded, have their memory when it stays the same for so long.
const STILL: Duration = Duration::from_secs(3);
/// In mebibytes.
const SAME: f64 = 0.5;

/// Talks to its agents in turn and has each forget its history before it begins anew: what the server keeps about
/// them stays the same, so what grows is lost.
struct Talker {
    client: Client,
    conversations: Conversations,
}

impl Worker for Talker {
    async fn once(&mut self) -> Result<Duration> {
        let anew = self.conversations.visits_anew();
        let (agent, message) = self.conversations.next();
        let agent = format!("/v1/agents/{agent}");
        if anew {
            let path = format!("{agent}/reset-messages");
            self.client.patch(&path, "{}").await?;
        }
        let begun = Instant::now();
        let path = format!("{agent}/messages");
        let body = self.client.post(&path, message).await?;
        let took = begun.elapsed();
        requests::check(&body, expected(Ask::Text))?;
        Ok(took)
    }
}

impl Bench {
    /// On a server of its own, whose memory nothing else has shaped.
    pub(super) async fn memory_growth(&self) -> Result<Figures> {
        let home = home()?;
        let server = self.launch.start(home.path()).await?;
        let turns = self.options.growth_turns();
        let limit = |count| Limit { time: PATIENCE, count };
        let agents = fixtures::agents(server.port, CLIENTS * AGENTS_OF_A_CLIENT).await?;
        let mut workers = Vec::new();
        for agents in agents.chunks(AGENTS_OF_A_CLIENT) {
            workers.push(Talker {
                client: Client::connect(server.port).await?,
                conversations: Conversations::new(agents.to_vec(), Ask::Text),
            });
        }
        load::run(&mut workers, limit(WARM_UP.min(turns))).await?;
        let before = settled(server.pid()).await?;
        let figures = timed(&server, &mut workers, limit(turns)).await?;
        let after = procfs::memory(server.pid())?;
        server.stop().await?;
        let growth = after.resident - before.resident;
        let each = growth * 1024.0 * 1024.0 / figures.count.max(1) as f64;
        Ok(Figures {
            mebibytes: Some(after.resident),
            growth_mebibytes: Some(growth),
            note: Some(format!(
                "{:.1} MiB before, {} turns, {each:.0} bytes a turn; not backed by files: {:.1} before, {:.1} after",
                before.resident, figures.count, before.anonymous, after.anonymous
            )),
            ..figures
        })
    }
}

/// The memory of a process once it stays the same; at the latest after 20 times as long.
async fn settled(pid: u32) -> Result<procfs::Memory> {
    let mut last = procfs::memory(pid)?;
    for _ in 0..20 {
        tokio::time::sleep(STILL).await;
        let now = procfs::memory(pid)?;
        let moved = (now.resident - last.resident).abs();
        last = now;
        if moved < SAME {
            break;
        }
    }
    Ok(last)
}
