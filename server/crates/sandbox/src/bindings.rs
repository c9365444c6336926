//! Host bindings, generated from `wit/`.

wasmtime::component::bindgen!({
    path: "../../../wit/tool-0.1.0",
    world: "tool",
    imports: { default: async },
    exports: { default: async },
});

/// Language runtimes. What they import, tools import too.
pub mod script {
    wasmtime::component::bindgen!({
        path: ["../../../wit/tool-0.1.0", "../../../wit/script-0.1.0"],
        world: "mneme:script/runtime",
        imports: { default: async },
        exports: { default: async },
        with: {
            "mneme:tool/memory@0.1.0": super::mneme::tool::memory,
            "mneme:tool/agent@0.1.0": super::mneme::tool::agent,
            "mneme:tool/log@0.1.0": super::mneme::tool::log,
            "mneme:tool/types@0.1.0": super::mneme::tool::types,
        },
    });
}
