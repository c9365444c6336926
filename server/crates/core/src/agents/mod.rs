//! Agents: made, read, changed, deleted.

mod create;
mod initial;
mod model;
mod search;
mod update;

use std::sync::Arc;

use mneme_macros::boxed;

pub(crate) use create::substitute;
use mneme_domain::{
    Actor, AgentId, JsonObject, Order, Page,
    agent::{AgentState, Include},
    tool_rule::ToolRule,
};
use mneme_store::{Conn, agents, runs};
pub(crate) use model::stand_in;
pub use search::AgentTest;

use crate::{AgentFilter, Core, CoreError, Result, turn::rules};

#[boxed]
impl Core {
    /// One agent.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn get_agent(self: &Arc<Self>, actor: &Actor, id: &AgentId, include: Include) -> Result<AgentState> {
        let mut conn = self.store.read().await?;
        let full = agents::full(&mut conn, actor, id, include).await?;
        let mut state = full.map(AgentState::from).ok_or_else(|| CoreError::missing("Agent", id))?;
        if include.pending_approval {
            self.tell_pending(&mut conn, actor, std::slice::from_mut(&mut state)).await?;
        }
        Ok(state)
    }

    /// Agents of the organisation.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn list_agents(
        self: &Arc<Self>,
        actor: &Actor,
        filter: AgentFilter,
        page: &Page,
        include: Include,
    ) -> Result<Vec<AgentState>> {
        let mut conn = self.store.read().await?;
        let found = agents::list(&mut conn, actor, &filter, page).await?;
        let full = agents::full_many(&mut conn, actor, found, include).await?;
        let mut states: Vec<AgentState> = full.into_iter().map(AgentState::from).collect();
        if include.pending_approval {
            self.tell_pending(&mut conn, actor, &mut states).await?;
        }
        Ok(states)
    }

    /// How many agents the organisation has.
    ///
    /// # Errors
    /// 503 without a database.
    pub async fn count_agents(self: &Arc<Self>, actor: &Actor) -> Result<i64> {
        let mut conn = self.store.read().await?;
        Ok(agents::count(&mut conn, actor, &AgentFilter::default()).await?)
    }

    /// Deletes an agent with its history; shared blocks and tools stay. Its turns end, those that wait too.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn delete_agent(self: &Arc<Self>, actor: &Actor, id: &AgentId) -> Result<()> {
        let mut tx = self.store.write().await?;
        let sleepers = self.own_sleepers(&mut tx, actor, id).await?;
        let gone: Vec<AgentId> = sleepers.iter().chain([id]).cloned().collect();
        let active = runs::RunFilter { agent_ids: gone.clone(), active: true, ..runs::RunFilter::default() };
        let turns = runs::list(&mut tx, actor, &active, &Page::all()).await?;
        if !agents::delete(&mut tx, actor, id).await? {
            return Err(CoreError::missing("Agent", id));
        }
        for sleeper in &sleepers {
            agents::delete(&mut tx, actor, sleeper).await?;
        }
        tx.commit().await?;
        for agent in &gone {
            self.contexts.forget(agent);
        }
        for live in turns.iter().filter_map(|run| self.live.get(&run.id)) {
            live.cancel.cancel();
        }
        Ok(())
    }

    /// Fails unless the agent is there and the actor's.
    pub(crate) async fn require_agent(&self, actor: &Actor, id: &AgentId) -> Result<()> {
        let mut conn = self.store.read().await?;
        match agents::get(&mut conn, actor, id).await? {
            Some(_) => Ok(()),
            None => Err(CoreError::missing("Agent", id)),
        }
    }

    /// Adds a rule to an agent unless it has it.
    /// Has an agent's calls of a tool wait for approval, or not any more. The agent need not have the tool yet.
    ///
    /// # Errors
    /// 404 for an unknown agent.
    pub async fn set_approval(self: &Arc<Self>, actor: &Actor, id: &AgentId, tool: &str, wanted: bool) -> Result<()> {
        let mut tx = self.store.write().await?;
        if wanted {
            let rule = ToolRule::RequiresApproval { tool_name: tool.to_owned(), prompt_template: None };
            self.add_rule(&mut tx, actor, id, rule).await?;
        } else {
            let mut agent = agents::get(&mut tx, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
            let about = |rule: &ToolRule| rules::needs_approval(std::slice::from_ref(rule), tool);
            if agent.tool_rules.iter().any(about) {
                agent.tool_rules.retain(|rule| !about(rule));
                agents::update(&mut tx, actor, &agent).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    pub(crate) async fn add_rule(&self, tx: &mut Conn, actor: &Actor, id: &AgentId, rule: ToolRule) -> Result<()> {
        let mut agent = agents::get(tx, actor, id).await?.ok_or_else(|| CoreError::missing("Agent", id))?;
        if !agent.tool_rules.contains(&rule) {
            agent.tool_rules.push(rule);
            agents::update(tx, actor, &agent).await?;
        }
        Ok(())
    }
}

/// A page of a short list that is at hand whole, oldest first.
pub(crate) fn window<T>(mut items: Vec<T>, page: &Page, id: impl Fn(&T) -> String) -> Vec<T> {
    if page.order == Order::Desc {
        items.reverse();
    }
    let place =
        |cursor: &Option<String>| cursor.as_ref().and_then(|cursor| items.iter().position(|item| id(item) == *cursor));
    let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
    let mut start = place(&page.after).map_or(0, |at| at + 1);
    let mut end = place(&page.before).unwrap_or(items.len());
    if end < start {
        return Vec::new();
    }
    if end - start > limit {
        // Going back from a cursor, the nearest items count.
        if page.before.is_some() && page.after.is_none() {
            start = end - limit;
        } else {
            end = start + limit;
        }
    }
    items.drain(start..end).collect()
}

/// Variables as clients send them: texts by name; other JSON values are written as text.
fn variables(given: JsonObject) -> Vec<(String, String)> {
    given
        .into_iter()
        .map(|(key, value)| match value {
            serde_json::Value::String(text) => (key, text),
            other => (key, other.to_string()),
        })
        .collect()
}

/// Checks a time zone's name.
pub(crate) fn check_timezone(name: &str) -> Result<()> {
    name.parse::<chrono_tz::Tz>()
        .map(|_| ())
        .map_err(|_| CoreError::field("timezone", format!("'{name}' is no IANA time zone name such as Europe/Berlin")))
}

/// Checks the form that an agent's answers are to have. Types that only some providers know are left to them.
pub(crate) fn check_response_format(format: Option<&serde_json::Value>) -> Result<()> {
    let Some(format) = format else { return Ok(()) };
    match format["type"].as_str() {
        Some("json_schema") if !format["json_schema"].is_object() => {
            Err(CoreError::field("response_format", "a 'json_schema' that is an object is missing"))
        }
        Some(_) => Ok(()),
        None => Err(CoreError::field("response_format", "it has to be an object with a 'type' such as 'json_schema'")),
    }
}

/// Labels without duplicates, in the order given.
pub(crate) fn unique(tags: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    tags.into_iter().filter(|tag| seen.insert(tag.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(before: Option<&str>, after: Option<&str>, limit: u32, order: Order) -> Page {
        Page { before: before.map(str::to_owned), after: after.map(str::to_owned), limit, order }
    }

    #[test]
    fn windows_follow_the_order_of_the_list() {
        let items = || vec!["a", "b", "c", "d"];
        let id = |item: &&str| (*item).to_owned();
        for (page, expected) in [
            (page(None, None, 2, Order::Asc), vec!["a", "b"]),
            (page(None, None, 2, Order::Desc), vec!["d", "c"]),
            (page(None, Some("b"), 9, Order::Asc), vec!["c", "d"]),
            (page(None, Some("b"), 9, Order::Desc), vec!["a"]),
            (page(Some("d"), None, 2, Order::Asc), vec!["b", "c"]),
            (page(Some("a"), Some("c"), 9, Order::Asc), vec![]),
            (page(None, Some("zz"), 9, Order::Asc), vec!["a", "b", "c", "d"]),
        ] {
            assert_eq!(window(items(), &page, id), expected, "{page:?}");
        }
    }
}
