//! Another organisation's data is as unknown as data that never was, to every function.

use mneme_domain::{
    Page,
    agent::{Agent, Include},
    message::{Message, MessageRole},
    run::RunStatus,
    step::Feedback,
};
use mneme_store::{
    StoreError,
    agents::{self, AgentFilter},
    blocks::{self, BlockFilter},
    messages::{self, MessageFilter, MessageSearch},
    providers,
    runs::{self, RunEnd, RunFilter},
    steps::{self, StepFilter},
    tags,
    tools::{self, ToolFilter},
};

use crate::{
    fixtures::{World, agent, at, block, message, run, step, tool, trace},
    on_both,
};

on_both!(a_stranger_sees_nothing, a_stranger_changes_nothing, a_stranger_attaches_nothing);

/// What the actor has.
struct Home {
    agent: Agent,
    block: mneme_domain::block::Block,
    tool: mneme_domain::tool::Tool,
    message: Message,
    run: mneme_domain::run::Run,
    step: mneme_domain::step::Step,
    provider: providers::StoredProvider,
}

async fn furnish(w: &World) -> Home {
    let mut c = w.write().await;
    let a = &w.actor;
    let (agent, block, tool) = (agent("mine"), block("human", "secret"), tool("mine"));
    agents::insert(&mut c, a, &agent).await.unwrap();
    blocks::insert(&mut c, a, &block, at(0)).await.unwrap();
    tools::insert(&mut c, a, &tool, at(0)).await.unwrap();
    blocks::attach(&mut c, a, &agent.id, &block.id).await.unwrap();
    tools::attach(&mut c, a, &agent.id, &tool.id).await.unwrap();
    agents::set_tags(&mut c, a, &agent.id, &["mine".into()]).await.unwrap();
    agents::set_variables(&mut c, a, &agent.id, &[("K".into(), "secret".into())]).await.unwrap();
    let run = run(&agent.id);
    runs::insert(&mut c, a, &run).await.unwrap();
    let (step, metrics) = step(&agent.id, Some(&run.id), a);
    steps::insert(&mut c, a, &step, &metrics, Some(&trace(&step.id)), &[]).await.unwrap();
    let message = Message {
        run_id: Some(run.id.clone()),
        step_id: Some(step.id.clone()),
        ..message(&agent.id, MessageRole::User, "secret", 0)
    };
    messages::append(&mut c, a, std::slice::from_ref(&message)).await.unwrap();
    let provider = providers::upsert_base(&mut c, a, "openai", "openai", None).await.unwrap();
    c.commit().await.unwrap();
    Home { agent, block, tool, message, run, step, provider }
}

fn everything() -> MessageSearch {
    MessageSearch {
        agent_id: None,
        project_id: None,
        template_id: None,
        query: None,
        roles: vec![],
        start: None,
        end: None,
        limit: 9,
        offset: 0,
    }
}

