//! Puts streamed pieces of tool calls where they belong.
//!
//! Servers disagree: some repeat the index for every call, some send no ids or a new id with every piece, some send
//! the arguments as an object, some repeat the name. What comes out is canonical: indices from 0 without gaps, unique
//! ids, and the first delta of a call carries its id and name.

use serde_json::Value;

use crate::{event::Delta, lenient, request::ToolCall};

/// A piece of a tool call as a server sent it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Piece {
    pub index: Option<usize>,
    pub id: Option<String>,
    pub name: Option<String>,
    pub arguments: Arguments,
}

/// The arguments in a piece.
#[derive(Debug, Clone, Default)]
pub(crate) enum Arguments {
    #[default]
    Absent,
    /// More text.
    Fragment(String),
    /// All there is.
    Whole(String),
}

impl Arguments {
    /// Text is a fragment, any other JSON value the whole.
    pub fn from_json(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Absent,
            Some(Value::String(text)) => Self::Fragment(text.clone()),
            Some(value) => Self::Whole(value.to_string()),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Absent => "",
            Self::Fragment(text) | Self::Whole(text) => text,
        }
    }
}

#[derive(Debug, Default)]
struct Slot {
    index: Option<usize>,
    /// The id the server uses, which need not be unique.
    source_id: Option<String>,
    name: Option<String>,
    arguments: String,
    /// The arguments came as one value, so nothing can follow.
    whole: bool,
    /// Position and id under which the call was announced.
    announced: Option<(usize, String)>,
}

impl Slot {
    fn complete(&self) -> bool {
        self.whole || serde_json::from_str::<serde::de::IgnoredAny>(&self.arguments).is_ok()
    }
}

/// The tool calls of one answer.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    slots: Vec<Slot>,
    announced: usize,
}

