//! Start and stop.

use std::{sync::Arc, time::Duration};

use mneme_domain::{Actor, Page};
use mneme_macros::boxed;
use mneme_store::providers;

use crate::{
    Core, Result,
    models::{Category, shown_url},
};

#[boxed]
impl Core {
    /// Makes the database ready: built-in tools and configured providers are recorded, and runs that a crash cut off
    /// go on or are ended.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        let actor = Actor::default_admin();
        self.ensure_builtin_tools(&actor).await?;
        let mut tx = self.store.write().await?;
        for provider in self.models.providers() {
            let url = shown_url(provider);
            providers::upsert_base(&mut tx, &actor, provider.name(), provider.kind().api_name(), Some(&url)).await?;
        }
        // The operator took these out of the settings; their names are free again.
        for stored in providers::list(&mut tx, &actor, None, None, &Page::all()).await? {
            if stored.category == Category::Base.name() && self.models.provider(&stored.name).is_none() {
                providers::delete(&mut tx, &actor, &stored.id).await?;
            }
        }
        tx.commit().await?;
        self.begin_leases().await?;
        self.begin_forgetting();
        self.begin_file_work().await
    }

    /// Takes no new turns, waits for those under way, and ends what is left at the deadline.
    pub async fn shutdown(&self, deadline: Duration) {
        self.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(deadline, self.tasks.wait()).await.is_err() {
            self.stopping.cancel();
            // Each turn now only has its end to record.
            if tokio::time::timeout(Duration::from_secs(5), self.tasks.wait()).await.is_err() {
                tracing::warn!(turns = self.tasks.len(), "some turns did not end in time");
            }
        }
        self.gone.cancel();
        self.end_leases().await;
        self.mcp.close().await;
        self.store.close().await;
    }
}
