//! Providers and their secrets.

use mneme_domain::{Page, ProviderId};
use mneme_store::{
    StoreError,
    providers::{self, StoredProvider},
};
use uuid::Uuid;

use crate::{
    fixtures::{TRICKY, World, at},
    on_both,
};

on_both!(every_field_survives, the_operators_providers_are_kept_up_to_date);

fn provider(name: &str) -> StoredProvider {
    StoredProvider {
        id: ProviderId::from_uuid(Uuid::new_v4()),
        name: name.into(),
        provider_type: "openai".into(),
        category: "byok".into(),
        base_url: Some("http://localhost/v1".into()),
        api_key: Some(TRICKY.into()),
        access_key: None,
        region: Some("eu".into()),
        api_version: None,
        created_at: at(0),
        updated_at: at(1),
    }
}

async fn every_field_survives(w: World) {
    let mut c = w.write().await;
    let mut one = provider("one");
    let two = StoredProvider { provider_type: "anthropic".into(), ..provider("two") };
    providers::insert(&mut c, &w.actor, &one).await.unwrap();
    providers::insert(&mut c, &w.actor, &two).await.unwrap();
    assert_eq!(providers::get(&mut c, &w.actor, &one.id).await.unwrap(), Some(one.clone()));
    assert!(!format!("{one:?}").contains("single"), "secrets stay out of logs");
    let all = providers::list(&mut c, &w.actor, None, None, &Page::all()).await.unwrap();
    assert_eq!(all, [one.clone(), two.clone()]);
    assert_eq!(
        providers::list(&mut c, &w.actor, Some("two"), None, &Page::all()).await.unwrap(),
        std::slice::from_ref(&two)
    );
    assert_eq!(
        providers::list(&mut c, &w.actor, None, Some("openai"), &Page::all()).await.unwrap(),
        std::slice::from_ref(&one)
    );
    assert_eq!(providers::list(&mut c, &w.actor, Some("two"), Some("openai"), &Page::all()).await.unwrap(), []);

    one = StoredProvider {
        api_key: None,
        access_key: Some("second".into()),
        base_url: None,
        region: None,
        api_version: Some("v2".into()),
        updated_at: at(2),
        ..one
    };
    providers::update(&mut c, &w.actor, &one).await.unwrap();
    assert_eq!(providers::get(&mut c, &w.actor, &one.id).await.unwrap(), Some(one.clone()));
    assert!(providers::delete(&mut c, &w.actor, &one.id).await.unwrap());
    assert!(!providers::delete(&mut c, &w.actor, &one.id).await.unwrap());
    assert!(matches!(providers::update(&mut c, &w.actor, &one).await, Err(StoreError::NotFound)));
    let taken = providers::insert(&mut c, &w.actor, &provider("two")).await;
    assert!(matches!(taken, Err(StoreError::Conflict(rule)) if rule == "providers_org_id_name"));
}

async fn the_operators_providers_are_kept_up_to_date(w: World) {
    let mut c = w.write().await;
    let made = providers::upsert_base(&mut c, &w.actor, "openai", "openai", None).await.unwrap();
    assert_eq!((made.category.as_str(), &made.base_url), ("base", &None));
    let same = providers::upsert_base(&mut c, &w.actor, "openai", "openai", None).await.unwrap();
    assert_eq!(same, made);
    let moved = providers::upsert_base(&mut c, &w.actor, "openai", "vllm", Some("http://localhost")).await.unwrap();
    assert_eq!(
        (&moved.id, moved.provider_type.as_str(), moved.base_url.as_deref()),
        (&made.id, "vllm", Some("http://localhost"))
    );

    let own = provider("mine");
    providers::insert(&mut c, &w.actor, &own).await.unwrap();
    let kept = providers::upsert_base(&mut c, &w.actor, "mine", "anthropic", None).await.unwrap();
    assert_eq!(kept, own, "what a user added is not taken over");
}