async fn a_stranger_sees_nothing(w: World) {
    let home = furnish(&w).await;
    let mut c = w.read().await;
    let (c, s, page) = (&mut c, &w.stranger, Page::all());
    let agent = &home.agent.id;
    assert_eq!(agents::get(c, s, agent).await.unwrap(), None);
    assert_eq!(agents::full(c, s, agent, Include::ALL).await.unwrap(), None);
    let full = agents::full_many(c, s, vec![home.agent.clone()], Include::ALL).await.unwrap();
    assert!(
        full[0].tags.is_empty()
            && full[0].blocks.is_empty()
            && full[0].tools.is_empty()
            && full[0].variables.is_empty()
    );
    assert_eq!(agents::list(c, s, &AgentFilter::default(), &page).await.unwrap(), []);
    assert_eq!(agents::count(c, s, &AgentFilter::default()).await.unwrap(), 0);
    assert_eq!(agents::tags_of(c, s, agent).await.unwrap(), Vec::<String>::new());
    assert_eq!(agents::variables_of(c, s, agent).await.unwrap(), []);
    assert_eq!(tags::list(c, s, None, &page).await.unwrap(), Vec::<String>::new());

    assert_eq!(blocks::get(c, s, &home.block.id).await.unwrap(), None);
    assert_eq!(blocks::get_many(c, s, std::slice::from_ref(&home.block.id)).await.unwrap(), []);
    assert_eq!(blocks::list(c, s, &BlockFilter::default(), &page).await.unwrap(), []);
    assert_eq!(blocks::count(c, s, &BlockFilter::default()).await.unwrap(), 0);
    assert_eq!(blocks::of_agent(c, s, agent).await.unwrap(), []);
    assert_eq!(blocks::agents_of(c, s, &home.block.id, &page).await.unwrap(), []);

    assert_eq!(tools::get(c, s, &home.tool.id).await.unwrap(), None);
    assert_eq!(tools::by_name(c, s, "mine").await.unwrap(), None);
    assert_eq!(tools::by_names(c, s, &["mine".into()]).await.unwrap(), []);
    assert_eq!(tools::by_ids(c, s, std::slice::from_ref(&home.tool.id)).await.unwrap(), []);
    assert_eq!(tools::list(c, s, &ToolFilter::default(), &page).await.unwrap(), []);
    assert_eq!(tools::count(c, s, &ToolFilter::default()).await.unwrap(), 0);
    assert_eq!(tools::of_agent(c, s, agent).await.unwrap(), []);

    assert_eq!(messages::get(c, s, &home.message.id).await.unwrap(), None);
    assert_eq!(messages::get_many(c, s, std::slice::from_ref(&home.message.id)).await.unwrap(), []);
    assert_eq!(messages::list(c, s, agent, &MessageFilter::default(), &page).await.unwrap(), []);
    assert_eq!(messages::list_all(c, s, &page).await.unwrap(), []);
    assert_eq!(messages::by_run(c, s, &home.run.id, &page).await.unwrap(), []);
    assert_eq!(messages::by_step(c, s, &home.step.id, &page).await.unwrap(), []);
    assert_eq!(messages::count(c, s, agent).await.unwrap(), 0);
    for query in [None, Some("secret".to_owned()), Some("!".to_owned())] {
        for agent_id in [None, Some(agent.clone())] {
            let search = MessageSearch { query: query.clone(), agent_id, ..everything() };
            assert_eq!(messages::search(c, s, &search).await.unwrap(), []);
        }
    }

    assert_eq!(runs::get(c, s, &home.run.id).await.unwrap(), None);
    assert_eq!(runs::list(c, s, &RunFilter::default(), &page).await.unwrap(), []);
    assert_eq!(runs::metrics(c, s, &home.run.id).await.unwrap(), None);
    assert_eq!(runs::usage(c, s, &home.run.id).await.unwrap(), None);
    assert_eq!(steps::get(c, s, &home.step.id).await.unwrap(), None);
    assert_eq!(steps::metrics(c, s, &home.step.id).await.unwrap(), None);
    assert_eq!(steps::trace(c, s, &home.step.id).await.unwrap(), None);
    assert_eq!(steps::list(c, s, &StepFilter::default(), &page).await.unwrap(), []);
    assert_eq!(providers::get(c, s, &home.provider.id).await.unwrap(), None);
    assert_eq!(providers::list(c, s, None, None, &page).await.unwrap(), []);

    // A cursor of another organisation is an unknown cursor.
    let mine = Page { after: Some(home.block.id.to_string()), ..Page::all() };
    assert_eq!(blocks::list(c, s, &BlockFilter::default(), &mine).await.unwrap(), []);
}

