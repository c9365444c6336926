//! The built-in tools do in the sandbox what they do natively.

use mneme_sandbox::{ToolFailure, capability};
use serde_json::{Value, json};

use crate::support::{Agent, call, request, sandbox};

#[tokio::test]
async fn memory_tools_edit_the_agents_blocks() {
    for (tool, arguments, expected) in [
        ("memory_insert", json!({"new_str": "top", "insert_line": 0}), "top\nline one\nline two"),
        ("memory_insert", json!({"new_str": "end"}), "line one\nline two\nend"),
        ("memory_replace", json!({"old_str": "line one", "new_str": "first"}), "first\nline two"),
        ("memory_rethink", json!({"new_memory": "all new"}), "all new"),
        ("core_memory_append", json!({"content": "more"}), "line one\nline two\nmore"),
        ("core_memory_replace", json!({"old_content": "two", "new_content": "2"}), "line one\nline 2"),
    ] {
        let agent = Agent::with(&[("notes", "line one\nline two")]);
        let mut arguments = arguments;
        arguments["label"] = json!("notes");
        let answer = call(&agent, tool, arguments).await.expect("an edit");
        assert!(answer.contains("`notes`"), "{tool}: {answer}");
        assert_eq!(agent.value("notes"), expected, "{tool}");
    }
}

#[tokio::test]
async fn refused_edits_explain_themselves_and_change_nothing() {
    let agent = Agent::with(&[("notes", "same and same")]);
    agent.add("policy", "be nice", 100, true);
    agent.add("tiny", "x", 20, false);
    for (tool, arguments, hint) in [
        ("memory_replace", json!({"label": "notes", "old_str": "absent", "new_str": "x"}), "did not appear"),
        ("memory_replace", json!({"label": "notes", "old_str": "same", "new_str": "x"}), "Multiple"),
        ("memory_insert", json!({"label": "policy", "new_str": "hacked"}), "read-only"),
        ("memory_insert", json!({"label": "tiny", "new_str": "y".repeat(40)}), "20"),
        ("memory_insert", json!({"wrong": 1}), "`label` is missing"),
        ("memory_insert", json!({"label": "notes", "new_str": 7}), "`new_str` must be a string"),
        ("memory_rethink", json!({"label": "absent", "new_memory": "x"}), "`notes`, `policy`, `tiny`"),
    ] {
        let error = call(&agent, tool, arguments).await.expect_err("refused");
        assert!(error.contains(hint), "{tool}: {error}");
    }
    assert_eq!(agent.value("notes"), "same and same");
    assert_eq!(agent.value("policy"), "be nice");
    assert_eq!(agent.value("tiny"), "x");
}

#[tokio::test]
async fn a_conversation_is_searched_through_the_host() {
    let agent = Agent::with(&[]);
    let arguments = json!({"query": "tea", "roles": ["assistant"], "limit": 2, "end_date": "2020-01-01"});
    let answer = call(&agent, "conversation_search", arguments).await;
    let answer = answer.expect("an answer");
    let list: Value =
        answer.strip_prefix("Showing 1 results: ").and_then(|list| serde_json::from_str(list).ok()).expect("a list");
    let timestamp = "1970-01-01T00:00:10+00:00";
    assert_eq!(
        list,
        json!([{"timestamp": timestamp, "time_ago": "5s ago", "role": "assistant", "content": "about tea"}])
    );
    assert!(answer.contains(r#""role": "assistant""#));
    let query = agent.queries.lock().pop().expect("a search");
    assert_eq!((query.text.as_str(), query.roles, query.limit), ("tea", vec!["assistant".to_owned()], Some(2)));
    assert_eq!((query.start_date, query.end_date.as_deref()), (None, Some("2020-01-01")));

    let error = call(&agent, "conversation_search", json!({"query": "x", "start_date": "soon"})).await;
    assert_eq!(error, Err("`start_date` is no date".to_owned()));
}

#[tokio::test]
async fn memories_are_kept_and_found_through_the_host() {
    let agent = Agent::with(&[]);
    for (content, tags) in [("東京 trip", json!(["travel", "2026"])), ("dentist", json!(["2026"]))] {
        let kept = call(&agent, "archival_memory_insert", json!({"content": content, "tags": tags})).await;
        assert_eq!(kept, Ok("Kept in archival memory.".to_owned()));
    }
    let arguments = json!({
        "query": "x", "tags": ["travel", "2026"], "tag_match_mode": "all", "top_k": 3, "start_datetime": "2026-01-01",
    });
    let answer = call(&agent, "archival_memory_search", arguments).await.expect("an answer");
    let list: Value =
        answer.strip_prefix("Showing 1 results: ").and_then(|list| serde_json::from_str(list).ok()).expect("a list");
    let relevance = json!({"rrf_score": 0.5, "fts_rank": 3});
    assert_eq!(
        list,
        json!([{
            "timestamp": "2026-01-01", "tags": ["travel", "2026"], "content": "東京 trip", "relevance": relevance,
        }])
    );
}

#[tokio::test]
async fn archival_memory_is_out_of_reach_without_its_capability() {
    let agent = Agent::with(&[]);
    let sandbox = sandbox();
    let builtins = sandbox.builtin().await.expect("they load");
    for (tool, arguments) in
        [("archival_memory_insert", json!({"content": "x"})), ("archival_memory_search", json!({"query": "x"}))]
    {
        let (guest, _) = builtins.find(tool).expect("a built-in tool");
        let mut request = request(&agent, tool, arguments);
        request.grants.capabilities.retain(|name| name != capability::ARCHIVAL);
        let outcome = sandbox.call(guest, request).await;
        assert!(matches!(outcome.result, Err(ToolFailure::Denied(_))), "{outcome:?}");
        assert_eq!(outcome.denials.len(), 1, "{outcome:?}");
        assert_eq!(outcome.denials[0].capability, capability::ARCHIVAL);
    }
    assert_eq!(*agent.memories.lock(), []);
}

#[tokio::test]
async fn the_catalogue_is_complete_and_well_formed() {
    let builtins = sandbox().builtin().await.expect("they load");
    let mut names: Vec<_> = builtins.specs().map(|spec| spec.name.as_str()).collect();
    names.sort_unstable();
    for expected in [
        "archival_memory_insert",
        "archival_memory_search",
        "conversation_search",
        "core_memory_append",
        "core_memory_replace",
        "grep_files",
        "memory",
        "memory_finish_edits",
        "memory_insert",
        "memory_replace",
        "memory_rethink",
        "open_files",
        "semantic_search_files",
        "send_message",
    ] {
        assert!(names.contains(&expected), "{expected} in {names:?}");
    }
    for spec in builtins.specs() {
        assert!(!spec.description.is_empty(), "{}", spec.name);
        let properties = spec.parameters["properties"].as_object().expect("properties");
        for (name, schema) in properties {
            let described = schema["description"].as_str().unwrap_or_default();
            assert!(!described.is_empty(), "{}.{name}", spec.name);
        }
    }
    let (_, insert) = builtins.find("memory_insert").expect("found");
    assert_eq!(insert.capabilities, ["memory-read", "memory-write"]);
    assert_eq!(insert.parameters["required"], json!(["label", "new_str"]));
    assert!(builtins.find("rm_rf").is_none());

    let agent = Agent::with(&[]);
    assert!(call(&agent, "send_message", json!({"message": "hi"})).await.is_ok());
    assert!(call(&agent, "memory_finish_edits", json!({})).await.is_ok());
}
