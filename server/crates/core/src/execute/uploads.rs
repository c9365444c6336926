//! Tools that users uploaded as compiled code.

use std::sync::Arc;

use mneme_domain::tool::Tool;
use mneme_memo::{Bounds, Memo};
use mneme_sandbox::{Guest, SandboxError};
use mneme_store::tools;

use super::{Answer, Call};
use crate::{Core, CoreError, Result};

/// Components that stay ready to be called. Their code is mapped from files, so one costs little more than its use.
const READY: u64 = 64;

/// Uploaded code that is ready to be called, by its hash: the same code is the same for every organisation.
pub struct Uploads {
    components: Memo<String, Guest>,
    #[cfg(feature = "extism")]
    pub(super) checked: Memo<String, mneme_extism::Plugin>,
    #[cfg(feature = "extism")]
    pub(super) plugins: mneme_extism::Plugins,
}

impl Default for Uploads {
    fn default() -> Self {
        Self {
            components: Memo::new(Bounds::of(READY)),
            #[cfg(feature = "extism")]
            checked: Memo::new(Bounds::of(super::plugin::READY)),
            #[cfg(feature = "extism")]
            plugins: mneme_extism::Plugins::default(),
        }
    }
}

impl Core {
    pub(super) async fn run_upload(self: &Arc<Self>, call: &Call<'_>) -> Answer {
        let name = call.tool.call_name();
        let ran = match call.tool.source_type.as_deref() {
            Some(Tool::EXTISM) => self.run_plugin(call).await,
            _ => self.run_component(call).await,
        };
        ran.unwrap_or_else(|error| {
            tracing::warn!(tool = %call.tool.id, %error, "an uploaded tool could not be run");
            Answer::refused(format!("The tool {name} could not be run: {error}"))
        })
    }

    async fn run_component(self: &Arc<Self>, call: &Call<'_>) -> Result<Answer> {
        let name = call.tool.call_name();
        let hash = self.code_of(call).await?;
        let guest = match self.uploads.components.get(&hash) {
            Some(guest) => guest,
            None => {
                let code = self.uploaded_code(call, &hash).await?;
                let guest = self.sandbox.load_upload(&code).await.map_err(|error| match error {
                    SandboxError::Setup(text) => CoreError::Internal(text),
                    other => CoreError::Unavailable(other.to_string()),
                })?;
                self.uploads.components.insert(hash, guest.clone());
                guest
            }
        };
        match guest.tool(name) {
            Some(spec) => Ok(self.call_guest(call, &guest, spec).await),
            None => Ok(Answer::refused(format!("The tool {name} is not in its component any more."))),
        }
    }

    /// What the tool's code is known by. Read for each call, so that a new upload is used at once.
    pub(super) async fn code_of(&self, call: &Call<'_>) -> Result<String> {
        let mut conn = self.store.read().await?;
        let hash = tools::component_of(&mut conn, call.actor, &call.tool.id).await?;
        hash.ok_or_else(|| CoreError::NotFound("its code is not there; upload it again".into()))
    }

    /// The code itself.
    pub(super) async fn uploaded_code(&self, call: &Call<'_>, hash: &str) -> Result<Vec<u8>> {
        let mut conn = self.store.read().await?;
        let code = tools::code(&mut conn, call.actor, hash).await?;
        code.ok_or_else(|| CoreError::NotFound("its code is not there; upload it again".into()))
    }
}

#[cfg(not(feature = "extism"))]
mod without {
    use super::*;
    use crate::tools::Upload;
    use mneme_domain::Actor;
    use mneme_sandbox::ToolSpec;

    const NONE: &str = "this server was built without Extism";

    impl Core {
        pub(super) async fn run_plugin(self: &Arc<Self>, _: &Call<'_>) -> Result<Answer> {
            Err(CoreError::Unavailable(NONE.into()))
        }

        /// # Errors
        /// Always: there are no plugins.
        pub(crate) async fn plugin_tools(self: &Arc<Self>, _: &Actor, _: &Upload) -> Result<Vec<ToolSpec>> {
            Err(CoreError::field("kind", NONE))
        }
    }
}
