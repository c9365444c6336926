//! Groups: kept with their agents and blocks in order, counted, listed, and what was said in them.

use mneme_domain::{
    GroupId, Order, Page,
    agent::Include,
    group::{Group, ManagerType},
    message::{Message, MessageRole},
};
use mneme_store::{
    StoreError, agents, blocks,
    groups::{self, GroupFilter},
    messages, runs,
};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, block, first, message, run},
    on_both,
};

on_both!(
    groups_are_kept,
    turns_are_counted,
    what_is_said_is_listed_once_and_forgotten,
    groups_go_with_their_manager,
    a_stranger_sees_and_changes_nothing,
);

fn group(manager_type: ManagerType) -> Group {
    Group {
        id: GroupId::from_uuid(Uuid::new_v4()),
        manager_type,
        agent_ids: Vec::new(),
        description: TRICKY.into(),
        project_id: Some("p".into()),
        template_id: None,
        base_template_id: None,
        deployment_id: None,
        shared_block_ids: Vec::new(),
        manager_agent_id: None,
        termination_token: Some("DONE!".into()),
        max_turns: Some(3),
        sleeptime_agent_frequency: None,
        turns_counter: None,
        last_processed_message_id: None,
        max_message_buffer_length: Some(30),
        min_message_buffer_length: Some(15),
        hidden: None,
    }
}

async fn groups_are_kept(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let (one, two, shared) = (agent("one"), agent("two"), block("board", "x"));
    agents::insert(&mut c, a, &one).await.unwrap();
    agents::insert(&mut c, a, &two).await.unwrap();
    blocks::insert(&mut c, a, &shared, at(0)).await.unwrap();
    let mut kept = Group {
        agent_ids: vec![two.id.clone(), one.id.clone()],
        shared_block_ids: vec![shared.id.clone()],
        ..group(ManagerType::RoundRobin)
    };
    groups::insert(&mut c, a, &kept, at(0)).await.unwrap();
    assert_eq!(groups::get(&mut c, a, &kept.id).await.unwrap(), Some(kept.clone()));
    kept.manager_type = ManagerType::Supervisor;
    kept.manager_agent_id = Some(two.id.clone());
    kept.agent_ids = vec![one.id.clone()];
    kept.hidden = Some(true);
    groups::update(&mut c, a, &kept, at(1)).await.unwrap();
    assert_eq!(groups::get_many(&mut c, a, std::slice::from_ref(&kept.id)).await.unwrap(), [kept.clone()]);
    let include = Include { groups: true, ..Include::NONE };
    let full = agents::full_many(&mut c, a, vec![one.clone(), two.clone()], include).await.unwrap();
    assert_eq!((full[0].group.clone(), full[1].group.clone()), (None, Some(kept.clone())));

    let other = group(ManagerType::Dynamic);
    groups::insert(&mut c, a, &other, at(2)).await.unwrap();
    let everything = GroupFilter { include_hidden: true, ..GroupFilter::default() };
    for (filter, expected) in [
        (GroupFilter::default(), vec![&other.id]),
        (everything.clone(), vec![&kept.id, &other.id]),
        (GroupFilter { manager_type: Some(ManagerType::Dynamic), ..everything.clone() }, vec![&other.id]),
        (GroupFilter { agent_id: Some(one.id.clone()), ..everything.clone() }, vec![&kept.id]),
        (GroupFilter { agent_id: Some(two.id.clone()), ..everything.clone() }, vec![&kept.id]),
        (GroupFilter { project_id: Some("q".into()), ..everything.clone() }, vec![]),
    ] {
        let found = groups::list(&mut c, a, &filter, &first(9, Order::Asc)).await.unwrap();
        assert_eq!(found.iter().map(|group| &group.id).collect::<Vec<_>>(), expected, "{filter:?}");
        assert_eq!(usize::try_from(groups::count(&mut c, a, &filter).await.unwrap()).unwrap(), expected.len());
    }
    // An agent that goes leaves its groups.
    agents::delete(&mut c, a, &one.id).await.unwrap();
    assert!(groups::get(&mut c, a, &kept.id).await.unwrap().unwrap().agent_ids.is_empty());
    assert!(groups::delete(&mut c, a, &kept.id).await.unwrap());
    assert!(!groups::delete(&mut c, a, &kept.id).await.unwrap());
}

