//! Refusals of tools.

use mneme_domain::{AgentId, Order, Page, RunId, StepId, ToolId, policy::Denial};
use mneme_store::{
    denials::{self, Place},
    tools,
};
use uuid::Uuid;

use crate::{
    fixtures::{World, at, first, tool},
    on_both,
};

on_both!(equal_refusals_share_a_row, the_oldest_give_way, a_tool_that_is_not_kept_has_none);

fn denial(detail: impl Into<String>) -> Denial {
    Denial { capability: "network".into(), detail: detail.into() }
}

fn place(tool: &ToolId) -> Place<'_> {
    Place { tool, agent: None, run: None, step: None }
}

async fn equal_refusals_share_a_row(w: World) {
    let mut c = w.write().await;
    let own = tool("own");
    tools::insert(&mut c, &w.actor, &own, at(0)).await.unwrap();
    let agent = AgentId::from_uuid(Uuid::new_v4());
    let (runs, step) = ([0, 1].map(|_| RunId::from_uuid(Uuid::new_v4())), StepId::from_uuid(Uuid::new_v4()));
    for run in &runs {
        let place = Place { agent: Some(&agent), run: Some(run), step: Some(&step), ..place(&own.id) };
        denials::add(&mut c, &w.actor, &place, &[denial("GET http://a"), denial("GET http://b")]).await.unwrap();
    }
    denials::add(&mut c, &w.actor, &place(&own.id), &[denial("GET http://a")]).await.unwrap();
    let found = denials::list(&mut c, &w.actor, &own.id, &first(10, Order::Asc)).await.unwrap();
    let shown: Vec<_> = found.iter().map(|one| (one.detail.as_str(), one.agent_id.is_some(), one.count)).collect();
    assert_eq!(shown, [("GET http://a", true, 2), ("GET http://b", true, 2), ("GET http://a", false, 1)]);
    assert_eq!((&found[0].run_id, &found[0].step_id), (&Some(runs[1].clone()), &Some(step)), "the newest call");
    assert!(found[0].first_at <= found[0].last_at && found[0].capability == "network");

    let second = Page { after: Some(found[0].id.to_string()), ..first(1, Order::Asc) };
    assert_eq!(denials::list(&mut c, &w.actor, &own.id, &second).await.unwrap(), found[1..2]);
    let newest = denials::list(&mut c, &w.actor, &own.id, &first(1, Order::Desc)).await.unwrap();
    assert_eq!(newest, found[2..]);
    assert_eq!(denials::list(&mut c, &w.stranger, &own.id, &Page::all()).await.unwrap(), []);
    tools::delete(&mut c, &w.actor, &own.id).await.unwrap();
    assert_eq!(denials::list(&mut c, &w.actor, &own.id, &Page::all()).await.unwrap(), []);
}

async fn the_oldest_give_way(w: World) {
    let mut c = w.write().await;
    let (own, theirs) = (tool("own"), tool("theirs"));
    tools::insert(&mut c, &w.actor, &own, at(0)).await.unwrap();
    tools::insert(&mut c, &w.stranger, &theirs, at(0)).await.unwrap();
    denials::add(&mut c, &w.stranger, &place(&theirs.id), &[denial("theirs")]).await.unwrap();
    let many = denials::KEPT + 40;
    for start in (0..many).step_by(32) {
        let some: Vec<Denial> = (start..(start + 32).min(many)).map(|n| denial(n.to_string())).collect();
        denials::add(&mut c, &w.actor, &place(&own.id), &some).await.unwrap();
    }
    let kept = denials::list(&mut c, &w.actor, &own.id, &Page::all()).await.unwrap();
    assert_eq!(kept.len() as i64, denials::KEPT);
    assert_eq!((kept[0].detail.as_str(), kept.last().unwrap().detail.as_str()), ("40", "1039"));
    let others = denials::list(&mut c, &w.stranger, &theirs.id, &Page::all()).await.unwrap();
    assert_eq!(others.len(), 1, "another organisation's stay");
}

async fn a_tool_that_is_not_kept_has_none(w: World) {
    let mut c = w.write().await;
    let (tried, theirs) = (ToolId::from_uuid(Uuid::new_v4()), tool("theirs"));
    tools::insert(&mut c, &w.stranger, &theirs, at(0)).await.unwrap();
    for id in [&tried, &theirs.id] {
        denials::add(&mut c, &w.actor, &place(id), &[denial("x")]).await.unwrap();
        assert_eq!(denials::list(&mut c, &w.actor, id, &Page::all()).await.unwrap(), []);
    }
    assert_eq!(denials::list(&mut c, &w.stranger, &theirs.id, &Page::all()).await.unwrap(), []);
}
