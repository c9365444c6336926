//! The rules, one by one and together.

use mneme_domain::message::{StoredToolCall, StoredToolReturn, ToolStatus};
use serde_json::json;

use super::*;

const TOOLS: [&str; 3] = ["a", "b", "c"];

fn rules(list: Value) -> Vec<ToolRule> {
    serde_json::from_value(list).unwrap()
}

/// A trail of calls written as `a`, `a=output`, `a!` (failed), `a?` (denied).
fn trail(calls: &[&str]) -> Trail {
    let mut trail = Trail::default();
    for call in calls {
        let (name, output) = call.split_once('=').unwrap_or((call.trim_end_matches(['!', '?']), ""));
        let (status, text) = match call.chars().last() {
            Some('!') => (ToolStatus::Error, "boom".to_owned()),
            Some('?') => (ToolStatus::Error, format!("{DENIED} Reason: no")),
            _ => (ToolStatus::Success, output.to_owned()),
        };
        let returned = StoredToolReturn {
            tool_call_id: Some("id".into()),
            status,
            stdout: None,
            stderr: None,
            func_response: Some(text),
        };
        trail.push(&StoredToolCall::new("id", name, "{}"), &returned);
    }
    trail
}

#[test]
fn each_rule_allows_and_forces_what_it_says() {
    let first = json!([{"type": "run_first", "tool_name": "a"}]);
    let child = json!([{"type": "constrain_child_tools", "tool_name": "a", "children": ["b"]}]);
    let parent = json!([{"type": "parent_last_tool", "tool_name": "a", "children": ["b"]}]);
    let count = json!([{"type": "max_count_per_step", "tool_name": "a", "max_count_limit": 2}]);
    let by_output = |required: bool, default: Option<&str>| {
        json!([{"type": "conditional", "tool_name": "a", "child_output_mapping": {"yes": "b", "1": "c", "true": "b"},
            "default_child": default, "require_output_mapping": required}])
    };
    for (list, called, allowed, forced) in [
        (&first, vec![], "a", true),
        (&first, vec!["a"], "abc", false),
        (&first, vec!["a!"], "abc", false),
        (&child, vec![], "abc", false),
        (&child, vec!["a"], "b", true),
        (&child, vec!["a", "b!"], "b", true),
        (&child, vec!["a!"], "abc", false),
        (&child, vec!["a", "b?"], "abc", false),
        (&child, vec!["a", "b"], "abc", false),
        (&parent, vec![], "ac", false),
        (&parent, vec!["a"], "abc", false),
        (&parent, vec!["a", "c"], "ac", false),
        (&count, vec!["a"], "abc", false),
        (&count, vec!["a", "a!"], "bc", false),
        (&count, vec!["a", "a?"], "abc", false),
        (&by_output(false, Some("c")), vec!["a=yes"], "b", true),
        (&by_output(false, Some("c")), vec!["a=1.0"], "c", true),
        (&by_output(false, Some("c")), vec!["a=True"], "b", true),
        (&by_output(false, Some("c")), vec!["a=\"yes\""], "b", true),
        (&by_output(false, Some("c")), vec!["a=YES"], "c", true),
        (&by_output(false, None), vec!["a=other"], "abc", false),
        (&by_output(true, Some("c")), vec!["a=other"], "", false),
        (&by_output(true, None), vec!["b"], "abc", false),
    ] {
        let got = offer(&rules(list.clone()), &TOOLS, &trail(&called));
        let names: String = TOOLS.into_iter().filter(|tool| got.allows(tool)).collect();
        assert_eq!((names.as_str(), got.forced), (allowed, forced), "{list} after {called:?}");
    }
}

#[test]
fn rules_about_tools_that_are_not_there_bind_nobody() {
    for list in [
        json!([{"type": "run_first", "tool_name": "zzz"}]),
        json!([{"type": "constrain_child_tools", "tool_name": "a", "children": ["zzz"]}]),
        json!([{"type": "conditional", "tool_name": "a", "child_output_mapping": {}, "default_child": "zzz"}]),
        json!([{"type": "required_before_exit", "tool_name": "zzz"}]),
    ] {
        let list = rules(list);
        for called in [vec![], vec!["a"]] {
            let got = offer(&list, &TOOLS, &trail(&called));
            assert!(TOOLS.iter().all(|tool| got.allows(tool)) && !got.forced, "{list:?} after {called:?}");
            assert_eq!(missing(&list, &TOOLS, &trail(&called)), Vec::<&str>::new());
        }
    }
}