async fn a_stranger_changes_nothing(w: World) {
    let home = furnish(&w).await;
    let mut c = w.write().await;
    let (c, s) = (&mut c, &w.stranger);
    let agent = &home.agent.id;
    assert!(matches!(agents::update(c, s, &home.agent).await, Err(StoreError::NotFound)));
    let touched = agents::touch_context(c, s, agent, &[], 1, Some(at(5)), None, at(5)).await;
    assert!(matches!(touched, Err(StoreError::NotFound)));
    assert!(!agents::delete(c, s, agent).await.unwrap());
    agents::set_tags(c, s, agent, &[]).await.unwrap();
    agents::set_variables(c, s, agent, &[]).await.unwrap();
    agents::set_blocks(c, s, agent, &[]).await.unwrap();
    tools::set_of_agent(c, s, agent, &[]).await.unwrap();
    assert!(matches!(blocks::update(c, s, &home.block, 1, at(5)).await, Err(StoreError::NotFound)));
    assert!(!blocks::detach(c, s, agent, &home.block.id).await.unwrap());
    assert!(!blocks::delete(c, s, &home.block.id).await.unwrap());
    assert!(matches!(tools::update(c, s, &home.tool, at(5)).await, Err(StoreError::NotFound)));
    assert!(!tools::detach(c, s, agent, &home.tool.id).await.unwrap());
    assert!(!tools::delete(c, s, &home.tool.id).await.unwrap());
    assert!(matches!(messages::update(c, s, &home.message).await, Err(StoreError::NotFound)));
    assert_eq!(messages::delete_of_agent(c, s, agent).await.unwrap(), 0);
    assert!(!runs::set_running(c, s, &home.run.id).await.unwrap());
    let end = RunEnd {
        status: RunStatus::Cancelled,
        stop_reason: None,
        completed_at: at(5),
        ttft_ns: None,
        total_duration_ns: None,
        error: Some(mneme_domain::JsonObject::new()),
    };
    assert!(!runs::finish(c, s, &home.run.id, &end).await.unwrap());
    assert!(!runs::delete(c, s, &home.run.id).await.unwrap());
    assert_eq!(steps::set_feedback(c, s, &home.step.id, Some(Feedback::Negative), None).await.unwrap(), None);
    assert!(matches!(providers::update(c, s, &home.provider).await, Err(StoreError::NotFound)));
    assert!(!providers::delete(c, s, &home.provider.id).await.unwrap());

    // Everything is as it was.
    let a = &w.actor;
    let full = agents::full(c, a, agent, Include::ALL).await.unwrap().unwrap();
    assert_eq!((&full.agent, &full.tags[..]), (&home.agent, &["mine".to_owned()][..]));
    assert_eq!((full.blocks, full.tools.len(), full.variables.len()), (vec![home.block], 1, 1));
    assert_eq!(messages::get(c, a, &home.message.id).await.unwrap(), Some(home.message));
    assert_eq!(runs::get(c, a, &home.run.id).await.unwrap(), Some(home.run));
    assert_eq!(steps::get(c, a, &home.step.id).await.unwrap(), Some(home.step));
    assert_eq!(providers::get(c, a, &home.provider.id).await.unwrap(), Some(home.provider));
}

async fn a_stranger_attaches_nothing(w: World) {
    let home = furnish(&w).await;
    let (mine, s) = (&home.agent.id, &w.stranger);
    let (own_agent, own_block, own_tool) = (agent("own"), block("own", ""), tool("own"));
    let mut c = w.write().await;
    agents::insert(&mut c, s, &own_agent).await.unwrap();
    blocks::insert(&mut c, s, &own_block, at(0)).await.unwrap();
    tools::insert(&mut c, s, &own_tool, at(0)).await.unwrap();
    c.commit().await.unwrap();

    // Each in a transaction of its own, for a failed one does not go on.
    macro_rules! refused {
        ($c:ident => $($attempt:expr),+ $(,)?) => {$(
            let mut connection = w.write().await;
            let $c = &mut connection;
            let result = $attempt.await;
            assert!(matches!(result, Err(StoreError::NotFound)), "{}: {result:?}", stringify!($attempt));
            drop(connection);
        )+};
    }
    let (strange_run, strange_message) = (run(mine), message(mine, MessageRole::User, "x", 0));
    let (strange_step, metrics) = step(mine, None, s);
    refused!(c =>
        blocks::attach(c, s, mine, &home.block.id),
        blocks::attach(c, s, mine, &own_block.id),
        blocks::attach(c, s, &own_agent.id, &home.block.id),
        tools::attach(c, s, mine, &home.tool.id),
        tools::attach(c, s, mine, &own_tool.id),
        tools::attach(c, s, &own_agent.id, &home.tool.id),
        agents::set_blocks(c, s, &own_agent.id, std::slice::from_ref(&home.block.id)),
        tools::set_of_agent(c, s, &own_agent.id, std::slice::from_ref(&home.tool.id)),
        blocks::attach_first(c, s, mine, std::slice::from_ref(&own_block.id)),
        blocks::attach_first(c, s, &own_agent.id, std::slice::from_ref(&home.block.id)),
        tools::attach_first(c, s, mine, std::slice::from_ref(&own_tool.id)),
        tools::attach_first(c, s, &own_agent.id, std::slice::from_ref(&home.tool.id)),
        agents::set_tags(c, s, mine, &["x".into()]),
        agents::set_variables(c, s, mine, &[("x".into(), "y".into())]),
        messages::append(c, s, std::slice::from_ref(&strange_message)),
        runs::insert(c, s, &strange_run),
        steps::insert(c, s, &strange_step, &metrics, None, &[]),
    );

    // Nor may a message be moved to an agent of another organisation.
    let mut c = w.write().await;
    let said = message(&own_agent.id, MessageRole::User, "x", 0);
    messages::append(&mut c, s, std::slice::from_ref(&said)).await.unwrap();
    let moved = Message { agent_id: mine.clone(), ..said };
    assert!(matches!(messages::update(&mut c, s, &moved).await, Err(StoreError::NotFound)));
}
