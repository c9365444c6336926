//! Who is asking. Every access to tenant data goes through an [`Actor`].

use crate::{OrgId, UserId, default_org, default_user};

/// What a user may do within the organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads only.
    Viewer,
    /// Reads and changes agents and what belongs to them.
    Member,
    /// Also manages users, providers and plugins.
    Admin,
}

/// The authenticated caller of a request, or the owner on whose behalf background work is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The tenant; every query is limited to it.
    pub org: OrgId,
    /// The user, recorded as author of what is written.
    pub user: UserId,
    /// What the user may do.
    pub role: Role,
}

impl Actor {
    /// The built-in administrator of the default organisation: who calls when no users are set up.
    pub fn default_admin() -> Self {
        Self { org: default_org(), user: default_user(), role: Role::Admin }
    }
}
