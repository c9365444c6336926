//! Runs under way in this process: how they are cancelled, and what background ones have said so far.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use mneme_domain::RunId;
use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A run under way.
pub struct LiveRun {
    /// Ends the run.
    pub cancel: CancellationToken,
    /// The run is another server's by now: nothing of this turn counts any more.
    lost: AtomicBool,
    /// The events so far as JSON with their places, which count from 1; only background runs keep them.
    log: RwLock<Vec<(i64, Arc<str>)>>,
    /// The place of the last event.
    last: Mutex<i64>,
    /// How many events there are, and whether more will come.
    progress: watch::Sender<(usize, bool)>,
}

impl LiveRun {
    fn new(log: Vec<(i64, Arc<str>)>, last: i64) -> Self {
        let (progress, _) = watch::channel((log.len(), false));
        let lost = AtomicBool::new(false);
        Self { cancel: CancellationToken::new(), lost, log: RwLock::new(log), last: Mutex::new(last), progress }
    }

    /// Adds an event; returns its place.
    pub fn push(&self, payload: impl FnOnce(i64) -> String) -> (i64, Arc<str>) {
        let mut last = self.last.lock();
        *last += 1;
        let place = *last;
        let payload: Arc<str> = payload(place).into();
        let mut log = self.log.write();
        log.push((place, payload.clone()));
        let count = log.len();
        drop(log);
        drop(last);
        self.progress.send_modify(|progress| progress.0 = count);
        (place, payload)
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.progress.send_modify(|progress| progress.1 = true);
    }

    /// Says that the run is another server's.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    /// Whether the run is another server's.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// The events after a place, with their places.
    pub fn after(&self, place: i64) -> Vec<(i64, Arc<str>)> {
        let log = self.log.read();
        let from = log.partition_point(|(at, _)| *at <= place);
        log[from..].to_vec()
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
        self.resume(run, Vec::new(), 0)
    }

    /// Adds a run that has said something before; what it says next comes after `last`.
    pub fn resume(&self, run: &RunId, log: Vec<(i64, Arc<str>)>, last: i64) -> Arc<LiveRun> {
        let live = Arc::new(LiveRun::new(log, last));
        self.0.lock().insert(run.clone(), live.clone());
        live
    }

    /// A run.
    pub fn get(&self, run: &RunId) -> Option<Arc<LiveRun>> {
        self.0.lock().get(run).cloned()
    }

    /// All of them.
    pub fn ids(&self) -> Vec<RunId> {
        self.0.lock().keys().cloned().collect()
    }

    /// Takes a run out, when its end and its events are in the database.
    pub fn end(&self, run: &RunId) {
        if let Some(live) = self.0.lock().remove(run) {
            live.close();
        }
    }
}
