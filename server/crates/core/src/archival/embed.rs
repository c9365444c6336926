//! Vectors of passages. A text is stored whether or not it can be embedded; what is left over is embedded later.

use std::sync::Arc;

use mneme_domain::{
    Actor,
    archive::{Archive, Passage},
};
use mneme_store::passages::{self, Scope};

use crate::{Core, Result};

/// Texts left over that are embedded at a time.
const LEFT_OVER: u32 = 50;
/// A text without a vector is left over once it is older than this, in seconds: its own request may still be at it.
const LEFT_OVER_AGE: i64 = 60;

impl Core {
    /// Gives passages their vectors before they are stored. When the model cannot be asked they stay as they are: their
    /// words are found.
    pub(super) async fn embed_new(&self, actor: &Actor, archive: &Archive, passages: &mut [Passage]) {
        let Some(config) = &archive.embedding_config else { return };
        let texts: Vec<String> = passages.iter().map(|passage| passage.text.clone()).collect();
        match self.vectors(actor, config, &texts).await {
            Ok(vectors) => {
                for (passage, vector) in passages.iter_mut().zip(vectors) {
                    passage.embedding = Some(vector);
                    passage.embedding_config = Some(config.clone());
                }
            }
            Err(error) => {
                let model = config.name();
                tracing::warn!(archive = %archive.id, model, %error, "texts could not be embedded");
            }
        }
    }

    /// Embeds texts of an archive that were left over, in the background. Called when its model has just answered.
    pub(super) fn embed_left_over(self: &Arc<Self>, actor: &Actor, archive: &Archive) {
        let (core, actor, archive) = (Arc::clone(self), actor.clone(), archive.clone());
        self.tasks.spawn(async move {
            if let Err(error) = core.embed_some(&actor, &archive).await {
                tracing::warn!(archive = %archive.id, %error, "texts that were left over could not be embedded");
            }
        });
    }

    async fn embed_some(&self, actor: &Actor, archive: &Archive) -> Result<()> {
        let Some(config) = &archive.embedding_config else {
            return Ok(());
        };
        let scope = Scope::from(&archive.id);
        loop {
            let found = passages::unembedded(&mut self.store.read().await?, actor, &scope, LEFT_OVER).await?;
            let now = self.env.now();
            let is_left_over = |passage: &Passage| {
                let age = now - passage.updated_at.unwrap_or(passage.created_at);
                age.num_seconds() >= LEFT_OVER_AGE
            };
            let found: Vec<Passage> = found.into_iter().filter(is_left_over).collect();
            if found.is_empty() || self.closing.is_cancelled() {
                return Ok(());
            }
            let texts: Vec<String> = found.iter().map(|passage| passage.text.clone()).collect();
            let vectors = self.vectors(actor, config, &texts).await?;
            let mut tx = self.store.write().await?;
            let mut written = false;
            for (passage, vector) in found.iter().zip(vectors) {
                written |= passages::embed(&mut tx, actor, &passage.id, &passage.text, config, &vector).await?;
            }
            tx.commit().await?;
            if !written {
                return Ok(());
            }
        }
    }

    /// Has new vectors put where large searches look, in the background.
    pub(crate) fn tidy_vectors(self: &Arc<Self>) {
        if !self.store.has_untidy_vectors() {
            return;
        }
        let core = Arc::clone(self);
        self.tasks.spawn(async move {
            tokio::select! {
                () = core.closing.cancelled() => {}
                done = core.store.tidy_vectors() => if let Err(error) = done {
                    tracing::warn!(%error, "new vectors could not be put in order; searches read them one by one");
                },
            }
        });
    }
}
