//! Start and stop.

use std::{sync::Arc, time::Duration};

use mneme_domain::{
    Actor, JsonObject, Role,
    run::{RunStatus, StopReason},
};
use mneme_store::{
    providers,
    runs::{self, RunEnd},
};

use crate::{
    Core, Result,
    models::{provider_type, shown_url},
};

impl Core {
    /// Makes the database ready: built-in tools and configured providers are recorded, and runs that a crash cut off
    /// are ended.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        let actor = Actor::default_admin();
        self.ensure_builtin_tools(&actor).await?;
        let mut tx = self.store.write().await?;
        for provider in self.models.providers() {
            let url = shown_url(provider);
            providers::upsert_base(&mut tx, &actor, provider.name(), provider_type(provider.kind()), Some(&url))
                .await?;
        }
        for cut_off in runs::unfinished(&mut tx).await? {
            let owner = Actor { org: cut_off.org, user: cut_off.user, role: Role::Member };
            let mut error = JsonObject::new();
            error.insert("type".into(), "interrupted".into());
            error.insert("message".into(), "The server stopped during this run".into());
            let end = RunEnd {
                status: RunStatus::Failed,
                stop_reason: Some(StopReason::Error),
                completed_at: self.env.now(),
                ttft_ns: None,
                total_duration_ns: None,
                error: Some(error),
            };
            runs::finish(&mut tx, &owner, &cut_off.run, &end).await?;
        }
        Ok(tx.commit().await?)
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
        self.store.close().await;
    }
}