#[test]
fn rules_work_together_and_what_is_left_may_be_nothing() {
    let list = rules(json!([
        {"type": "constrain_child_tools", "tool_name": "a", "children": ["b", "c"]},
        {"type": "max_count_per_step", "tool_name": "b", "max_count_limit": 1},
        {"type": "parent_last_tool", "tool_name": "b", "children": ["c"]},
    ]));
    let allowed = |called: &[&str]| {
        let got = offer(&list, &TOOLS, &trail(called));
        (TOOLS.into_iter().filter(|tool| got.allows(tool)).collect::<String>(), got.forced)
    };
    assert_eq!(allowed(&["a"]), ("b".into(), true));
    assert_eq!(allowed(&["a", "b"]), ("ac".into(), false));
    assert_eq!(allowed(&["a", "b", "a"]), (String::new(), false));
}

#[test]
fn what_has_to_be_called_before_the_end_is_asked_for_until_it_was() {
    let list = rules(json!([{"type": "required_before_exit", "tool_name": "b"}]));
    assert_eq!(missing(&list, &TOOLS, &trail(&["a"])), ["b"]);
    for called in ["b", "b!", "b?"] {
        assert_eq!(missing(&list, &TOOLS, &trail(&[called])), Vec::<&str>::new());
    }
    let mut held = trail(&["a"]);
    assert!(!offer(&list, &TOOLS, &held).forced);
    held.hold_back();
    assert!(offer(&list, &TOOLS, &held).forced);
}

#[test]
fn preset_arguments_replace_the_models() {
    let list = rules(json!([
        {"type": "run_first", "tool_name": "a", "args": {"x": 1}},
        {"type": "constrain_child_tools", "tool_name": "a", "children": ["b"],
            "child_arg_nodes": [{"name": "b", "args": {"y": "preset"}}]},
    ]));
    let filled = |called: &[&str], name: &str, written: &str| {
        let mut call = StoredToolCall::new("id", name, written);
        fill(&mut call, presets(&list, &trail(called), name));
        call.function.arguments
    };
    assert_eq!(filled(&[], "a", r#"{"x": 5, "z": 2}"#), r#"{"x":1,"z":2}"#);
    assert_eq!(filled(&["a"], "a", r#"{"x": 5}"#), r#"{"x": 5}"#);
    assert_eq!(filled(&["a"], "b", ""), r#"{"y":"preset"}"#);
    assert_eq!(filled(&["a"], "b", "[1]"), "[1]");
}

#[test]
fn a_request_carries_what_is_offered() {
    let spec = |name: &str| mneme_llm::ToolSpec {
        name: name.into(),
        description: String::new(),
        parameters: json!({"type": "object", "properties": {}}),
    };
    let asked = |list: Value, called: &[&str]| {
        let mut request = ChatRequest { tools: TOOLS.map(spec).to_vec(), ..ChatRequest::default() };
        offer(&rules(list), &TOOLS, &trail(called)).apply(&mut request);
        (request.tools.iter().map(|tool| tool.name.clone()).collect::<String>(), request.tool_choice)
    };
    let first = json!([{"type": "run_first", "tool_name": "a"}]);
    assert_eq!(asked(first.clone(), &[]), ("a".into(), ToolChoice::Named("a".into())));
    assert_eq!(asked(first, &["a"]), ("abc".into(), ToolChoice::Auto));
    let child = json!([{"type": "constrain_child_tools", "tool_name": "a", "children": ["b", "c"]}]);
    assert_eq!(asked(child, &["a"]), ("bc".into(), ToolChoice::Required));
    let none =
        json!([{"type": "conditional", "tool_name": "a", "child_output_mapping": {}, "require_output_mapping": true}]);
    assert_eq!(asked(none, &["a"]), (String::new(), ToolChoice::Auto));
    assert_eq!(asked(json!([]), &[]), ("abc".into(), ToolChoice::Auto));
}
