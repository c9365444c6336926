//! Reads uploads in the sandbox: a guest of the server's own gets the file, and nothing else, and answers its text.

use std::{sync::Arc, time::Duration};

use mneme_domain::FileId;
use mneme_sandbox::{CallRequest, Grants, Limits, Mount, NoAgent, ToolFailure};
use serde::Deserialize;
use serde_json::json;

use crate::Core;

/// The tool of the guest.
const READ: &str = "read_document";
/// Where the guest looks for the file.
const PLACE: &str = "/document";
/// What reading a document may take. A document of hundreds of pages takes seconds.
const LIMITS: Limits = Limits {
    memory_bytes: 256 << 20,
    cpu: Duration::from_secs(60),
    wall: Duration::from_secs(180),
    host_call: Duration::from_secs(30),
    // The text that the guest allows, and its head.
    output_bytes: 40 << 20,
    log_bytes: 16 << 10,
    file_bytes: 0,
};

/// A document as it was read.
#[derive(Debug)]
pub struct Document {
    /// What it is in truth.
    pub media_type: String,
    pub text: String,
    /// The places of its chunks, in bytes.
    pub chunks: Vec<(usize, usize)>,
}

/// The first line of the guest's answer.
#[derive(Deserialize)]
struct Head {
    kind: String,
    chunks: Vec<(usize, usize)>,
}

/// Why there is no text.
#[derive(Debug)]
pub enum Unread {
    /// It is the document's own fault; the text is for its uploader.
    Document(String),
    /// The server could not do it now.
    Server(String),
}

impl Core {
    /// Loads the reader of documents in the background: compiling it, once for each version of the server, takes seconds
    /// that the first upload need not wait.
    pub fn prepare_reader(self: &Arc<Self>) {
        let core = Arc::clone(self);
        self.tasks.spawn(async move {
            let loaded = tokio::select! {
                loaded = core.sandbox.documents() => loaded.map(drop),
                () = core.closing.cancelled() => Ok(()),
            };
            if let Err(error) = loaded {
                tracing::warn!(%error, "the reader of documents cannot be loaded");
            }
        });
    }

    /// The text of an upload, with the places of its chunks.
    pub(super) async fn read_document(
        &self,
        id: &FileId,
        name: &str,
        chunk_tokens: u32,
    ) -> std::result::Result<Document, Unread> {
        match self.read_once(id, name, chunk_tokens, false).await {
            // The simpler reader of PDFs gets on with much that stops the better one.
            Err(Failed::Guest(ToolFailure::Trapped(reason))) => {
                tracing::info!(file = %id, %reason, "a document stopped its reader; it is read in a simpler way");
                self.read_once(id, name, chunk_tokens, true).await.map_err(Unread::from)
            }
            read => read.map_err(Unread::from),
        }
    }

    async fn read_once(
        &self,
        id: &FileId,
        name: &str,
        chunk_tokens: u32,
        careful: bool,
    ) -> std::result::Result<Document, Failed> {
        let guest = self.sandbox.documents().await.map_err(|error| Failed::Server(error.to_string()))?;
        let mount = Mount { from: self.spool_folder(id), at: PLACE.into() };
        let request = CallRequest {
            tool: READ.into(),
            arguments: json!({ "name": name, "chunk_tokens": chunk_tokens, "careful": careful }).to_string(),
            host: Arc::new(NoAgent),
            limits: LIMITS,
            grants: Grants { capabilities: Vec::new(), folders: vec![mount], ..Grants::default() },
            env: Vec::new(),
        };
        let outcome = self.sandbox.call(&guest, request).await;
        let answer = outcome.result.map_err(Failed::Guest)?;
        let malformed = || Failed::Server("the reader of documents answered in another form".into());
        if outcome.truncated && answer.len() + 64 > LIMITS.output_bytes {
            return Err(Failed::Guest(ToolFailure::Failed("The document has more text than the server keeps".into())));
        }
        let (head, text) = answer.split_once('\n').ok_or_else(malformed)?;
        let Head { kind, chunks } = serde_json::from_str(head).map_err(|_| malformed())?;
        // What comes out of the sandbox is checked like anything else from outside.
        if chunks.iter().any(|(start, end)| text.get(*start..*end).is_none()) || text.contains('\0') {
            return Err(malformed());
        }
        Ok(Document { media_type: kind, text: text.to_owned(), chunks })
    }
}

enum Failed {
    Guest(ToolFailure),
    Server(String),
}

impl From<Failed> for Unread {
    fn from(failed: Failed) -> Self {
        let text = match failed {
            Failed::Server(reason) | Failed::Guest(ToolFailure::Internal(reason)) => return Self::Server(reason),
            Failed::Guest(
                ToolFailure::InvalidArguments(text) | ToolFailure::Failed(text) | ToolFailure::Denied(text),
            ) => text,
            Failed::Guest(ToolFailure::Trapped(_)) => {
                "The document cannot be read: it is damaged, or made to overwhelm its reader".into()
            }
            Failed::Guest(ToolFailure::Timeout { limit, .. }) => {
                format!("The document cannot be read: it takes more than {} s", limit.as_secs())
            }
            Failed::Guest(ToolFailure::OutOfMemory { limit }) => {
                format!("The document cannot be read: it unpacks to more than fits into {} MB of memory", limit >> 20)
            }
        };
        Self::Document(text)
    }
}
