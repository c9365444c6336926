//! Agents and what hangs off them.

use mneme_domain::{
    AgentId, MessageId, Order, Page,
    agent::{Agent, AgentFull, AgentType, Include},
    message::MessageRole,
    tool_rule::ToolRule,
};
use mneme_store::{
    Conn, StoreError,
    agents::{self, AgentFilter, AgentSort},
    blocks, messages, runs, steps, tags, tools,
};
use serde_json::json;
use std::sync::Arc;
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, first, message, object, run, step, tool, trace},
    on_both,
};

on_both!(
    every_field_survives,
    an_update_must_name_the_version_that_it_saw,
    lists_are_filtered,
    lists_by_last_run_put_agents_that_never_ran_last,
    tags_are_listed_in_order,
    variables_are_replaced_in_place,
    relationships_come_as_asked_for,
    a_deleted_agent_takes_its_own_along,
);

async fn add(c: &mut Conn, w: &World, agent: Agent) -> Agent {
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent
}

async fn every_field_survives(w: World) {
    let mut full = Agent {
        name: TRICKY.into(),
        agent_type: AgentType::SleeptimeAgent,
        embedding_config: Some(
            serde_json::from_value(json!({"embedding_endpoint_type": "openai", "embedding_model": "m", "embedding_dim": 3})).unwrap(),
        ),
        tool_rules: vec![ToolRule::ExitLoop { tool_name: "send_message".into(), prompt_template: None }],
        message_ids: vec![MessageId::from_uuid(Uuid::new_v4()), MessageId::from_uuid(Uuid::new_v4())],
        response_format: Some(json!({"type": "json_object", "a": 1})),
        description: Some(TRICKY.into()),
        metadata: Some(object(json!({"z": {}, "a": TRICKY}))),
        memory_variables: Some(object(json!({}))),
        project_id: Some("p".into()),
        template_id: Some("t".into()),
        base_template_id: Some("bt".into()),
        deployment_id: Some("d".into()),
        entity_id: Some("e".into()),
        message_buffer_autoclear: true,
        enable_sleeptime: Some(false),
        last_run_completion: Some(at(9)),
        last_run_duration_ms: Some(12),
        timezone: None,
        max_files_open: None,
        per_file_view_window_char_limit: Some(15_000),
        hidden: Some(true),
        created_by_id: Some("u1".into()),
        last_updated_by_id: Some("u2".into()),
        updated_at: at(3),
        ..agent("")
    };
    let mut c = w.write().await;
    add(&mut c, &w, full.clone()).await;
    let bare = add(&mut c, &w, agent("bare")).await;
    assert_eq!(
        agents::get(&mut c, &w.actor, &full.id).await.unwrap(),
        Some(full.clone())
    );
    assert_eq!(
        agents::get(&mut c, &w.actor, &bare.id).await.unwrap(),
        Some(bare.clone())
    );

    // Every field can also be changed.
    full = Agent {
        id: full.id,
        version: 1,
        ..bare
    };
    assert_eq!(agents::update(&mut c, &w.actor, &full).await.unwrap(), 2);
    let stored = agents::get(&mut c, &w.actor, &full.id).await.unwrap();
    assert_eq!(stored, Some(Agent { version: 2, ..full }));
}

