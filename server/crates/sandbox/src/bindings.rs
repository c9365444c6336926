//! Host bindings, generated from `wit/`.

wasmtime::component::bindgen!({
    path: "../../../wit/tool-0.1.0",
    world: "tool",
    imports: { default: async },
    exports: { default: async },
});
