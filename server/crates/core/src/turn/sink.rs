//! Where a turn's events go.

use mneme_domain::{
    MessageId, RunId, StepId, Timestamp,
    envelope::{Body, Envelope, MessageType},
    message::Message,
    run::RequestConfig,
};
use tokio::sync::{mpsc, oneshot};

use super::{Mode, TurnEvent};
use crate::envelope;

/// Sends events to whoever reads the turn, shaped as the request asked.
pub struct Sink {
    events: mpsc::Sender<TurnEvent>,
    mode: Mode,
    config: RequestConfig,
    run_id: RunId,
    /// Asks whoever writes the events down to do so now.
    marks: Option<mpsc::Sender<oneshot::Sender<()>>>,
}

impl Sink {
    pub fn new(events: mpsc::Sender<TurnEvent>, mode: Mode, config: RequestConfig, run_id: RunId) -> Self {
        Self { events, mode, config, run_id, marks: None }
    }

    /// Has [`Sink::settle`] wait until the events so far are written down.
    pub fn keep_with(&mut self, marks: mpsc::Sender<oneshot::Sender<()>>) {
        self.marks = Some(marks);
    }

    /// Waits until the tokens shown so far are written down, so that a step that is written is never shown twice. Whole
    /// messages are shown after their step is written, and found again from it.
    pub async fn settle(&self) {
        if let Some(marks) = self.marks.as_ref().filter(|_| self.wants_tokens()) {
            let (done, written) = oneshot::channel();
            if marks.send(done).await.is_ok() {
                let _ = written.await;
            }
        }
    }

    /// Whether tokens are wanted as they come.
    pub fn wants_tokens(&self) -> bool {
        self.mode == Mode::Tokens
    }

    /// What kind of request the run serves.
    pub fn run_type(&self) -> &'static str {
        self.mode.run_type()
    }

    /// Completes when nobody reads any more.
    pub async fn closed(&self) {
        self.events.closed().await;
    }

    /// Sends an event; a reader that has gone is noticed through [`Sink::closed`].
    pub async fn send(&self, event: TurnEvent) {
        let _ = self.events.send(event).await;
    }

    /// How the turn's messages are to be shown.
    pub fn config(&self) -> &RequestConfig {
        &self.config
    }

    /// Sends a stored message's envelopes but those of kinds that a token stream has shown already.
    pub async fn message(&self, message: &Message, shown: &[MessageType]) {
        for mut envelope in envelope::envelopes_of([message], &self.config) {
            if shown.contains(&envelope.message_type) {
                continue;
            }
            envelope.run_id = Some(self.run_id.clone());
            self.send(TurnEvent::Message(Box::new(envelope))).await;
        }
    }

    /// Tells of a compaction, where the client wants to hear of it. No history has what is told here.
    pub async fn compaction(&self, id: MessageId, date: Timestamp, step_id: Option<StepId>, body: Body) {
        let kind = match body {
            Body::Event { .. } => MessageType::EventMessage,
            _ => MessageType::SummaryMessage,
        };
        if !self.config.include_compaction_messages || !envelope::wants(&self.config, kind) {
            return;
        }
        let envelope = Envelope {
            id,
            date,
            name: None,
            message_type: kind,
            otid: None,
            sender_id: None,
            step_id,
            is_err: None,
            seq_id: None,
            run_id: Some(self.run_id.clone()),
            body,
        };
        self.send(TurnEvent::Message(Box::new(envelope))).await;
    }

    /// Sends a piece of a message under way.
    pub async fn piece(&self, message: &Message, index: u8, kind: MessageType, body: Body) {
        if !envelope::wants(&self.config, kind) {
            return;
        }
        let envelope = Envelope {
            id: message.id.clone(),
            date: message.created_at,
            name: None,
            message_type: kind,
            otid: Some(match kind {
                MessageType::ApprovalRequestMessage => message.id.to_string(),
                _ => message.part_otid(index),
            }),
            sender_id: None,
            step_id: message.step_id.clone(),
            is_err: None,
            seq_id: None,
            run_id: Some(self.run_id.clone()),
            body,
        };
        self.send(TurnEvent::Message(Box::new(envelope))).await;
    }
}
