//! Cursor pagination, the same for every list.

use serde::{Deserialize, Serialize};

/// Which end of a list comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// Oldest first.
    Asc,
    /// Newest first.
    #[default]
    Desc,
}

/// A window on a list. Cursors are ids of items; both follow the order of the list: `after` gives what
/// comes later in it, `before` what comes earlier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Only items before this one.
    pub before: Option<String>,
    /// Only items after this one.
    pub after: Option<String>,
    /// How many items at most; capped at [`Page::MAX_LIMIT`].
    pub limit: u32,
    /// Which end comes first.
    pub order: Order,
}

impl Page {
    /// The most items that one page holds.
    pub const MAX_LIMIT: u32 = 1000;

    /// The whole list, oldest first, as far as one page goes.
    pub fn all() -> Self {
        Self { before: None, after: None, limit: Self::MAX_LIMIT, order: Order::Asc }
    }
}
