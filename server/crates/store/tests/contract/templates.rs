//! Templates: kept under one name, with versions that never change, and seen by their own organisation only.

use mneme_domain::{
    Actor, DeploymentId, JsonObject, TemplateId,
    agent::AgentType,
    template::{
        Template, TemplateAgent, TemplateBlock, TemplateKind, TemplateSettings, TemplateState, TemplateVariables,
        TemplateVersion,
    },
};
use mneme_store::{
    Conn, StoreError, agents,
    templates::{self, TemplateFilter},
};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, agent, at, llm_config},
    on_both,
};

on_both!(
    a_template_is_kept_with_its_state,
    versions_are_counted_and_stay,
    a_name_is_an_organisations_once,
    lists_are_narrowed_and_cut,
    agents_are_found_by_deployment_and_by_template,
    a_stranger_sees_and_changes_nothing,
);

fn state(system: &str) -> TemplateState {
    TemplateState {
        agents: vec![TemplateAgent {
            model: "openai/gpt-4o-mini".into(),
            system_prompt: system.into(),
            tool_ids: Some(Vec::new()),
            source_ids: None,
            memory_variables: Some(TemplateVariables::named([TRICKY.to_owned()])),
            tool_variables: None,
            tags: Some(vec![TRICKY.into()]),
            identity_ids: None,
            tool_rules: Some(Vec::new()),
            agent_type: AgentType::LettaV1Agent,
            properties: None,
            entity_id: "agent-0".into(),
            name: TRICKY.into(),
            settings: TemplateSettings { llm_config: Some(llm_config()), ..TemplateSettings::default() },
        }],
        blocks: vec![TemplateBlock {
            entity_id: "block-0".into(),
            label: "human".into(),
            value: TRICKY.into(),
            limit: 200,
            description: String::new(),
            preserve_on_migration: None,
            read_only: true,
        }],
        relationships: Vec::new(),
        configuration: JsonObject::new(),
        kind: TemplateKind::Classic,
        version: String::new(),
    }
}

fn template(name: &str, seconds: i64) -> Template {
    Template {
        id: TemplateId::from_uuid(Uuid::new_v4()),
        name: name.into(),
        description: Some(TRICKY.into()),
        latest: 0,
        created_at: at(seconds),
        updated_at: at(seconds),
    }
}

async fn kept(c: &mut Conn, a: &Actor, name: &str, seconds: i64) -> Template {
    let template = template(name, seconds);
    templates::insert(c, a, &template, &state(name)).await.unwrap();
    template
}

fn version(number: i64, seconds: i64) -> TemplateVersion {
    let id = TemplateId::from_uuid(Uuid::new_v4());
    TemplateVersion { id, number, message: Some(TRICKY.into()), created_at: at(seconds) }
}

async fn a_template_is_kept_with_its_state(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let made = kept(&mut c, a, TRICKY, 0).await;
    assert_eq!(templates::by_name(&mut c, a, TRICKY).await.unwrap(), Some(made.clone()));
    assert_eq!(templates::working(&mut c, a, &made.id).await.unwrap(), state(TRICKY));
    templates::set_working(&mut c, a, &made.id, &state("other"), at(1)).await.unwrap();
    templates::describe(&mut c, a, &made.id, None, at(2)).await.unwrap();
    templates::rename(&mut c, a, &made.id, "new", at(3)).await.unwrap();
    assert_eq!(templates::by_name(&mut c, a, TRICKY).await.unwrap(), None);
    let changed = Template { name: "new".into(), description: None, updated_at: at(3), ..made.clone() };
    assert_eq!(templates::by_name(&mut c, a, "new").await.unwrap(), Some(changed));
    assert_eq!(templates::working(&mut c, a, &made.id).await.unwrap(), state("other"));
    assert!(templates::delete(&mut c, a, &made.id).await.unwrap());
    assert!(!templates::delete(&mut c, a, &made.id).await.unwrap());
    assert!(matches!(templates::working(&mut c, a, &made.id).await, Err(StoreError::NotFound)));
}

async fn versions_are_counted_and_stay(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let made = kept(&mut c, a, "one", 0).await;
    let (first, second) = (version(1, 1), version(2, 2));
    templates::add_version(&mut c, a, &made.id, &first, &state("first")).await.unwrap();
    templates::add_version(&mut c, a, &made.id, &second, &state("second")).await.unwrap();
    templates::set_working(&mut c, a, &made.id, &state("third"), at(3)).await.unwrap();
    assert_eq!(templates::by_name(&mut c, a, "one").await.unwrap().unwrap().latest, 2);
    let old = templates::version(&mut c, a, &made.id, 1).await.unwrap();
    assert_eq!(old, Some((first.clone(), state("first"))));
    assert_eq!(templates::version(&mut c, a, &made.id, 3).await.unwrap(), None);
    assert_eq!(templates::versions(&mut c, a, &made.id, 1, 0).await.unwrap(), (vec![second], 2));
    assert_eq!(templates::versions(&mut c, a, &made.id, 5, 1).await.unwrap(), (vec![first], 2));
    c.commit().await.unwrap();

    let mut c = w.write().await;
    let twice = templates::add_version(&mut c, a, &made.id, &version(2, 4), &state("x")).await;
    assert!(matches!(&twice, Err(StoreError::Conflict(rule)) if rule.starts_with("template_versions_")), "{twice:?}");
}

