//! Whether memory grows with the number of turns.

use std::time::Duration;

use super::turn::{self, Ask};
use super::{Bench, home, timed};
use crate::failure::Result;
use crate::figures::Figures;
use crate::load::{self, Limit};
use crate::procfs;

const CLIENTS: usize = 8;
/// Turns before the first look: buffers, pools and caches have their size then.
const WARM_UP: u64 = 1_000;
const PATIENCE: Duration = Duration::from_secs(900);

impl Bench {
    /// On a server of its own, over many agents, so that contexts stay short.
    pub(super) async fn memory_growth(&self) -> Result<Figures> {
        let home = home()?;
        let server = self.launch.start(home.path()).await?;
        let turns = self.options.growth_turns();
        let limit = |count| Limit { time: PATIENCE, count };
        let warm_up = WARM_UP.min(turns);
        let mut first = turn::workers(server.port, CLIENTS, Ask::Text, warm_up).await?;
        let mut workers = turn::workers(server.port, CLIENTS, Ask::Text, turns).await?;
        load::run(&mut first, limit(warm_up)).await?;
        let before = procfs::memory(server.pid())?;
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
