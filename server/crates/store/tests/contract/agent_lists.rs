//! Lists of agents.

use mneme_domain::{Order, Page, agent::Agent};
use mneme_store::{
    Conn,
    agents::{self, AgentFilter, AgentSort},
};

use crate::{
    fixtures::{World, agent, at, first},
    on_both,
};

on_both!(lists_are_filtered, lists_by_change, lists_by_last_run_put_agents_that_never_ran_last);

async fn add(c: &mut Conn, w: &World, agent: Agent) -> Agent {
    agents::insert(c, &w.actor, &agent).await.unwrap();
    agent
}

async fn names(c: &mut Conn, w: &World, filter: &AgentFilter, page: &Page) -> Vec<String> {
    agents::list(c, &w.actor, filter, page).await.unwrap().into_iter().map(|agent| agent.name).collect()
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let all = [
        Agent { project_id: Some("p".into()), ..agent("Ärger 100%") },
        Agent { template_id: Some("t".into()), base_template_id: Some("bt".into()), ..agent("ärger 1000") },
        Agent { hidden: Some(true), ..agent("under_score") },
        agent("underXscore"),
    ];
    for (agent, tags) in all.iter().zip([&["x", "y"][..], &["y"], &[], &["x", "z%"]]) {
        add(&mut c, &w, agent.clone()).await;
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        agents::set_tags(&mut c, &w.actor, &agent.id, &tags).await.unwrap();
    }
    let text = |text: &str| Some(text.to_owned());
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let everything = AgentFilter { include_hidden: true, ..AgentFilter::default() };
    let cases: Vec<(AgentFilter, &[usize])> = vec![
        (everything.clone(), &[0, 1, 2, 3]),
        (AgentFilter::default(), &[0, 1, 3]),
        (AgentFilter { name: text("underXscore"), ..everything.clone() }, &[3]),
        (AgentFilter { query_text: text("ÄRGER"), ..everything.clone() }, &[0, 1]),
        (AgentFilter { query_text: text("100%"), ..everything.clone() }, &[0]),
        (AgentFilter { query_text: text("R_S"), ..everything.clone() }, &[2]),
        (AgentFilter { query_text: text("\\"), ..everything.clone() }, &[]),
        (AgentFilter { tags: tags(&["x"]), ..everything.clone() }, &[0, 3]),
        (AgentFilter { tags: tags(&["x", "y"]), ..everything.clone() }, &[0, 1, 3]),
        (AgentFilter { tags: tags(&["x", "y", "x"]), match_all_tags: true, ..everything.clone() }, &[0]),
        (AgentFilter { tags: tags(&["x", "none"]), match_all_tags: true, ..everything.clone() }, &[]),
        (AgentFilter { project_id: text("p"), ..everything.clone() }, &[0]),
        (AgentFilter { template_id: text("t"), ..everything.clone() }, &[1]),
        (AgentFilter { base_template_id: text("bt"), ..everything.clone() }, &[1]),
        (AgentFilter { identity_id: text("identity-1"), ..everything.clone() }, &[]),
        (AgentFilter { identifier_keys: vec!["nobody".into()], ..everything.clone() }, &[]),
        (AgentFilter { ids: Some(vec![all[3].id.clone(), all[1].id.clone()]), ..everything.clone() }, &[1, 3]),
        (AgentFilter { ids: Some(vec![]), ..everything.clone() }, &[]),
    ];
    for (filter, expected) in cases {
        let expected: Vec<String> = expected.iter().map(|index| all[*index].name.clone()).collect();
        assert_eq!(names(&mut c, &w, &filter, &Page::all()).await, expected, "{filter:?}");
        let count = agents::count(&mut c, &w.actor, &filter).await.unwrap();
        assert_eq!(count, i64::try_from(expected.len()).unwrap(), "{filter:?}");
    }
}

async fn lists_by_change(w: World) {
    let mut c = w.write().await;
    let mut ids = Vec::new();
    for (name, changed) in [("a", 5), ("b", 9), ("c", 1), ("d", 5)] {
        let agent = Agent { updated_at: at(changed), ..agent(name) };
        ids.push(add(&mut c, &w, agent).await.id);
    }
    let filter = AgentFilter { sort_by: AgentSort::UpdatedAt, ..AgentFilter::default() };
    assert_eq!(names(&mut c, &w, &filter, &first(9, Order::Asc)).await, ["c", "a", "d", "b"]);
    assert_eq!(names(&mut c, &w, &filter, &first(9, Order::Desc)).await, ["b", "d", "a", "c"]);
    let after = Page { after: Some(ids[3].to_string()), ..first(1, Order::Desc) };
    assert_eq!(names(&mut c, &w, &filter, &after).await, ["a"]);
}

async fn lists_by_last_run_put_agents_that_never_ran_last(w: World) {
    let mut c = w.write().await;
    let mut ids = Vec::new();
    for (name, last) in [("a", Some(5)), ("b", None), ("c", Some(9)), ("d", None), ("e", Some(5))] {
        let agent = Agent { last_run_completion: last.map(at), ..agent(name) };
        ids.push(add(&mut c, &w, agent).await.id);
    }
    let filter = AgentFilter { sort_by: AgentSort::LastRunCompletion, ..AgentFilter::default() };
    assert_eq!(names(&mut c, &w, &filter, &first(9, Order::Asc)).await, ["a", "e", "c", "b", "d"]);
    assert_eq!(names(&mut c, &w, &filter, &first(9, Order::Desc)).await, ["c", "e", "a", "d", "b"]);
    // Pages by cursor put together the same list.
    for order in [Order::Asc, Order::Desc] {
        let mut page = first(2, order);
        let mut collected = Vec::new();
        loop {
            let agents = agents::list(&mut c, &w.actor, &filter, &page).await.unwrap();
            let Some(last) = agents.last() else { break };
            page.after = Some(last.id.to_string());
            collected.extend(agents.into_iter().map(|agent| agent.name));
        }
        assert_eq!(collected, names(&mut c, &w, &filter, &first(9, order)).await);
    }
    let before = Page { before: Some(ids[1].to_string()), ..first(2, Order::Desc) };
    assert_eq!(names(&mut c, &w, &filter, &before).await, ["a", "d"]);
}
