//! Regions that nobody uses at the moment.

use std::io;

use parking_lot::Mutex;

use super::region::Region;

/// Free regions, no more than a bound. Whoever gives one back has made it what it was.
pub struct Free {
    regions: Mutex<Vec<Region>>,
    most: usize,
}

impl Free {
    /// Keeps so many.
    pub fn new(most: usize) -> Self {
        Self { regions: Mutex::default(), most }
    }

    /// The one given back last, if it fits. One that does not is given up.
    pub fn take(&self, fits: impl FnOnce(&Region) -> bool) -> Option<Region> {
        self.regions.lock().pop().filter(|free| fits(free))
    }

    /// Takes a region back for which `restored` says that it is what it was. Others are given up.
    pub fn give_back(&self, region: Region, restored: io::Result<bool>) {
        match restored {
            Ok(true) => {
                let mut regions = self.regions.lock();
                if regions.len() < self.most {
                    regions.push(region);
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "a guest's memory cannot be used again"),
        }
    }
}
