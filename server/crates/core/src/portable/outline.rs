//! Reads an agent file in two passes, neither of which holds its messages: the first finds out what is in the file, the
//! second hands out the messages one by one.

use std::{
    fmt,
    io::{BufReader, Read},
    ops::ControlFlow,
};

use mneme_domain::JsonObject;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{
    bounded::{Allowance, AnyValue, Bounded, Room, checked},
    quoted::Unquoted,
};

/// Room for everything but messages.
const REST: Room = Room { bytes: 64 << 20, values: 2_000_000 };
/// Room for one message.
const MESSAGE: Room = Room { bytes: 16 << 20, values: 200_000 };
/// Characters that are said about a file that cannot be read.
const MOST_SAID: usize = 500;
/// Agents of a file.
pub const MOST_AGENTS: usize = 1_000;
/// System messages whose place is remembered, of an agent.
const MOST_SYSTEM: usize = 10_000;

/// What is in a file, but for the messages.
#[derive(Debug, Default)]
pub struct Outline {
    /// The agents; none when the file has no such list.
    pub agents: Option<Vec<AgentOutline>>,
    /// Everything else at the top; of the older format that is the agent itself.
    pub rest: JsonObject,
    /// The messages at the top, as the older format has them.
    pub top: Messages,
}

/// One agent, but for its messages.
#[derive(Debug, Default)]
pub struct AgentOutline {
    pub fields: JsonObject,
    pub messages: Messages,
}

/// What the first pass remembers of a list of messages.
#[derive(Debug, Default, Clone)]
pub struct Messages {
    pub count: usize,
    /// Place and identifier of those with the role `system`.
    pub system: Vec<(usize, Option<String>)>,
}

impl Messages {
    fn note(&mut self, message: &Value) {
        if message["role"] == "system" && self.system.len() < MOST_SYSTEM {
            let id = message["id"].as_str().map(str::to_owned);
            self.system.push((self.count, id));
        }
        self.count += 1;
    }
}

/// Reads what is in a file.
///
/// # Errors
/// What is wrong with it, for whoever sent it.
pub fn read(file: impl Read) -> Result<Outline, String> {
    let mut outline = Outline::default();
    walk(file, &mut Pass::First(&mut outline))?;
    Ok(outline)
}

/// Hands out every message with the place of its agent, in the order of the file.
///
/// # Errors
/// As [`read`]; stops early without one when it is told to.
pub fn messages(file: impl Read, mut each: impl FnMut(usize, Value) -> ControlFlow<()>) -> Result<(), String> {
    let mut stopped = false;
    let walked = walk(file, &mut Pass::Second(&mut each, &mut stopped));
    if stopped { Ok(()) } else { walked }
}

enum Pass<'a> {
    First(&'a mut Outline),
    Second(&'a mut dyn FnMut(usize, Value) -> ControlFlow<()>, &'a mut bool),
}

fn walk(file: impl Read, pass: &mut Pass<'_>) -> Result<(), String> {
    let allowance = Allowance::new(REST);
    // The second pass skips everything that is no message.
    let skipping = matches!(pass, Pass::Second(..));
    if skipping {
        allowance.set(Room { bytes: u64::MAX, values: u64::MAX });
    }
    // The byte-wise reading of the parser needs a buffer of its own on top of the counted one.
    let reader = BufReader::with_capacity(8 << 10, Bounded::new(Unquoted::new(file), allowance.clone()));
    let mut json = serde_json::Deserializer::from_reader(reader);
    let walked = File { pass, allowance: &allowance }.deserialize(&mut json).and_then(|()| json.end());
    walked.map_err(|error| {
        // It may repeat a text of the file, however long that is.
        let said: String = error.to_string().chars().take(MOST_SAID).collect();
        format!("the file cannot be read: {said}")
    })
}

/// The object at the top.
struct File<'a, 'p> {
    pass: &'a mut Pass<'p>,
    allowance: &'a Allowance,
}

impl<'de> DeserializeSeed<'de> for File<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for File<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an agent file, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut seen_agents = false;
        while let Some(key) = fields.next_key::<String>()? {
            match key.as_str() {
                "agents" if seen_agents => return Err(A::Error::custom("there are two lists of agents")),
                "agents" => {
                    seen_agents = true;
                    fields.next_value_seed(Agents { pass: self.pass, allowance: self.allowance })?;
                }
                "messages" => {
                    let list = MessageList { pass: self.pass, allowance: self.allowance, agent: 0, top: true };
                    fields.next_value_seed(list)?;
                }
                _ => match self.pass {
                    Pass::First(outline) => {
                        let value = fields.next_value_seed(AnyValue(self.allowance))?;
                        outline.rest.insert(checked(key)?, value);
                    }
                    Pass::Second(..) => {
                        fields.next_value::<IgnoredAny>()?;
                    }
                },
            }
        }
        Ok(())
    }
}

/// The list of agents.
struct Agents<'a, 'p> {
    pass: &'a mut Pass<'p>,
    allowance: &'a Allowance,
}