async fn a_name_is_an_organisations_once(w: World) {
    let mut c = w.write().await;
    kept(&mut c, &w.actor, "one", 0).await;
    kept(&mut c, &w.stranger, "one", 0).await;
    let twice = templates::insert(&mut c, &w.actor, &template("one", 1), &state("x")).await;
    assert!(matches!(&twice, Err(StoreError::Conflict(rule)) if rule == "templates_org_id_name"), "{twice:?}");
}

async fn lists_are_narrowed_and_cut(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let one = kept(&mut c, a, "Support 50%", 5).await;
    let two = kept(&mut c, a, "sales", 9).await;
    let three = kept(&mut c, a, "support again", 7).await;
    templates::add_version(&mut c, a, &two.id, &version(1, 6), &state("x")).await.unwrap();
    let all = TemplateFilter { limit: 10, ..TemplateFilter::default() };
    let ids = |found: Vec<Template>| found.into_iter().map(|template| template.id).collect::<Vec<_>>();
    let (one, two, three) = (one.id, two.id, three.id);
    for (filter, expected) in [
        (all.clone(), vec![three.clone(), two.clone(), one.clone()]),
        (TemplateFilter { by_creation: true, limit: 2, ..all.clone() }, vec![three.clone(), two.clone()]),
        (TemplateFilter { by_creation: true, offset: 2, ..all.clone() }, vec![one.clone()]),
        (TemplateFilter { search: Some("SUPPORT".into()), ..all.clone() }, vec![three, one.clone()]),
        (TemplateFilter { search: Some("50%".into()), ..all.clone() }, vec![one.clone()]),
        (TemplateFilter { name: Some("sales".into()), ..all.clone() }, vec![two.clone()]),
        (TemplateFilter { id: Some(one.to_string()), ..all.clone() }, vec![one]),
        (TemplateFilter { version: Some(1), ..all.clone() }, vec![two]),
        (TemplateFilter { version: Some(2), ..all }, vec![]),
    ] {
        assert_eq!(ids(templates::list(&mut c, a, &filter).await.unwrap()), expected, "{filter:?}");
    }
}

async fn agents_are_found_by_deployment_and_by_template(w: World) {
    let mut c = w.write().await;
    let a = &w.actor;
    let made = kept(&mut c, a, "one", 0).await;
    let deployment = DeploymentId::from_uuid(Uuid::new_v4()).to_string();
    let mut together = Vec::new();
    for name in ["a", "b"] {
        let mut one = agent(name);
        one.base_template_id = Some(made.id.to_string());
        one.deployment_id = Some(deployment.clone());
        agents::insert(&mut c, a, &one).await.unwrap();
        together.push(one.id);
    }
    let mut alone = agent("c");
    alone.base_template_id = Some(made.id.to_string());
    agents::insert(&mut c, a, &alone).await.unwrap();
    assert_eq!(templates::deployed(&mut c, a, &made.id, &deployment).await.unwrap(), together);
    together.push(alone.id);
    assert_eq!(templates::agents_of(&mut c, a, &made.id).await.unwrap(), together);
    let other = TemplateId::from_uuid(Uuid::new_v4());
    assert_eq!(templates::deployed(&mut c, a, &other, &deployment).await.unwrap(), []);
    assert!(templates::delete(&mut c, a, &made.id).await.unwrap());
    assert!(agents::get(&mut c, a, &together[0]).await.unwrap().is_some());
}

async fn a_stranger_sees_and_changes_nothing(w: World) {
    let mut c = w.write().await;
    let made = kept(&mut c, &w.actor, "one", 0).await;
    templates::add_version(&mut c, &w.actor, &made.id, &version(1, 1), &state("x")).await.unwrap();
    let s = &w.stranger;
    assert_eq!(templates::by_name(&mut c, s, "one").await.unwrap(), None);
    assert_eq!(templates::version(&mut c, s, &made.id, 1).await.unwrap(), None);
    assert_eq!(templates::versions(&mut c, s, &made.id, 9, 0).await.unwrap(), (Vec::new(), 0));
    assert!(matches!(templates::working(&mut c, s, &made.id).await, Err(StoreError::NotFound)));
    let renamed = templates::rename(&mut c, s, &made.id, "stolen", at(1)).await;
    assert!(matches!(renamed, Err(StoreError::NotFound)), "{renamed:?}");
    let set = templates::set_working(&mut c, s, &made.id, &state("stolen"), at(1)).await;
    assert!(matches!(set, Err(StoreError::NotFound)), "{set:?}");
    assert!(!templates::delete(&mut c, s, &made.id).await.unwrap());
    let filter = TemplateFilter { limit: 9, ..TemplateFilter::default() };
    assert!(templates::list(&mut c, s, &filter).await.unwrap().is_empty());
}