async fn an_update_must_name_the_version_that_it_saw(w: World) {
    let mut c = w.write().await;
    let mut stored = add(&mut c, &w, agent("one")).await;
    let ids = [
        MessageId::from_uuid(Uuid::new_v4()),
        MessageId::from_uuid(Uuid::new_v4()),
    ];
    let version = agents::touch_context(
        &mut c,
        &w.actor,
        &stored.id,
        &ids,
        1,
        Some(at(5)),
        Some(77),
        at(6),
    )
    .await
    .unwrap();
    assert_eq!(version, 2);
    let version = agents::touch_context(
        &mut c,
        &w.actor,
        &stored.id,
        &ids[..1],
        2,
        None,
        None,
        at(7),
    )
    .await
    .unwrap();
    assert_eq!(version, 3);
    stored = Agent {
        message_ids: ids[..1].to_vec(),
        last_run_completion: Some(at(5)),
        last_run_duration_ms: Some(77),
        updated_at: at(7),
        version: 3,
        ..stored
    };
    assert_eq!(
        agents::get(&mut c, &w.actor, &stored.id).await.unwrap(),
        Some(stored.clone())
    );

    stored.version = 2;
    assert!(matches!(
        agents::update(&mut c, &w.actor, &stored).await,
        Err(StoreError::Stale)
    ));
    let touched =
        agents::touch_context(&mut c, &w.actor, &stored.id, &[], 2, None, None, at(8)).await;
    assert!(matches!(touched, Err(StoreError::Stale)));
    let unknown = Agent {
        version: 3,
        ..agent("nobody")
    };
    assert!(matches!(
        agents::update(&mut c, &w.actor, &unknown).await,
        Err(StoreError::NotFound)
    ));
    let touched =
        agents::touch_context(&mut c, &w.actor, &unknown.id, &[], 3, None, None, at(8)).await;
    assert!(matches!(touched, Err(StoreError::NotFound)));
}

