//! The system prompt: the agent's instructions, its memory blocks, its tool rules and some facts about its history.

use std::fmt::Write as _;

use chrono_tz::Tz;
use mneme_domain::{Timestamp, block::Block, tool_rule::ToolRule};

/// What the metadata section of a prompt tells.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// When the prompt is written.
    pub now: Timestamp,
    /// When a memory block last changed.
    pub memory_changed: Timestamp,
    /// Messages of the agent that are out of view.
    pub recall_messages: i64,
    /// The agent's IANA time zone.
    pub timezone: &'a str,
    /// Passages in archival memory.
    pub memories: i64,
    /// Their tags, a few more than are told.
    pub tags: &'a [String],
}

/// The memory section; empty without blocks.
pub fn memory_section(blocks: &[Block]) -> String {
    if blocks.is_empty() {
        return String::new();
    }
    let mut out = String::from("<memory_blocks>\nThese memory blocks are in your core memory now:\n");
    for block in blocks {
        let label = block.label.as_deref().unwrap_or("block");
        let chars = block.value.chars().count();
        // Writing into a String cannot fail.
        let _ = write!(out, "\n<{label}>\n");
        if let Some(description) = block.description.as_deref().filter(|text| !text.is_empty()) {
            let _ = write!(out, "<description>\n{description}\n</description>\n");
        }
        out.push_str("<metadata>\n");
        if block.read_only {
            out.push_str("- read_only=true\n");
        }
        let _ = write!(out, "- chars_current={chars}\n- chars_limit={}\n</metadata>\n", block.limit);
        let _ = write!(out, "<value>\n{}\n</value>\n</{label}>\n", block.value);
    }
    out.push_str("\n</memory_blocks>");
    out
}

/// The section that tells the model its tool rules; empty without rules that it could follow.
pub fn rules_section(rules: &[ToolRule]) -> String {
    let lines: Vec<String> = rules.iter().filter_map(rule_text).collect();
    if lines.is_empty() {
        return String::new();
    }
    format!(
        "<tool_usage_rules>\nThese rules limit which tools you may call, and when:\n{}\n</tool_usage_rules>",
        lines.join("\n")
    )
}

fn rule_text(rule: &ToolRule) -> Option<String> {
    let name = rule.tool_name();
    if let Some(template) = rule.prompt_template().filter(|text| !text.trim().is_empty()) {
        return Some(templated(template, rule));
    }
    Some(match rule {
        ToolRule::RunFirst { .. } => {
            format!("- {name} has to be the first tool that you call in a turn.")
        }
        ToolRule::ExitLoop { .. } => format!("- {name} ends your turn."),
        ToolRule::ContinueLoop { .. } => return None,
        ToolRule::ConstrainChildTools { children, .. } => {
            format!("- After {name}, call one of: {}.", children.join(", "))
        }
        ToolRule::ParentLastTool { children, .. } => {
            format!("- {} may be called only right after {name}.", children.join(", "))
        }
        ToolRule::Conditional { .. } => {
            format!("- What you may call after {name} depends on what it returns.")
        }
        ToolRule::MaxCountPerStep { max_count_limit, .. } => {
            format!("- {name} may be called at most {max_count_limit} times in a turn.")
        }
        ToolRule::RequiredBeforeExit { .. } => format!("- Call {name} before you end your turn."),
        ToolRule::RequiresApproval { .. } => {
            format!("- A person has to approve each call of {name}.")
        }
    })
}

/// A rule in its author's words, with the rule's values in the places named `{{ tool_name }}`, `{{ children }}` and
/// `{{ max_count_limit }}`.
fn templated(template: &str, rule: &ToolRule) -> String {
    let children = match rule {
        ToolRule::ConstrainChildTools { children, .. } | ToolRule::ParentLastTool { children, .. } => {
            children.join(", ")
        }
        _ => String::new(),
    };
    let count = match rule {
        ToolRule::MaxCountPerStep { max_count_limit, .. } => max_count_limit.to_string(),
        _ => String::new(),
    };
    let mut text = template.to_owned();
    for (key, value) in [("tool_name", rule.tool_name()), ("children", &children), ("max_count_limit", &count)] {
        for place in [format!("{{{{ {key} }}}}"), format!("{{{{{key}}}}}")] {
            text = text.replace(&place, value);
        }
    }
    text
}