impl<'de> DeserializeSeed<'de> for Agents<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Agents<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of agents")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if let Pass::First(outline) = self.pass {
            outline.agents = Some(Vec::new());
        }
        for index in 0.. {
            if index > MOST_AGENTS {
                return Err(A::Error::custom(format!("the file has more than {MOST_AGENTS} agents")));
            }
            let agent = AgentPart { pass: self.pass, allowance: self.allowance, index };
            if items.next_element_seed(agent)?.is_none() {
                break;
            }
        }
        Ok(())
    }
}

/// One agent.
struct AgentPart<'a, 'p> {
    pass: &'a mut Pass<'p>,
    allowance: &'a Allowance,
    index: usize,
}

impl<'de> DeserializeSeed<'de> for AgentPart<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for AgentPart<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an agent, which is a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        if let Pass::First(outline) = self.pass {
            outline.agents.get_or_insert_default().push(AgentOutline::default());
        }
        while let Some(key) = fields.next_key::<String>()? {
            if key == "messages" {
                let (pass, allowance, agent) = (&mut *self.pass, self.allowance, self.index);
                fields.next_value_seed(MessageList { pass, allowance, agent, top: false })?;
                continue;
            }
            match self.pass {
                Pass::First(outline) => {
                    let value = fields.next_value_seed(AnyValue(self.allowance))?;
                    if let Some(agent) = outline.agents.as_mut().and_then(|agents| agents.last_mut()) {
                        agent.fields.insert(checked(key)?, value);
                    }
                }
                Pass::Second(..) => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A list of messages, or null.
struct MessageList<'a, 'p> {
    pass: &'a mut Pass<'p>,
    allowance: &'a Allowance,
    agent: usize,
    /// Whether it stands at the top of the file.
    top: bool,
}

impl<'de> DeserializeSeed<'de> for MessageList<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MessageList<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let before = self.allowance.set(MESSAGE);
        loop {
            self.allowance.set(MESSAGE);
            let Some(message) = items.next_element_seed(AnyValue(self.allowance))? else { break };
            match self.pass {
                Pass::First(outline) if self.top => outline.top.note(&message),
                Pass::First(outline) => {
                    if let Some(agent) = outline.agents.as_mut().and_then(|agents| agents.last_mut()) {
                        agent.messages.note(&message);
                    }
                }
                Pass::Second(each, stopped) => {
                    if each(self.agent, message).is_break() {
                        **stopped = true;
                        return Err(A::Error::custom("stopped"));
                    }
                }
            }
        }
        self.allowance.set(before);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"agents": [
        {"id": "agent-0", "messages": [{"role": "system", "id": "m-0"}, {"role": "user", "id": "m-1"}], "name": "a"},
        {"messages": null, "id": "agent-1"},
        {"id": "agent-2", "messages": [{"role": "user"}]}
    ], "blocks": [], "metadata": {"k": "v"}}"#;

    #[test]
    fn the_first_pass_keeps_everything_but_messages() {
        let outline = read(FILE.as_bytes()).unwrap();
        let agents = outline.agents.unwrap();
        assert_eq!(agents[0].fields["name"], "a");
        assert_eq!(agents[0].fields.get("messages"), None);
        assert_eq!(agents[0].messages.count, 2);
        assert_eq!(agents[0].messages.system, [(0, Some("m-0".to_owned()))]);
        assert_eq!((agents[1].messages.count, agents[2].messages.count), (0, 1));
        assert_eq!(outline.rest["metadata"]["k"], "v");
    }

    #[test]
    fn the_second_pass_hands_out_the_messages_until_it_is_stopped() {
        let mut seen = Vec::new();
        messages(FILE.as_bytes(), |agent, message| {
            seen.push((agent, message["role"].as_str().unwrap_or_default().to_owned()));
            ControlFlow::Continue(())
        })
        .unwrap();
        assert_eq!(seen, [(0, "system".to_owned()), (0, "user".to_owned()), (2, "user".to_owned())]);
        let mut count = 0;
        messages(FILE.as_bytes(), |_, _| {
            count += 1;
            ControlFlow::Break(())
        })
        .unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn what_is_no_agent_file_says_why() {
        for (text, reason) in [
            ("not json", "expected"),
            ("[]", "an agent file, which is a JSON object"),
            (r#"{"agents": 3}"#, "a list of agents"),
            (r#"{"agents": [], "agents": []}"#, "two lists"),
            (r#"{"agents": [{"messages": "x"}]}"#, "a list of messages"),
            (r#"{"agents": []} trailing"#, "trailing"),
            (r#"{"agents": [{"name": "a\u0000"}]}"#, "NUL"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        let deep = format!("{{\"blocks\": {}", "[".repeat(100_000));
        assert!(read(deep.as_bytes()).unwrap_err().contains("recursion limit"));
        let wide = format!("{{\"agents\": [{{\"messages\": [[{}]]}}]}}", "0,".repeat(300_000));
        assert!(read(wide.as_bytes()).unwrap_err().contains("too many values"));
    }
}