async fn names(c: &mut Conn, w: &World, filter: &AgentFilter, page: &Page) -> Vec<String> {
    agents::list(c, &w.actor, filter, page)
        .await
        .unwrap()
        .into_iter()
        .map(|agent| agent.name)
        .collect()
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let all = [
        Agent {
            project_id: Some("p".into()),
            ..agent("Ärger 100%")
        },
        Agent {
            template_id: Some("t".into()),
            base_template_id: Some("bt".into()),
            ..agent("ärger 1000")
        },
        Agent {
            hidden: Some(true),
            ..agent("under_score")
        },
        agent("underXscore"),
    ];
    for (agent, tags) in all.iter().zip([&["x", "y"][..], &["y"], &[], &["x", "z%"]]) {
        add(&mut c, &w, agent.clone()).await;
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        agents::set_tags(&mut c, &w.actor, &agent.id, &tags)
            .await
            .unwrap();
    }
    let text = |text: &str| Some(text.to_owned());
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let everything = AgentFilter {
        include_hidden: true,
        ..AgentFilter::default()
    };
    let cases: Vec<(AgentFilter, &[usize])> = vec![
        (everything.clone(), &[0, 1, 2, 3]),
        (AgentFilter::default(), &[0, 1, 3]),
        (
            AgentFilter {
                name: text("underXscore"),
                ..everything.clone()
            },
            &[3],
        ),
        (
            AgentFilter {
                query_text: text("ÄRGER"),
                ..everything.clone()
            },
            &[0, 1],
        ),
        (
            AgentFilter {
                query_text: text("100%"),
                ..everything.clone()
            },
            &[0],
        ),
        (
            AgentFilter {
                query_text: text("R_S"),
                ..everything.clone()
            },
            &[2],
        ),
        (
            AgentFilter {
                query_text: text("\\"),
                ..everything.clone()
            },
            &[],
        ),
        (
            AgentFilter {
                tags: tags(&["x"]),
                ..everything.clone()
            },
            &[0, 3],
        ),
        (
            AgentFilter {
                tags: tags(&["x", "y"]),
                ..everything.clone()
            },
            &[0, 1, 3],
        ),
        (
            AgentFilter {
                tags: tags(&["x", "y", "x"]),
                match_all_tags: true,
                ..everything.clone()
            },
            &[0],
        ),
        (
            AgentFilter {
                tags: tags(&["x", "none"]),
                match_all_tags: true,
                ..everything.clone()
            },
            &[],
        ),
        (
            AgentFilter {
                project_id: text("p"),
                ..everything.clone()
            },
            &[0],
        ),
        (
            AgentFilter {
                template_id: text("t"),
                ..everything.clone()
            },
            &[1],
        ),
        (
            AgentFilter {
                base_template_id: text("bt"),
                ..everything.clone()
            },
            &[1],
        ),
        (
            AgentFilter {
                identity_id: text("identity-1"),
                ..everything.clone()
            },
            &[],
        ),
        (
            AgentFilter {
                ids: Some(vec![all[3].id.clone(), all[1].id.clone()]),
                ..everything.clone()
            },
            &[1, 3],
        ),
        (
            AgentFilter {
                ids: Some(vec![]),
                ..everything.clone()
            },
            &[],
        ),
    ];
    for (filter, expected) in cases {
        let expected: Vec<String> = expected
            .iter()
            .map(|index| all[*index].name.clone())
            .collect();
        assert_eq!(
            names(&mut c, &w, &filter, &Page::all()).await,
            expected,
            "{filter:?}"
        );
        let count = agents::count(&mut c, &w.actor, &filter).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
}

async fn lists_by_last_run_put_agents_that_never_ran_last(w: World) {
    let mut c = w.write().await;
    let mut ids = Vec::new();
    for (name, last) in [
        ("a", Some(5)),
        ("b", None),
        ("c", Some(9)),
        ("d", None),
        ("e", Some(5)),
    ] {
        let agent = Agent {
            last_run_completion: last.map(at),
            ..agent(name)
        };
        ids.push(add(&mut c, &w, agent).await.id);
    }
    let filter = AgentFilter {
        sort_by: AgentSort::LastRunCompletion,
        ..AgentFilter::default()
    };
    assert_eq!(
        names(&mut c, &w, &filter, &first(9, Order::Asc)).await,
        ["a", "e", "c", "b", "d"]
    );
    assert_eq!(
        names(&mut c, &w, &filter, &first(9, Order::Desc)).await,
        ["c", "e", "a", "d", "b"]
    );
    // Pages by cursor put together the same list.
    for order in [Order::Asc, Order::Desc] {
        let mut page = first(2, order);
        let mut collected = Vec::new();
        loop {
            let agents = agents::list(&mut c, &w.actor, &filter, &page)
                .await
                .unwrap();
            let Some(last) = agents.last() else { break };
            page.after = Some(last.id.to_string());
            collected.extend(agents.into_iter().map(|agent| agent.name));
        }
        assert_eq!(
            collected,
            names(&mut c, &w, &filter, &first(9, order)).await
        );
    }
    let before = Page {
        before: Some(ids[1].to_string()),
        ..first(2, Order::Desc)
    };
    assert_eq!(names(&mut c, &w, &filter, &before).await, ["a", "d"]);
}

async fn tags_are_listed_in_order(w: World) {
    let mut c = w.write().await;
    let one = add(&mut c, &w, agent("one")).await;
    let two = add(&mut c, &w, agent("two")).await;
    let given = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    agents::set_tags(&mut c, &w.actor, &one.id, &given(&["old"]))
        .await
        .unwrap();
    agents::set_tags(
        &mut c,
        &w.actor,
        &one.id,
        &given(&["b", "ü", "a", "b", "B"]),
    )
    .await
    .unwrap();
    agents::set_tags(&mut c, &w.actor, &two.id, &given(&["b", "50%", "_"]))
        .await
        .unwrap();
    assert_eq!(
        agents::tags_of(&mut c, &w.actor, &one.id).await.unwrap(),
        ["b", "ü", "a", "B"]
    );

    let all = tags::list(&mut c, &w.actor, None, &first(9, Order::Asc))
        .await
        .unwrap();
    assert_eq!(all, ["50%", "B", "_", "a", "b", "ü"]);
    let down = tags::list(&mut c, &w.actor, None, &first(2, Order::Desc))
        .await
        .unwrap();
    assert_eq!(down, ["ü", "b"]);
    let after = Page {
        after: Some("_".into()),
        ..first(2, Order::Asc)
    };
    assert_eq!(
        tags::list(&mut c, &w.actor, None, &after).await.unwrap(),
        ["a", "b"]
    );
    let before = Page {
        before: Some("b".into()),
        ..first(2, Order::Asc)
    };
    assert_eq!(
        tags::list(&mut c, &w.actor, None, &before).await.unwrap(),
        ["_", "a"]
    );
    assert_eq!(
        tags::list(&mut c, &w.actor, Some("%"), &first(9, Order::Asc))
            .await
            .unwrap(),
        ["50%"]
    );
    assert_eq!(
        tags::list(&mut c, &w.actor, Some("b"), &first(9, Order::Asc))
            .await
            .unwrap(),
        ["B", "b"]
    );

    let missing = agents::set_tags(&mut c, &w.actor, &agent("nobody").id, &given(&["x"])).await;
    assert!(matches!(missing, Err(StoreError::NotFound)));
}

async fn variables_are_replaced_in_place(w: World) {
    let mut c = w.write().await;
    let owner = add(&mut c, &w, agent("owner")).await;
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let given = [pair("TOKEN", TRICKY), pair("A", ""), pair("GONE", "1")];
    agents::set_variables(&mut c, &w.actor, &owner.id, &given)
        .await
        .unwrap();
    let old = agents::variables_of(&mut c, &w.actor, &owner.id)
        .await
        .unwrap();
    let seen: Vec<(&str, &str)> = old
        .iter()
        .map(|variable| (variable.key.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(seen, [("TOKEN", TRICKY), ("A", ""), ("GONE", "1")]);
    assert!(old[0].id.starts_with("agent-env-"));
    assert_eq!(old[0].agent_id, owner.id);

    agents::set_variables(
        &mut c,
        &w.actor,
        &owner.id,
        &[pair("NEW", "x"), pair("TOKEN", "1"), pair("TOKEN", "2")],
    )
    .await
    .unwrap();
    let new = agents::variables_of(&mut c, &w.actor, &owner.id)
        .await
        .unwrap();
    let seen: Vec<(&str, &str)> = new
        .iter()
        .map(|variable| (variable.key.as_str(), variable.value.as_str()))
        .collect();
    assert_eq!(seen, [("NEW", "x"), ("TOKEN", "2")]);
    assert_eq!(
        (&new[1].id, new[1].created_at),
        (&old[0].id, old[0].created_at)
    );
    agents::set_variables(&mut c, &w.actor, &owner.id, &[])
        .await
        .unwrap();
    assert_eq!(
        agents::variables_of(&mut c, &w.actor, &owner.id)
            .await
            .unwrap(),
        []
    );
}

async fn relationships_come_as_asked_for(w: World) {
    let mut c = w.write().await;
    let shared = tool("shared");
    let own = tool("own");
    for tool in [&shared, &own] {
        tools::insert(&mut c, &w.actor, tool, at(0)).await.unwrap();
    }
    let mut expected = Vec::new();
    for name in ["one", "two", "three"] {
        let agent = add(&mut c, &w, agent(name)).await;
        let mut full = AgentFull {
            agent,
            tags: vec![],
            blocks: vec![],
            tools: vec![],
            variables: vec![],
        };
        if name != "three" {
            let id = &full.agent.id;
            full.tags = vec!["z".into(), name.into()];
            agents::set_tags(&mut c, &w.actor, id, &full.tags)
                .await
                .unwrap();
            for label in ["human", "persona"] {
                let block = block(label, name);
                blocks::insert(&mut c, &w.actor, &block, at(0))
                    .await
                    .unwrap();
                blocks::attach(&mut c, &w.actor, id, &block.id)
                    .await
                    .unwrap();
                full.blocks.push(block);
            }
            full.tools = vec![Arc::new(shared.clone())];
            if name == "two" {
                full.tools.insert(0, Arc::new(own.clone()));
            }
            let tool_ids: Vec<_> = full.tools.iter().map(|tool| tool.id.clone()).collect();
            tools::set_of_agent(&mut c, &w.actor, id, &tool_ids)
                .await
                .unwrap();
            agents::set_variables(&mut c, &w.actor, id, &[("K".into(), name.into())])
                .await
                .unwrap();
            full.variables = agents::variables_of(&mut c, &w.actor, id).await.unwrap();
        }
        expected.push(full);
    }
    for full in &expected {
        let found = agents::full(&mut c, &w.actor, &full.agent.id, Include::ALL)
            .await
            .unwrap();
        assert_eq!(found.as_ref(), Some(full));
    }
    let agents_only: Vec<Agent> = expected
        .iter()
        .rev()
        .map(|full| full.agent.clone())
        .collect();
    let many = agents::full_many(&mut c, &w.actor, agents_only.clone(), Include::ALL)
        .await
        .unwrap();
    expected.reverse();
    assert_eq!(many, expected);
    let bare = agents::full_many(&mut c, &w.actor, agents_only, Include::NONE)
        .await
        .unwrap();
    assert!(
        bare.iter()
            .all(|full| full.tags.is_empty() && full.blocks.is_empty() && full.tools.is_empty())
    );
    let blocks_only = Include {
        blocks: true,
        ..Include::NONE
    };
    let found = agents::full(&mut c, &w.actor, &expected[1].agent.id, blocks_only)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.blocks, expected[1].blocks);
    assert!(found.tools.is_empty() && found.tags.is_empty() && found.variables.is_empty());
    assert_eq!(
        agents::full(
            &mut c,
            &w.actor,
            &AgentId::from_uuid(Uuid::new_v4()),
            Include::ALL
        )
        .await
        .unwrap(),
        None
    );
}

async fn a_deleted_agent_takes_its_own_along(w: World) {
    let mut c = w.write().await;
    let doomed = add(&mut c, &w, agent("doomed")).await;
    let block = block("human", "");
    let tool = tool("tool");
    blocks::insert(&mut c, &w.actor, &block, at(0))
        .await
        .unwrap();
    tools::insert(&mut c, &w.actor, &tool, at(0)).await.unwrap();
    blocks::attach(&mut c, &w.actor, &doomed.id, &block.id)
        .await
        .unwrap();
    tools::attach(&mut c, &w.actor, &doomed.id, &tool.id)
        .await
        .unwrap();
    agents::set_tags(&mut c, &w.actor, &doomed.id, &["t".into()])
        .await
        .unwrap();
    agents::set_variables(&mut c, &w.actor, &doomed.id, &[("K".into(), "v".into())])
        .await
        .unwrap();
    let run = run(&doomed.id);
    runs::insert(&mut c, &w.actor, &run).await.unwrap();
    let (step, metrics) = step(&doomed.id, Some(&run.id), &w.actor);
    steps::insert(
        &mut c,
        &w.actor,
        &step,
        &metrics,
        Some(&trace(&step.id)),
        &[],
    )
    .await
    .unwrap();
    let said = message(&doomed.id, MessageRole::User, "remarkable", 0);
    messages::append(&mut c, &w.actor, std::slice::from_ref(&said))
        .await
        .unwrap();

    assert!(agents::delete(&mut c, &w.actor, &doomed.id).await.unwrap());
    assert!(!agents::delete(&mut c, &w.actor, &doomed.id).await.unwrap());
    assert_eq!(
        agents::get(&mut c, &w.actor, &doomed.id).await.unwrap(),
        None
    );
    assert_eq!(
        messages::get(&mut c, &w.actor, &said.id).await.unwrap(),
        None
    );
    let search = messages::MessageSearch {
        agent_id: None,
        query: Some("remarkable".into()),
        roles: vec![],
        start: None,
        end: None,
        limit: 9,
        offset: 0,
    };
    assert_eq!(
        messages::search(&mut c, &w.actor, &search).await.unwrap(),
        []
    );
    assert_eq!(runs::get(&mut c, &w.actor, &run.id).await.unwrap(), None);
    assert_eq!(steps::get(&mut c, &w.actor, &step.id).await.unwrap(), None);
    assert_eq!(
        steps::trace(&mut c, &w.actor, &step.id).await.unwrap(),
        None
    );
    assert_eq!(
        tags::list(&mut c, &w.actor, None, &Page::all())
            .await
            .unwrap(),
        Vec::<String>::new()
    );
    assert!(
        agents::variables_of(&mut c, &w.actor, &doomed.id)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        blocks::get(&mut c, &w.actor, &block.id)
            .await
            .unwrap()
            .is_some(),
        "shared things stay"
    );
    assert!(
        tools::get(&mut c, &w.actor, &tool.id)
            .await
            .unwrap()
            .is_some()
    );
}
