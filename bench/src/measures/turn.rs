//! Message turns: a user's message, one or two model calls, the agent's answer.

use serde_json::json;

use super::requests::{self, Call, Requests};
use super::{Bench, fixtures, timed};
use crate::client::Client;
use crate::failure::Result;
use crate::figures::Figures;
use crate::load;

/// An agent is talked to this often before the next one's turn comes, so that contexts stay short: with a growing
/// history the figures would tell the length of the run.
pub const TURNS_OF_AN_AGENT: usize = 20;
const COUNT: u64 = 8_000;

/// What the user wants.
#[derive(Debug, Clone, Copy)]
pub enum Ask {
    /// An answer in words.
    Text,
    /// A memory edit first: two model calls and a tool call.
    Tool,
}

/// Agents that take turns.
#[derive(Debug)]
pub struct Conversations {
    agents: Vec<String>,
    ask: Ask,
    turn: usize,
}

impl Conversations {
    /// Conversations that have not begun. `agents` must not be empty.
    pub fn new(agents: Vec<String>, ask: Ask) -> Self {
        Self { agents, ask, turn: 0 }
    }

    /// Whether the next turn is the first one of an agent after other agents had theirs.
    pub fn visits_anew(&self) -> bool {
        self.turn.is_multiple_of(TURNS_OF_AN_AGENT)
    }

    /// The agent that is next, and the message for it.
    pub fn next(&mut self) -> (&str, String) {
        let (visit, within) = (self.turn / TURNS_OF_AN_AGENT, self.turn % TURNS_OF_AN_AGENT);
        let agent = &self.agents[visit % self.agents.len()];
        let earlier = visit / self.agents.len() * TURNS_OF_AN_AGENT + within;
        self.turn += 1;
        (agent, message(self.ask, earlier))
    }

    /// The next turn as a request.
    pub fn call(&mut self) -> Call {
        let (agent, message) = self.next();
        Call::Post(format!("/v1/agents/{agent}/messages"), message.into())
    }
}

/// The body for an agent that has had this many turns.
pub fn message(ask: Ask, earlier: usize) -> String {
    let text = match ask {
        Ask::Text => format!("This is message number {earlier}, please answer."),
        Ask::Tool => format!("TOOL x{earlier}x x{}x", earlier + 1),
    };
    json!({"messages": [{"role": "user", "content": text}]}).to_string()
}

/// What a good answer holds.
pub fn expected(ask: Ask) -> &'static str {
    match ask {
        Ask::Text => "assistant_message",
        Ask::Tool => r#""status":"success""#,
    }
}

/// A new agent's first turn.
pub async fn one(port: u16, agent: &str, ask: Ask) -> Result {
    let path = format!("/v1/agents/{agent}/messages");
    let mut client = Client::connect(port).await?;
    let body = client.post(&path, message(ask, 0)).await?;
    requests::check(&body, expected(ask))?;
    requests::check(&body, expected(Ask::Text))
}

/// Workers with agents of their own, enough for this many turns.
pub async fn workers(port: u16, clients: usize, ask: Ask, turns: u64) -> Result<Vec<Requests<impl FnMut() -> Call>>> {
    let each = (turns as usize).div_ceil(clients * TURNS_OF_AN_AGENT);
    let agents = fixtures::agents(port, clients * each).await?;
    let mut workers = Vec::new();
    for agents in agents.chunks(each) {
        let mut conversations = Conversations::new(agents.to_vec(), ask);
        let make = move || conversations.call();
        workers.push(Requests::new(port, expected(ask), make).await?);
    }
    Ok(workers)
}

impl Bench {
    pub(super) async fn turn(&mut self, clients: usize, ask: Ask) -> Result<Figures> {
        let port = self.port().await?;
        let (warm_up, run) = self.options.limits(COUNT);
        let mut workers = workers(port, clients, ask, warm_up.count + run.count).await?;
        load::run(&mut workers, warm_up).await?;
        let before = self.provider.chats();
        let mut figures = timed(self.server()?, &mut workers, run).await?;
        let calls = (self.provider.chats() - before) as f64 / figures.count.max(1) as f64;
        figures.note = Some(format!("{calls:.2} model calls a turn"));
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_take_turns_and_counters_go_on_where_they_were() {
        let mut conversations = Conversations::new(vec!["a".into(), "b".into()], Ask::Tool);
        let turns: Vec<(String, String)> = (0..5 * TURNS_OF_AN_AGENT)
            .map(|turn| {
                let anew = turn % TURNS_OF_AN_AGENT == 0;
                assert_eq!(conversations.visits_anew(), anew);
                let (agent, message) = conversations.next();
                (agent.to_owned(), message)
            })
            .collect();
        for agent in ["a", "b"] {
            let of_agent = turns.iter().filter(|(name, _)| name == agent);
            for (earlier, (_, message)) in of_agent.enumerate() {
                let words = format!("TOOL x{earlier}x x{}x", earlier + 1);
                assert!(message.contains(&words), "{message} of {agent}");
            }
        }
        let first_visit = &turns[..TURNS_OF_AN_AGENT];
        assert!(first_visit.iter().all(|(agent, _)| agent == "a"));
        assert_eq!(turns[TURNS_OF_AN_AGENT].0, "b");
    }
}
