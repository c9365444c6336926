//! Variables that the tools of all agents of an organisation see. Written by administrators, shown to nobody: a tool gets
//! those that its policy has, below its agent's own.

use std::{collections::BTreeMap, sync::Arc};

use mneme_domain::{Actor, Role, variable::OrganizationVariable};
use mneme_macros::boxed;
use mneme_store::{Conn, variables};
use secrecy::{ExposeSecret, SecretString};

use crate::{Core, CoreError, Result, api};

/// The most variables of an organisation.
const MAX_VARIABLES: i64 = 500;
/// The longest name, in bytes.
const MAX_NAME: usize = 256;
/// The longest value, in bytes.
const MAX_VALUE: usize = 64 << 10;

/// What becomes of a variable: a value, or nothing.
pub type VariableChanges = BTreeMap<String, Option<SecretString>>;

fn may_write(actor: &Actor) -> Result<()> {
    if api::inside_tool() {
        return Err(CoreError::Forbidden("A tool cannot change the organisation's variables".into()));
    }
    if actor.role < Role::Admin {
        return Err(CoreError::Forbidden("Only an administrator changes the organisation's variables".into()));
    }
    Ok(())
}

fn check(changes: &VariableChanges) -> Result<()> {
    for (name, value) in changes {
        if !(1..=MAX_NAME).contains(&name.len()) || name.contains(['=', '\0']) || name.chars().any(char::is_control) {
            let msg =
                format!("{name:?} is no name of a variable: 1 to {MAX_NAME} bytes, no '=' and no control characters");
            return Err(CoreError::field("variables", msg));
        }
        let value = value.as_ref().map_or("", |value| value.expose_secret());
        if value.len() > MAX_VALUE || value.contains('\0') {
            let msg = format!("the value of {name} has more than {MAX_VALUE} bytes, or a NUL");
            return Err(CoreError::field("variables", msg));
        }
    }
    Ok(())
}

/// Makes the changes.
async fn write(tx: &mut Conn, actor: &Actor, changes: &VariableChanges) -> Result<()> {
    for (name, value) in changes {
        match value {
            Some(value) => variables::set(tx, actor, name, value.expose_secret()).await?,
            None => drop(variables::delete(tx, actor, name).await?),
        }
    }
    if variables::count(tx, actor).await? > MAX_VARIABLES {
        let msg = format!("an organisation has at most {MAX_VARIABLES} variables");
        return Err(CoreError::field("variables", msg));
    }
    Ok(())
}

#[boxed]
impl Core {
    /// The organisation's variables by name, without their values.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn organization_variables(self: &Arc<Self>, actor: &Actor) -> Result<Vec<OrganizationVariable>> {
        let mut conn = self.store.read().await?;
        Ok(variables::list(&mut conn, actor).await?)
    }

    /// Sets and removes variables; those that are not named stay. Calls from now on see them.
    ///
    /// # Errors
    /// 403 for who is no administrator and from inside a tool, 422 for names and values that cannot be.
    pub async fn change_organization_variables(
        self: &Arc<Self>,
        actor: &Actor,
        changes: VariableChanges,
    ) -> Result<Vec<OrganizationVariable>> {
        may_write(actor)?;
        check(&changes)?;
        let mut tx = self.store.write().await?;
        write(&mut tx, actor, &changes).await?;
        let now = variables::list(&mut tx, actor).await?;
        tx.commit().await?;
        Ok(now)
    }

    /// Replaces all variables by these.
    ///
    /// # Errors
    /// As for [`Core::change_organization_variables`].
    pub async fn replace_organization_variables(
        self: &Arc<Self>,
        actor: &Actor,
        changes: VariableChanges,
    ) -> Result<Vec<OrganizationVariable>> {
        may_write(actor)?;
        check(&changes)?;
        let mut tx = self.store.write().await?;
        let kept = changes.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name.clone());
        variables::keep_only(&mut tx, actor, kept.collect()).await?;
        write(&mut tx, actor, &changes).await?;
        let now = variables::list(&mut tx, actor).await?;
        tx.commit().await?;
        Ok(now)
    }

    /// Removes a variable.
    ///
    /// # Errors
    /// 404 for an unknown one, 403 for who is no administrator and from inside a tool.
    pub async fn delete_organization_variable(self: &Arc<Self>, actor: &Actor, name: &str) -> Result<()> {
        may_write(actor)?;
        let mut tx = self.store.write().await?;
        if !variables::delete(&mut tx, actor, name).await? {
            return Err(CoreError::NotFound("The organisation has no variable of this name".into()));
        }
        Ok(tx.commit().await?)
    }
}
