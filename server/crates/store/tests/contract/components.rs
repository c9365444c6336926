//! Compiled code that users uploaded as tools.

use mneme_store::tools::{self, PackedCode};

use crate::{
    fixtures::{World, at, tool},
    on_both,
};

on_both!(code_is_kept_once_and_as_long_as_a_tool_is_in_it, code_belongs_to_its_organisation);

async fn code_is_kept_once_and_as_long_as_a_tool_is_in_it(w: World) {
    let bytes: Vec<u8> = (0..300_000_u32).map(|number| (number % 251) as u8).collect();
    let code = PackedCode::of(&bytes).unwrap();
    assert_eq!(code.hash(), tools::code_hash(&bytes));
    let mut c = w.write().await;
    let (one, two) = (tool("one"), tool("two"));
    for tool in [&one, &two] {
        tools::insert(&mut c, &w.actor, tool, at(0)).await.unwrap();
        assert_eq!(tools::component_of(&mut c, &w.actor, &tool.id).await.unwrap(), None);
        tools::put_code(&mut c, &w.actor, &code, at(1)).await.unwrap();
        assert!(tools::set_component(&mut c, &w.actor, &tool.id, Some(code.hash())).await.unwrap());
    }
    tools::sweep_code(&mut c, &w.actor).await.unwrap();
    assert_eq!(tools::component_of(&mut c, &w.actor, &two.id).await.unwrap().as_deref(), Some(code.hash()));
    assert_eq!(tools::code(&mut c, &w.actor, code.hash()).await.unwrap().as_deref(), Some(&bytes[..]));

    // One tool goes, the other becomes something else; then nobody is in the code.
    assert!(tools::delete(&mut c, &w.actor, &one.id).await.unwrap());
    assert!(tools::code(&mut c, &w.actor, code.hash()).await.unwrap().is_some());
    assert!(tools::set_component(&mut c, &w.actor, &two.id, None).await.unwrap());
    tools::sweep_code(&mut c, &w.actor).await.unwrap();
    assert_eq!(tools::code(&mut c, &w.actor, code.hash()).await.unwrap(), None);

    let empty = PackedCode::of(&[]).unwrap();
    tools::put_code(&mut c, &w.actor, &empty, at(2)).await.unwrap();
    assert_eq!(tools::code(&mut c, &w.actor, empty.hash()).await.unwrap(), Some(Vec::new()));
}

async fn code_belongs_to_its_organisation(w: World) {
    let code = PackedCode::of(b"code").unwrap();
    let mut c = w.write().await;
    let mine = tool("mine");
    tools::insert(&mut c, &w.actor, &mine, at(0)).await.unwrap();
    tools::put_code(&mut c, &w.actor, &code, at(0)).await.unwrap();
    assert!(tools::set_component(&mut c, &w.actor, &mine.id, Some(code.hash())).await.unwrap());
    assert_eq!(tools::component_of(&mut c, &w.stranger, &mine.id).await.unwrap(), None);
    assert_eq!(tools::code(&mut c, &w.stranger, code.hash()).await.unwrap(), None);
    assert!(!tools::set_component(&mut c, &w.stranger, &mine.id, None).await.unwrap());
    tools::sweep_code(&mut c, &w.stranger).await.unwrap();
    assert!(tools::code(&mut c, &w.actor, code.hash()).await.unwrap().is_some());
    assert_eq!(tools::code(&mut c, &w.actor, "unknown").await.unwrap(), None);
}