fn local(time: Timestamp, timezone: &str) -> String {
    let zone: Tz = timezone.parse().unwrap_or(Tz::UTC);
    time.with_timezone(&zone).format("%A, %Y-%m-%d %I:%M %p %Z%z").to_string()
}

/// Tags that a prompt tells.
const TAGS_TOLD: usize = 100;
/// Tags to read for [`Facts::tags`]: one more says that there are more.
pub const TAGS_READ: u32 = TAGS_TOLD as u32 + 1;

/// The line with the tags of archival memory; empty without any.
fn tags_line(tags: &[String]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let told: Vec<&str> = tags.iter().take(TAGS_TOLD).map(String::as_str).collect();
    let more = if tags.len() > TAGS_TOLD { " and more" } else { "" };
    format!("- Tags in archival memory: {}{more}\n", told.join(", "))
}

/// Whether a written prompt tells these tags and no others.
pub fn tells_tags(written: &str, tags: &[String]) -> bool {
    let line = tags_line(tags);
    let metadata = written.rsplit("<memory_metadata>\n").next().unwrap_or_default();
    if line.is_empty() { !metadata.contains("\n- Tags in archival memory: ") } else { metadata.contains(&line) }
}

/// The section with the time and the size of the agent's history and archive.
pub fn facts_section(facts: Facts<'_>) -> String {
    let memories = match facts.memories {
        0 => String::new(),
        count => format!("- Archival memory, which can be searched: {count} total memories\n"),
    };
    let tags = tags_line(facts.tags);
    format!(
        "<memory_metadata>\n- Current time when this was written: {}\n- Memory blocks last changed: {}\n- Earlier messages \
         that are out of view but can be searched: {}\n{memories}{tags}</memory_metadata>",
        local(facts.now, facts.timezone),
        local(facts.memory_changed, facts.timezone),
        facts.recall_messages
    )
}

/// What a system prompt begins with: everything but the facts, which change with time. `files` is the section with the
/// agent's folders and open files; empty without any.
pub fn fixed_part(system: &str, blocks: &[Block], rules: &[ToolRule], files: &str) -> String {
    let parts = [system.to_owned(), memory_section(blocks), rules_section(rules), files.to_owned()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Whether a written prompt still says what `fixed` says.
pub fn is_current(written: &str, fixed: &str) -> bool {
    written.strip_prefix(fixed).is_some_and(|rest| rest.starts_with("\n\n<memory_metadata>\n"))
}

/// A whole system prompt.
pub fn join(fixed: &str, facts: Facts<'_>) -> String {
    format!("{fixed}\n\n{}", facts_section(facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_in_the_agents_zone() {
        let now = "2026-11-23T17:05:00Z".parse().unwrap();
        let facts = Facts {
            now,
            memory_changed: now,
            recall_messages: 3,
            timezone: "Europe/Berlin",
            memories: 2,
            tags: &["bio".into(), "pets".into()],
        };
        let text = facts_section(facts);
        assert!(text.contains("Monday, 2026-11-23 06:05 PM CET+0100"), "{text}");
        assert!(text.contains("can be searched: 3"), "{text}");
        assert!(text.contains("2 total memories\n- Tags in archival memory: bio, pets\n</memory_metadata>"), "{text}");
        assert!(tells_tags(&text, facts.tags) && !tells_tags(&text, &["bio".into()]) && !tells_tags(&text, &[]));
        let none = facts_section(Facts { memories: 0, tags: &[], ..facts });
        assert!(tells_tags(&none, &[]) && !tells_tags(&none, facts.tags) && !none.contains("rchival"), "{none}");
    }

    #[test]
    fn a_rule_may_be_told_in_its_authors_words() {
        let rules = serde_json::json!([
            {"type": "max_count_per_step", "tool_name": "t", "max_count_limit": 2,
                "prompt_template": "Spare {{ tool_name }}: {{max_count_limit}} calls."},
            {"type": "continue_loop", "tool_name": "t"},
        ]);
        let text = rules_section(&serde_json::from_value::<Vec<ToolRule>>(rules).unwrap());
        assert!(text.contains("\nSpare t: 2 calls.\n</tool_usage_rules>"), "{text}");
    }

    #[test]
    fn an_unknown_zone_falls_back_to_utc() {
        let now = "2026-11-23T17:05:00Z".parse().unwrap();
        assert!(local(now, "Mars/Olympus").contains("05:05 PM UTC+0000"));
    }
}
