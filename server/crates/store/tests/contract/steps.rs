//! Steps, their measures and traces.

use mneme_domain::{
    Page, RunId, StepId,
    run::StopReason,
    step::{Feedback, ProviderTrace, Step, StepStatus},
};
use mneme_store::{
    StoreError, agents,
    steps::{self, StepFilter},
};
use uuid::Uuid;

use crate::{
    fixtures::{World, agent, at, step, trace},
    on_both,
};

on_both!(every_field_survives, feedback_is_set_and_taken_back, lists_are_filtered, old_traces_go_and_steps_stay);

async fn every_field_survives(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let run = RunId::from_uuid(Uuid::new_v4());
    let (full, metrics) = step(&owner.id, Some(&run), &w.actor);
    let full = Step { feedback: Some(Feedback::Positive), stop_reason: Some(StopReason::MaxSteps), ..full };
    let wire = trace(&full.id);
    steps::insert(&mut c, &w.actor, &full, &metrics, Some(&wire), &[]).await.unwrap();
    assert_eq!(steps::get(&mut c, &w.actor, &full.id).await.unwrap(), Some(full.clone()));
    assert_eq!(steps::metrics(&mut c, &w.actor, &full.id).await.unwrap(), Some(metrics));
    let kept = steps::trace(&mut c, &w.actor, &full.id).await.unwrap().unwrap();
    assert_eq!(kept, wire);
    assert_eq!(kept.request_json.to_string(), wire.request_json.to_string(), "keys keep their order");

    let (bare, _) = step(&owner.id, None, &w.actor);
    let bare = Step {
        origin: None,
        agent_id: None,
        provider_id: None,
        model: None,
        total_tokens: None,
        completion_tokens_details: None,
        tags: vec![],
        trace_id: None,
        error_data: None,
        status: Some(StepStatus::Failed),
        ..bare
    };
    let (_, metrics) = step(&owner.id, None, &w.actor);
    steps::insert(&mut c, &w.actor, &bare, &metrics, None, &[]).await.unwrap();
    assert_eq!(steps::get(&mut c, &w.actor, &bare.id).await.unwrap(), Some(bare.clone()));
    assert_eq!(steps::trace(&mut c, &w.actor, &bare.id).await.unwrap(), None);

    let nobody = StepId::from_uuid(Uuid::new_v4());
    assert_eq!(steps::get(&mut c, &w.actor, &nobody).await.unwrap(), None);
    assert_eq!(steps::metrics(&mut c, &w.actor, &nobody).await.unwrap(), None);
    let (homeless, metrics) = step(&agent("nobody").id, None, &w.actor);
    let homeless = steps::insert(&mut c, &w.actor, &homeless, &metrics, None, &[]).await;
    assert!(matches!(homeless, Err(StoreError::NotFound)));
}

async fn feedback_is_set_and_taken_back(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let (step, metrics) = step(&owner.id, None, &w.actor);
    steps::insert(&mut c, &w.actor, &step, &metrics, None, &[]).await.unwrap();
    let set = steps::set_feedback(&mut c, &w.actor, &step.id, Some(Feedback::Negative), None).await.unwrap();
    assert_eq!(set, Some(Step { feedback: Some(Feedback::Negative), ..step.clone() }));
    let tags = vec!["slow".to_owned(), "wrong".to_owned()];
    let taken_back = steps::set_feedback(&mut c, &w.actor, &step.id, None, Some(tags.clone())).await.unwrap();
    assert_eq!(taken_back, Some(Step { tags, ..step }));
    let nobody = StepId::from_uuid(Uuid::new_v4());
    assert_eq!(steps::set_feedback(&mut c, &w.actor, &nobody, Some(Feedback::Positive), None).await.unwrap(), None);
}

