//! What `#[tool]` and `#[derive(ToolSchema)]` make of Rust, seen through the mock host.

use mneme_tool_sdk::mock::MockHost;
use mneme_tool_sdk::{
    Agent, Block, HostError, Json, Level, Log, Memory, MemoryEditor, Tool, ToolError, ToolSchema, export_tools, tool,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How hot.
#[derive(Debug, Deserialize, ToolSchema)]
#[serde(rename_all = "kebab-case")]
enum Heat {
    LukeWarm,
    #[serde(rename = "HOT")]
    Hot,
}

/// A dish on the menu.
#[derive(Debug, Deserialize, ToolSchema)]
#[serde(rename_all = "camelCase")]
struct Dish {
    /// What it is called,
    /// in any language.
    dish_name: String,
    heat: Option<Heat>,
    #[serde(default)]
    portions: u8,
}

/// Orders dishes.
///
/// They are cooked in the order
/// in which they were given:
/// - one after the other
///
/// # Arguments
/// * `dishes` - What to cook.
/// * `tip` - How much
///   to give.
#[tool(name = "order")]
fn order_dishes(
    log: &Log,
    dishes: Vec<Dish>,
    #[arg("Whom to bill.")] guest: &str,
    #[arg(default = 0.5)] tip: f64,
    #[arg(default = "cash")] payment: String,
    urgent: Option<bool>,
) -> String {
    log.info("cooking");
    let heats = dishes.iter().map(|dish| (&dish.dish_name, &dish.heat, dish.portions));
    format!("{guest} {tip} {payment} {urgent:?} {:?}", heats.collect::<Vec<_>>())
}

#[test]
fn the_signature_becomes_the_schema() {
    let spec = order_dishes::spec();
    assert_eq!(spec.name, "order");
    assert_eq!(
        spec.description,
        "Orders dishes.\n\nThey are cooked in the order in which they were given:\n- one after the other"
    );
    assert!(spec.capabilities.is_empty());
    let heat = json!({"type": "string", "enum": ["luke-warm", "HOT"]});
    let name = json!({"type": "string", "description": "What it is called, in any language."});
    let dish = json!({
        "type": "object",
        "properties": {"dishName": name, "heat": heat, "portions": {"type": "integer"}},
        "required": ["dishName"],
    });
    assert_eq!(
        spec.parameters,
        json!({
            "type": "object",
            "properties": {
                "dishes": {"type": "array", "items": dish, "description": "What to cook."},
                "guest": {"type": "string", "description": "Whom to bill."},
                "tip": {"type": "number", "description": "How much to give."},
                "payment": {"type": "string"},
                "urgent": {"type": "boolean"},
            },
            "required": ["dishes", "guest"],
        })
    );
}

#[test]
fn arguments_are_typed_and_defaulted() {
    let host = MockHost::new();
    let dishes = json!([{"dishName": "soup", "heat": "HOT"}, {"dishName": "rice", "portions": 2}]);
    let answer = host.call::<order_dishes>(json!({"dishes": dishes, "guest": "Ada", "extra": 1}));
    assert_eq!(answer, Ok(r#"Ada 0.5 cash None [("soup", Some(Hot), 0), ("rice", None, 2)]"#.to_owned()));
    assert_eq!(host.logged(), [(Level::Info, "cooking".to_owned())]);

    let given = json!({"dishes": [], "guest": "Ada", "tip": 2, "payment": "card", "urgent": true});
    assert_eq!(host.call::<order_dishes>(given), Ok("Ada 2 card Some(true) []".to_owned()));
    let error = |arguments| match host.call::<order_dishes>(arguments) {
        Err(ToolError::InvalidArguments(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(error(json!({"dishes": []})).contains("`guest` is missing; it must be a string"));
    let cold = error(json!({"dishes": [{"dishName": "soup", "heat": "cold"}], "guest": "Ada"}));
    assert!(cold.contains("`dishes`") && cold.contains("cold"), "{cold}");
}

/// Copies a block.
#[tool]
fn copy_block(
    memory: &MemoryEditor,
    reader: &Memory<'_>,
    agent: &Agent,
    from: String,
    to: String,
) -> Result<Json<Copied>, ToolError> {
    let value = reader.block(&from)?.value;
    memory.set(&to, &value)?;
    Ok(Json(Copied { by: agent.id(), zone: agent.timezone(), at: agent.now(), blocks: memory.blocks()?.len() }))
}

#[derive(Serialize)]
struct Copied {
    by: String,
    zone: String,
    at: i64,
    blocks: usize,
}

export_tools!(order_dishes, copy_block);

#[test]
fn references_are_capabilities() {
    let spec = copy_block::spec();
    assert_eq!(spec.capabilities, ["memory-read", "memory-write"]);
    assert_eq!(spec.parameters["required"], json!(["from", "to"]));

    let host = MockHost::new().with_block("a", "text").with_block("b", "").at(42).in_timezone("Asia/Tokyo");
    let answer = host.call::<copy_block>(json!({"from": "a", "to": "b"}));
    assert_eq!(
        answer.expect("copied"),
        r#"{"by":"agent-00000000-0000-4000-8000-000000000000","zone":"Asia/Tokyo","at":42,"blocks":2}"#
    );
    assert_eq!(host.value("b").as_deref(), Some("text"));
}

#[test]
fn the_mock_enforces_what_the_host_enforces() {
    let block = |label: &str, limit, read_only| Block {
        label: label.into(),
        value: "long text".into(),
        description: None,
        limit,
        read_only,
    };
    let host =
        MockHost::new().with(block("a", 100, false)).with(block("small", 3, false)).with(block("fixed", 100, true));
    let failure = |to: &str| match host.call::<copy_block>(json!({"from": "a", "to": to})) {
        Err(ToolError::Failed(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(failure("small").contains("at most 3 characters"));
    assert!(failure("fixed").contains("read-only"));
    assert!(failure("absent").contains("no memory block `absent`"));
    assert_eq!(host.writes(), 0);

    let denied = MockHost::new().refusing(HostError::Denied("not for you".into()));
    assert_eq!(
        denied.call::<copy_block>(json!({"from": "a", "to": "b"})),
        Err(ToolError::Denied("not for you".into()))
    );
}

#[test]
fn a_component_lists_its_tools() {
    let names: Vec<_> = exported_tools().iter().map(|tool| tool.spec().name).collect();
    assert_eq!(names, ["order", "copy_block"]);
}
