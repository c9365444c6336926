//! Client-side access tokens: made for end users' programs, known by their hashes, shown to the organisation only.

use mneme_domain::{
    Actor, AgentId,
    client_token::{ClientToken, Grant},
};
use mneme_macros::boxed;
use mneme_store::{StoreError, client_tokens};
use sha2::{Digest, Sha256};

use crate::{Core, CoreError, Result, api, dates};

/// How every token begins, so that it is never taken for anything else.
pub const TOKEN_PREFIX: &str = "ck-let-";
/// How long a token lasts that does not say it.
const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::minutes(5);
/// Tokens that ended are listed for so long and then forgotten.
const KEPT: chrono::TimeDelta = chrono::TimeDelta::days(1);
/// Characters of a token's part that is no secret, after the prefix.
const PUBLIC: usize = 32;
/// The most agents of one token.
const MAX_GRANTS: usize = 100;
/// The longest host name or address.
const MAX_HOSTNAME: usize = 500;

/// What a new token is for.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The agents and the rights to them.
    pub policy: Vec<Grant>,
    /// The web site whose pages may use it.
    pub hostname: String,
    /// When it ends, as ISO 8601; five minutes from now when left out.
    pub expires_at: Option<String>,
}

/// A token, whole.
pub struct IssuedToken {
    /// What the bearer shows.
    pub secret: String,
    /// What is kept.
    pub token: ClientToken,
}

/// Who shows a token.
#[derive(Debug, Clone)]
pub struct ClientAccess {
    /// On whose behalf the bearer asks.
    pub actor: Actor,
    /// What the bearer may ask.
    pub token: ClientToken,
}

#[boxed]
impl Core {
    /// Makes a token.
    ///
    /// # Errors
    /// 404 for an agent that is not there, 422 for a policy without rights, 403 inside a tool.
    pub async fn create_client_token(&self, actor: &Actor, new: NewToken) -> Result<IssuedToken> {
        if api::inside_tool() {
            return Err(CoreError::Forbidden("A tool may not make access tokens".into()));
        }
        check(&new)?;
        let now = self.env.now();
        let expires_at = match new.expires_at.as_deref().filter(|text| !text.trim().is_empty()) {
            Some(text) => dates::bound(text, chrono_tz::UTC, false)
                .ok_or_else(|| CoreError::field("expires_at", "must be a date and time of ISO 8601"))?,
            None => now + LIFETIME,
        };
        // What follows the time in an identifier are 74 random bits, so the secret has more than 128.
        let [id, first, second] = [(); 3].map(|()| self.env.uuid().simple().to_string());
        let secret = format!("{TOKEN_PREFIX}{id}{first}{second}");
        let token = ClientToken { id, policy: new.policy, hostname: new.hostname, expires_at, created_at: now };
        let mut tx = self.store.write().await?;
        for grant in &token.policy {
            if mneme_store::agents::get(&mut tx, actor, &grant.id).await?.is_none() {
                return Err(CoreError::missing("Agent", &grant.id));
            }
        }
        client_tokens::sweep(&mut tx, actor, now - KEPT).await?;
        client_tokens::insert(&mut tx, actor, &token, &hash(&secret), &secret).await.map_err(|error| match error {
            StoreError::NotFound => CoreError::NotFound("An agent was deleted in this moment".into()),
            other => other.into(),
        })?;
        tx.commit().await?;
        Ok(IssuedToken { secret, token })
    }

    /// The organisation's tokens, the newest first.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_client_tokens(
        &self,
        actor: &Actor,
        agent: Option<&AgentId>,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<IssuedToken>> {
        let mut conn = self.store.read().await?;
        let found = client_tokens::list(&mut conn, actor, agent, limit, offset).await?;
        Ok(found.into_iter().map(|(token, secret)| IssuedToken { secret, token }).collect())
    }

    /// Ends a token, which may be given whole or by the part of it that is no secret.
    ///
    /// # Errors
    /// 404 for a token that is not there.
    pub async fn delete_client_token(&self, actor: &Actor, given: &str) -> Result<()> {
        let shown = given.strip_prefix(TOKEN_PREFIX).unwrap_or(given);
        let mut tx = self.store.write().await?;
        if !client_tokens::delete(&mut tx, actor, shown, &hash(given)).await? {
            return Err(CoreError::NotFound("There is no such token".into()));
        }
        Ok(tx.commit().await?)
    }

    /// Who shows a token; nobody when it never was, was deleted or has ended.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn client_of(&self, secret: &str) -> Result<Option<ClientAccess>> {
        let length = TOKEN_PREFIX.len() + 3 * PUBLIC;
        if secret.len() != length || !secret.starts_with(TOKEN_PREFIX) {
            return Ok(None);
        }
        let mut conn = self.store.read().await?;
        let found = client_tokens::by_hash(&mut conn, &hash(secret)).await?;
        let alive = found.filter(|(_, token)| token.expires_at > self.env.now());
        Ok(alive.map(|(actor, token)| ClientAccess { actor, token }))
    }
}

fn hash(secret: &str) -> String {
    Sha256::digest(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn check(new: &NewToken) -> Result<()> {
    if new.policy.is_empty() || new.policy.len() > MAX_GRANTS {
        return Err(CoreError::field("policy", format!("must name 1 to {MAX_GRANTS} agents")));
    }
    if new.policy.iter().any(|grant| grant.access.is_empty()) {
        return Err(CoreError::field("policy", "every agent needs at least one right in access"));
    }
    let odd = |c: char| c.is_control() || c.is_whitespace();
    if new.hostname.is_empty() || new.hostname.len() > MAX_HOSTNAME || new.hostname.contains(odd) {
        return Err(CoreError::field("hostname", "must be a host name, or an address such as https://app.example.com"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_of_the_whole_token() {
        assert_eq!(hash("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_ne!(hash("ck-let-a"), hash("ck-let-b"));
    }
}