async fn lists_are_filtered(w: World) {
    let mut c = w.write().await;
    let one = agent("one");
    let two = agent("two");
    agents::insert(&mut c, &w.actor, &one).await.unwrap();
    agents::insert(&mut c, &w.actor, &two).await.unwrap();
    let run = RunId::from_uuid(Uuid::new_v4());
    let mut all = Vec::new();
    for (index, owner) in [&one, &one, &two].into_iter().enumerate() {
        let (mut step, metrics) = step(&owner.id, (index == 1).then_some(&run), &w.actor);
        step.created_at = at(i64::try_from(index).unwrap());
        match index {
            0 => step.feedback = Some(Feedback::Positive),
            1 => {
                step.model = Some("other".into());
                step.tags = vec!["a%".into(), "b".into()];
                step.feedback = Some(Feedback::Negative);
            }
            _ => {
                step.trace_id = Some("trace-2".into());
                step.project_id = Some("p".into());
                step.tags = vec!["b".into()];
            }
        }
        steps::insert(&mut c, &w.actor, &step, &metrics, None, &[]).await.unwrap();
        all.push(step);
    }
    let none = StepFilter::default;
    let cases: Vec<(StepFilter, &[usize])> = vec![
        (none(), &[0, 1, 2]),
        (StepFilter { agent_id: Some(one.id.clone()), ..none() }, &[0, 1]),
        (StepFilter { run_id: Some(run), ..none() }, &[1]),
        (StepFilter { model: Some("other".into()), ..none() }, &[1]),
        (StepFilter { feedback: Some(Feedback::Positive), ..none() }, &[0]),
        (StepFilter { has_feedback: Some(true), ..none() }, &[0, 1]),
        (StepFilter { has_feedback: Some(false), ..none() }, &[2]),
        (StepFilter { start: Some(at(1)), ..none() }, &[1, 2]),
        (StepFilter { end: Some(at(1)), ..none() }, &[0, 1]),
        (StepFilter { tags: vec!["b".into()], ..none() }, &[1, 2]),
        (StepFilter { tags: vec!["a%".into(), "fast".into()], ..none() }, &[0, 1]),
        (StepFilter { tags: vec!["a".into()], ..none() }, &[]),
        (StepFilter { trace_ids: vec!["trace-2".into(), "x".into()], ..none() }, &[2]),
        (StepFilter { project_id: Some("p".into()), ..none() }, &[2]),
    ];
    for (filter, expected) in cases {
        let found = steps::list(&mut c, &w.actor, &filter, &Page::all()).await.unwrap();
        let expected: Vec<Step> = expected.iter().map(|index| all[*index].clone()).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let page = Page { before: Some(all[2].id.to_string()), limit: 1, ..Page::all() };
    assert_eq!(steps::list(&mut c, &w.actor, &none(), &page).await.unwrap(), all[1..2]);
}

async fn old_traces_go_and_steps_stay(w: World) {
    let mut c = w.write().await;
    let owner = agent("owner");
    agents::insert(&mut c, &w.actor, &owner).await.unwrap();
    let mut kept = Vec::new();
    for second in 0..4 {
        let (one, metrics) = step(&owner.id, None, &w.actor);
        let wire = ProviderTrace { created_at: at(second), ..trace(&one.id) };
        steps::insert(&mut c, &w.actor, &one, &metrics, Some(&wire), &[]).await.unwrap();
        kept.push(one.id);
    }
    assert_eq!(steps::forget_traces(&mut c, at(3), 2).await.unwrap(), 2, "the oldest go first");
    let mut left = Vec::new();
    for id in &kept {
        left.push(steps::trace(&mut c, &w.actor, id).await.unwrap().is_some());
        assert!(steps::get(&mut c, &w.actor, id).await.unwrap().is_some());
    }
    assert_eq!(left, [false, false, true, true]);
    assert_eq!(steps::forget_traces(&mut c, at(3), 2).await.unwrap(), 1);
    assert_eq!(steps::forget_traces(&mut c, at(3), 2).await.unwrap(), 0, "the last is not older than that");
}
