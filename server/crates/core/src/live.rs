//! Runs under way in this process: how they are cancelled, and what background ones have said so far.

use std::{collections::HashMap, sync::Arc};

use mneme_domain::RunId;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A run under way.
pub struct LiveRun {
    /// Ends the run.
    pub cancel: CancellationToken,
    /// The events so far as JSON, the first at place 1; only background runs keep them.
    log: RwLock<Vec<Arc<str>>>,
    /// How many events there are, and whether more will come.
    progress: watch::Sender<(usize, bool)>,
}

impl LiveRun {
    fn new() -> Self {
        let (progress, _) = watch::channel((0, false));
        Self { cancel: CancellationToken::new(), log: RwLock::default(), progress }
    }

    /// Adds an event; returns its place.
    pub fn push(&self, payload: impl FnOnce(i64) -> String) -> (i64, Arc<str>) {
        let mut log = self.log.write();
        let place = i64::try_from(log.len()).unwrap_or(i64::MAX) + 1;
        let payload: Arc<str> = payload(place).into();
        log.push(payload.clone());
        let count = log.len();
        drop(log);
        self.progress.send_modify(|progress| progress.0 = count);
        (place, payload)
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.progress.send_modify(|progress| progress.1 = true);
    }

    /// The events after a place.
    pub fn after(&self, place: i64) -> Vec<Arc<str>> {
        let from = usize::try_from(place).unwrap_or(0);
        self.log.read().get(from..).map(<[_]>::to_vec).unwrap_or_default()
    }

    /// Tells of new events and of the end.
    pub fn progress(&self) -> watch::Receiver<(usize, bool)> {
        self.progress.subscribe()
    }
}

/// The runs under way in this process.
#[derive(Default)]
pub struct LiveRuns(Mutex<HashMap<RunId, Arc<LiveRun>>>);

impl LiveRuns {
    /// Adds a run.
    pub fn begin(&self, run: &RunId) -> Arc<LiveRun> {
        let live = Arc::new(LiveRun::new());
        self.0.lock().insert(run.clone(), live.clone());
        live
    }

    /// A run.
    pub fn get(&self, run: &RunId) -> Option<Arc<LiveRun>> {
        self.0.lock().get(run).cloned()
    }

    /// Takes a run out, when its end and its events are in the database.
    pub fn end(&self, run: &RunId) {
        if let Some(live) = self.0.lock().remove(run) {
            live.close();
        }
    }
}
