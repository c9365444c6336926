//! Variables of an organisation.

use mneme_store::variables;

use crate::{
    fixtures::{TRICKY, World},
    on_both,
};

on_both!(a_variable_is_set_listed_without_its_value_and_removed, only_those_that_are_named_stay);

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn a_variable_is_set_listed_without_its_value_and_removed(w: World) {
    let mut c = w.write().await;
    variables::set(&mut c, &w.actor, "TOKEN", "first").await.unwrap();
    let before = variables::list(&mut c, &w.actor).await.unwrap();
    variables::set(&mut c, &w.actor, "TOKEN", TRICKY).await.unwrap();
    variables::set(&mut c, &w.actor, "ABC", "").await.unwrap();
    let after = variables::list(&mut c, &w.actor).await.unwrap();
    let keys: Vec<&str> = after.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["ABC", "TOKEN"]);
    assert_eq!((&after[1].id, after[1].created_at), (&before[0].id, before[0].created_at));
    assert!(after[1].updated_at >= before[0].updated_at);
    assert!(!serde_json::to_string(&after).unwrap().contains("single"), "the value is not shown");
    assert_eq!(variables::values(&mut c, &w.actor).await.unwrap(), pairs(&[("ABC", ""), ("TOKEN", TRICKY)]));

    assert_eq!(variables::list(&mut c, &w.stranger).await.unwrap(), []);
    assert_eq!(variables::values(&mut c, &w.stranger).await.unwrap(), []);
    assert!(!variables::delete(&mut c, &w.stranger, "TOKEN").await.unwrap());
    variables::set(&mut c, &w.stranger, "TOKEN", "theirs").await.unwrap();
    assert_eq!(variables::values(&mut c, &w.stranger).await.unwrap(), pairs(&[("TOKEN", "theirs")]));
    assert!(variables::delete(&mut c, &w.actor, "TOKEN").await.unwrap());
    assert!(!variables::delete(&mut c, &w.actor, "TOKEN").await.unwrap());
    assert_eq!(variables::count(&mut c, &w.actor).await.unwrap(), 1);
    assert_eq!(variables::count(&mut c, &w.stranger).await.unwrap(), 1);
}

async fn only_those_that_are_named_stay(w: World) {
    let mut c = w.write().await;
    for key in ["A", "B", "C"] {
        variables::set(&mut c, &w.actor, key, key).await.unwrap();
        variables::set(&mut c, &w.stranger, key, key).await.unwrap();
    }
    variables::keep_only(&mut c, &w.actor, vec!["B".into(), "D".into()]).await.unwrap();
    assert_eq!(variables::values(&mut c, &w.actor).await.unwrap(), pairs(&[("B", "B")]));
    variables::keep_only(&mut c, &w.actor, Vec::new()).await.unwrap();
    assert_eq!(variables::values(&mut c, &w.actor).await.unwrap(), []);
    assert_eq!(variables::values(&mut c, &w.stranger).await.unwrap().len(), 3);
}