impl Slots {
    /// Takes a piece and appends the delta it makes, if any: pieces without a name wait for one.
    pub fn accept(&mut self, piece: Piece, out: &mut Vec<Delta>) {
        let id = piece.id.filter(|id| !id.is_empty());
        let name = piece.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        let at = match self.find(piece.index, id.as_deref()) {
            Some(at) if !self.starts_another(at, id.as_deref(), name.as_deref(), &piece.arguments) => at,
            _ => {
                self.slots.push(Slot { index: piece.index, ..Slot::default() });
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[at];
        if slot.source_id.is_none() {
            slot.source_id = id;
        }
        if slot.name.is_none() {
            slot.name = name;
        }
        slot.whole |= matches!(piece.arguments, Arguments::Whole(_));
        slot.arguments.push_str(piece.arguments.text());
        self.emit(at, piece.arguments.text(), out);
    }

    /// Whether any call has a name, so that the answer counts as one with tool calls.
    pub fn any(&self) -> bool {
        self.announced > 0
    }

    /// The finished calls, in the order they were announced. Calls that never got a name are dropped.
    pub fn into_calls(self) -> Vec<ToolCall> {
        let mut calls: Vec<_> = self
            .slots
            .into_iter()
            .filter_map(|slot| {
                let ((position, id), name) = (slot.announced?, slot.name?);
                let arguments =
                    if slot.arguments.trim().is_empty() { "{}".to_owned() } else { lenient::text(slot.arguments) };
                Some((position, ToolCall { id, name, arguments }))
            })
            .collect();
        calls.sort_by_key(|(position, _)| *position);
        calls.into_iter().map(|(_, call)| call).collect()
    }

    fn find(&self, index: Option<usize>, id: Option<&str>) -> Option<usize> {
        match (index, id) {
            (Some(index), _) => self.slots.iter().rposition(|slot| slot.index == Some(index)),
            (None, Some(id)) => self.slots.iter().rposition(|slot| slot.source_id.as_deref() == Some(id)),
            (None, None) => self.slots.len().checked_sub(1),
        }
    }

    /// Whether a piece addressed to the slot `at` is in truth the start of another call.
    fn starts_another(&self, at: usize, id: Option<&str>, name: Option<&str>, arguments: &Arguments) -> bool {
        let slot = &self.slots[at];
        // Without a name it cannot be a start. vLLM once sent a fresh id with every piece.
        let (Some(name), Some(known)) = (name, slot.name.as_deref()) else {
            return false;
        };
        if name != known {
            return true;
        }
        match (id, slot.source_id.as_deref()) {
            (Some(id), Some(known)) if id != known => true,
            _ => !arguments.text().is_empty() && slot.complete(),
        }
    }

    fn emit(&mut self, at: usize, fresh: &str, out: &mut Vec<Delta>) {
        let slot = &self.slots[at];
        let Some(name) = slot.name.clone() else {
            return;
        };
        if let Some((index, _)) = slot.announced {
            if !fresh.is_empty() {
                out.push(Delta::ToolCall { index, id: None, name: None, arguments: fresh.to_owned() });
            }
            return;
        }
        let taken = |id: &str| self.slots.iter().any(|s| s.announced.as_ref().is_some_and(|(_, other)| other == id));
        let id = slot.source_id.clone().filter(|id| !taken(id)).unwrap_or_else(new_id);
        let index = self.announced;
        self.announced += 1;
        let slot = &mut self.slots[at];
        slot.announced = Some((index, id.clone()));
        out.push(Delta::ToolCall { index, id: Some(id), name: Some(name), arguments: slot.arguments.clone() });
    }
}

/// An id for a call whose server gave it none. Short, as some providers limit ids to 40 characters.
#[expect(clippy::disallowed_methods, reason = "only has to differ within one conversation")]
fn new_id() -> String {
    format!("call_{}", &uuid::Uuid::new_v4().simple().to_string()[..24])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Feeds pieces in OpenAI's shape and returns the calls as (id, name, arguments), generated ids as "new".
    fn run(pieces: &[Value]) -> Vec<(String, String, String)> {
        let (mut slots, mut out) = (Slots::default(), Vec::new());
        for piece in pieces {
            let text = |key: &str| piece[key].as_str().map(str::to_owned);
            let index = piece["index"].as_u64().map(|n| n as usize);
            let arguments = Arguments::from_json(piece.get("args"));
            slots.accept(Piece { index, id: text("id"), name: text("name"), arguments }, &mut out);
        }
        let calls = slots.into_calls();
        assert_deltas_add_up(&out, &calls);
        let shown = |id: String| if id.len() == 29 { "new".to_owned() } else { id };
        calls.into_iter().map(|call| (shown(call.id), call.name, call.arguments)).collect()
    }

    /// The emitted deltas must tell the same story as the final calls.
    fn assert_deltas_add_up(deltas: &[Delta], calls: &[ToolCall]) {
        let mut told: Vec<ToolCall> = Vec::new();
        for delta in deltas {
            let Delta::ToolCall { index, id, name, arguments } = delta else { panic!("unexpected {delta:?}") };
            if *index == told.len() {
                let (id, name) = (id.clone().expect("first delta has an id"), name.clone().expect("and a name"));
                told.push(ToolCall { id, name, arguments: arguments.clone() });
            } else {
                assert!(id.is_none() && name.is_none());
                told[*index].arguments.push_str(arguments);
            }
        }
        for call in told.iter_mut().filter(|call| call.arguments.is_empty()) {
            call.arguments = "{}".into();
        }
        assert_eq!(told, calls);
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.into(), name.into(), arguments.into())
    }

    #[test]
    fn the_regular_stream_of_openai() {
        let calls = run(&[
            json!({"index": 0, "id": "a", "name": "f", "args": ""}),
            json!({"index": 0, "args": "{\"x\""}),
            json!({"index": 1, "id": "b", "name": "g", "args": ""}),
            json!({"index": 0, "args": ":1}"}),
            json!({"index": 1, "args": "{}"}),
        ]);
        assert_eq!(calls, [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")]);
    }

    #[test]
    fn several_whole_calls_under_one_index() {
        let calls = run(&[
            json!({"index": 0, "id": "a", "name": "f", "args": "{\"x\":1}"}),
            json!({"index": 0, "id": "b", "name": "f", "args": "{\"x\":2}"}),
        ]);
        assert_eq!(calls, [call("a", "f", "{\"x\":1}"), call("b", "f", "{\"x\":2}")]);
    }

    #[test]
    fn the_same_call_twice_without_ids_under_one_index() {
        let calls = run(&[
            json!({"index": 0, "name": "f", "args": "{\"x\":1}"}),
            json!({"index": 0, "name": "f", "args": "{\"x\":1}"}),
            json!({"index": 0, "name": "g", "args": {"y": [1, 2]}}),
        ]);
        assert_eq!(
            calls,
            [call("new", "f", "{\"x\":1}"), call("new", "f", "{\"x\":1}"), call("new", "g", "{\"y\":[1,2]}")]
        );
    }

    #[test]
    fn no_index_at_all() {
        let calls = run(&[
            json!({"id": "a", "name": "f"}),
            json!({"args": "{\"x\":"}),
            json!({"args": "1}"}),
            json!({"id": "b", "name": "f", "args": {}}),
        ]);
        assert_eq!(calls, [call("a", "f", "{\"x\":1}"), call("b", "f", "{}")]);
    }

    #[test]
    fn a_fresh_id_with_every_piece_or_a_repeated_name() {
        let calls = run(&[
            json!({"index": 0, "id": "a", "name": "f", "args": "{\"x\""}),
            json!({"index": 0, "id": "b", "args": ":1}"}),
        ]);
        assert_eq!(calls, [call("a", "f", "{\"x\":1}")]);
        let calls = run(&[
            json!({"index": 0, "id": "a", "name": "f", "args": "{\"x\""}),
            json!({"index": 0, "id": "a", "name": "f", "args": ":1}"}),
            json!({"index": 0, "id": "a", "name": "f", "args": ""}),
        ]);
        assert_eq!(calls, [call("a", "f", "{\"x\":1}")]);
    }

    #[test]
    fn duplicate_ids_are_repaired_late_names_awaited_and_empty_calls_dropped() {
        let calls = run(&[
            json!({"index": 0, "id": "a", "name": "f", "args": "{}"}),
            json!({"index": 3, "id": "", "name": "", "args": ""}),
            json!({"index": 1, "id": "a", "args": "{\"k\":"}),
            json!({"index": 1, "name": "g", "args": "2}"}),
            json!({"index": 2, "id": "z", "name": " ", "args": "{}"}),
        ]);
        assert_eq!(calls, [call("a", "f", "{}"), call("new", "g", "{\"k\":2}")]);
    }

    #[test]
    fn absent_arguments_become_an_empty_object() {
        assert_eq!(run(&[json!({"index": 0, "id": "a", "name": "f", "args": null})]), [call("a", "f", "{}")]);
    }
}