async fn turns_are_counted(w: World) {
    let mut c = w.write().await;
    let kept = Group { turns_counter: Some(-1), ..group(ManagerType::Sleeptime) };
    groups::insert(&mut c, &w.actor, &kept, at(0)).await.unwrap();
    let mut counts = Vec::new();
    for _ in 0..5 {
        counts.push(groups::count_turn(&mut c, &w.actor, &kept.id, 3).await.unwrap());
    }
    assert_eq!(counts, [Some(0), Some(1), Some(2), Some(0), Some(1)]);
    assert_eq!(groups::count_turn(&mut c, &w.stranger, &kept.id, 3).await.unwrap(), None);
}

async fn what_is_said_is_listed_once_and_forgotten(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let one = agent("one");
    agents::insert(&mut c, a, &one).await.unwrap();
    let kept = Group { agent_ids: vec![one.id.clone()], ..group(ManagerType::RoundRobin) };
    groups::insert(&mut c, a, &kept, at(0)).await.unwrap();
    let run = run(&one.id);
    runs::insert(&mut c, a, &run).await.unwrap();
    let group_id = Some(kept.id.to_string());
    let asked = Message { group_id: group_id.clone(), ..message(&one.id, MessageRole::User, "hi", 0) };
    let copy = Message {
        group_id: group_id.clone(),
        sender_id: group_id,
        ..message(&one.id, MessageRole::User, "Two: hi", 1)
    };
    let said = Message { run_id: Some(run.id.clone()), ..message(&one.id, MessageRole::Assistant, "yes", 2) };
    let apart = message(&one.id, MessageRole::User, "elsewhere", 3);
    messages::append(&mut c, a, &[asked.clone(), copy.clone(), said.clone(), apart.clone()]).await.unwrap();
    groups::tag(&mut c, a, &run.id, &kept.id).await.unwrap();
    let listed = groups::listed(&mut c, a, &kept.id, &first(9, Order::Asc)).await.unwrap();
    assert_eq!(listed.iter().map(|message| &message.id).collect::<Vec<_>>(), [&asked.id, &said.id]);
    assert!(groups::listed(&mut c, &w.stranger, &kept.id, &Page::all()).await.unwrap().is_empty());
    assert!(groups::forget(&mut c, &w.stranger, &kept.id).await.unwrap().is_empty());
    assert_eq!(groups::forget(&mut c, a, &kept.id).await.unwrap().len(), 3);
    assert_eq!(messages::get(&mut c, a, &apart.id).await.unwrap().map(|message| message.id), Some(apart.id));
}

async fn groups_go_with_their_manager(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let boss = agent("boss");
    agents::insert(&mut c, a, &boss).await.unwrap();
    let kept = Group { manager_agent_id: Some(boss.id.clone()), ..group(ManagerType::Supervisor) };
    groups::insert(&mut c, a, &kept, at(0)).await.unwrap();
    agents::delete(&mut c, a, &boss.id).await.unwrap();
    assert_eq!(groups::get(&mut c, a, &kept.id).await.unwrap(), None);
}

async fn a_stranger_sees_and_changes_nothing(w: World) {
    let mut c = w.write().await;
    let mine = agent("mine");
    agents::insert(&mut c, &w.actor, &mine).await.unwrap();
    let kept = Group { agent_ids: vec![mine.id.clone()], ..group(ManagerType::RoundRobin) };
    groups::insert(&mut c, &w.actor, &kept, at(0)).await.unwrap();
    c.commit().await.unwrap();
    let s = &w.stranger;
    let mut c = w.write().await;
    assert_eq!(groups::get(&mut c, s, &kept.id).await.unwrap(), None);
    assert!(groups::list(&mut c, s, &GroupFilter::default(), &Page::all()).await.unwrap().is_empty());
    assert!(!groups::delete(&mut c, s, &kept.id).await.unwrap());
    assert!(matches!(groups::update(&mut c, s, &kept, at(1)).await, Err(StoreError::NotFound)));
    let taken = Group { agent_ids: vec![mine.id.clone()], ..group(ManagerType::RoundRobin) };
    assert!(matches!(groups::insert(&mut c, s, &taken, at(1)).await, Err(StoreError::NotFound)));
}
