//! Tools as their users write them, unchanged, in the real server's sandbox.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use mneme_tests::{Postgres, Provider, Reply, Server};
use serde_json::{Value, json};

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn tool(name: &str) -> String {
    file(&format!("tests/tools/{name}.py"))
}

async fn run(server: &Server, body: Value) -> Value {
    let (status, answer) = server.post("/v1/tools/run", &body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// What a Python tool returns for these arguments, when it succeeds.
async fn returned(server: &Server, name: &str, args: Value) -> String {
    let answer = run(server, json!({ "source_code": tool(name), "args": args })).await;
    assert_eq!(answer["status"], "success", "{answer}");
    answer["tool_return"].as_str().unwrap().to_owned()
}

async fn create_tool(server: &Server, body: Value) -> Value {
    let (status, tool) = server.post("/v1/tools/", &body).await;
    assert_eq!(status, 200, "{tool}");
    tool
}

async fn create_agent(server: &Server, name: &str, more: Value) -> String {
    let mut body = json!({
        "name": name, "agent_type": "letta_v1_agent", "model": "openai/gpt-4o-mini",
        "embedding": "openai/text-embedding-3-small",
        "memory_blocks": [{"label": "human", "value": "Likes tea."}, {"label": "persona", "value": "Kind."}],
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, agent) = server.post("/v1/agents/", &body).await;
    assert_eq!(status, 200, "{agent}");
    agent["id"].as_str().unwrap().to_owned()
}

/// Has the model call a tool; the call's return message.
async fn called(server: &Server, provider: &Provider, agent: &str, name: &str, arguments: Value) -> Value {
    provider.reply(Reply::tool_call(name, arguments)).reply(Reply::text("done"));
    let message = json!({ "messages": [{ "role": "user", "content": "go" }] });
    let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert_eq!(status, 200, "{answer}");
    let messages = answer["messages"].as_array().unwrap();
    messages.iter().find(|message| message["message_type"] == "tool_return_message").unwrap().clone()
}

#[tokio::test]
async fn tools_from_the_world_run_unchanged() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let order = json!({"items": [{"name": "tea", "price": 2.5, "count": 4}, {"name": "cup", "price": 3}], "notes": {"gift": "yes"}});
    assert_eq!(returned(&server, "orders", json!({ "order": order })).await, "13.00 EUR (gift=yes)");
    let models = returned(&server, "models", json!({ "url": provider.base_url() })).await;
    assert!(models.ends_with("models, application/json"), "{models}");
    let table = "category,amount\nfood,3.5\nbooks,10\nfood,1.5\n";
    assert_eq!(returned(&server, "spending", json!({ "table": table })).await, "{'books': 10.0, 'food': 5.0}");
    let due = returned(&server, "due", json!({ "start": "2026-03-26", "days": 3 })).await;
    assert_eq!(due, "Tuesday, 31 March 2026 12:00 +0200");
    let text = "Ann <ann@example.org>, +49 30 1234567, bob@example.com";
    let found = returned(&server, "contacts", json!({ "text": text })).await;
    assert_eq!(found, "['ann@example.org', 'bob@example.com', '+49 30 1234567']");
    assert_eq!(returned(&server, "gather", json!({ "words": ["a", "b"] })).await, "A B");
}

#[tokio::test]
async fn a_typescript_tool_makes_blocks() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "function rethinkMemory(agentState: AgentState, newMemory: string, label: string): void {\n  /**\n   * Writes a block.\n   \
                  *\n   * @param newMemory - What.\n   * @param label - Which.\n   */\n  \
                  if (agentState.memory.getBlock(label) === null) {\n    agentState.memory.createBlock(label, newMemory);\n  }\n  \
                  agentState.memory.updateBlockValue(label, newMemory);\n}\n";
    let made = create_tool(&server, json!({ "source_code": source, "source_type": "typescript" })).await;
    let agent = create_agent(&server, "thinker", json!({ "tool_ids": [made["id"]] })).await;
    for label in ["human", "fresh", "fresh"] {
        let args = json!({ "newMemory": format!("new {label}"), "label": label });
        let answer = called(&server, &provider, &agent, "rethinkMemory", args).await;
        assert_eq!(answer["status"], "success", "{answer}");
        let (status, block) = server.get(&format!("/v1/agents/{agent}/core-memory/blocks/{label}")).await;
        assert_eq!((status, &block["value"]), (200, &json!(format!("new {label}"))), "{block}");
    }
}

#[tokio::test]
async fn a_tool_finds_its_server_beside_it() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "def rename_block(agent_id: str, value: str, base_url: str):\n    \"\"\"Writes a block of another agent.\n\n    \
                  Args:\n        agent_id: Which.\n        value: What.\n        base_url: Where.\n    \"\"\"\n    \
                  from letta_client import Letta\n    client = Letta(base_url=base_url)\n    \
                  client.agents.blocks.modify(agent_id=agent_id, block_label='human', value=value)\n";
    let made = create_tool(&server, json!({ "source_code": source })).await;
    let writer = create_agent(&server, "writer", json!({ "tool_ids": [made["id"]] })).await;
    let other = create_agent(&server, "other", json!({})).await;
    let port = server.url().rsplit_once(':').unwrap().1.to_owned();
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let args = json!({ "agent_id": other, "value": host, "base_url": format!("http://{host}:{port}") });
        let answer = called(&server, &provider, &writer, "rename_block", args).await;
        assert_eq!(answer["status"], "success", "{answer}");
        let (_, block) = server.get(&format!("/v1/agents/{other}/core-memory/blocks/human")).await;
        assert_eq!(block["value"], host);
    }
    let args = json!({ "agent_id": other, "value": "x", "base_url": "http://localhost:9" });
    let answer = called(&server, &provider, &writer, "rename_block", args).await;
    assert!(answer["status"] == "error" && answer["tool_return"].to_string().contains("not public"), "{answer}");
}

#[tokio::test]
async fn errors_name_the_authors_own_lines() {
    let server = Server::builder().start().await;
    let answer = run(&server, json!({ "source_code": tool("withdraw"), "args": { "amount": 500 } })).await;
    assert_eq!(answer["status"], "error");
    let text = answer["tool_return"].as_str().unwrap();
    assert!(text.starts_with("Error executing function withdraw: ") && text.contains("500 is more than 100"), "{text}");
    assert_eq!(answer["stdout"], json!(["checking\n"]));
    let trace = answer["stderr"].to_string();
    assert!(trace.contains("line 7, in check") && trace.contains("line 19, in withdraw"), "{trace}");

    let source = "export function f(a: string) {\n  type T = string;\n\n  throw new TypeError('no ' + a);\n}";
    let schema = json!({"name": "f", "description": "x", "parameters": {"type": "object", "properties": {"a": {"type": "string"}}}});
    let body = json!({"source_code": source, "source_type": "typescript", "json_schema": schema, "args": {"a": "way"}});
    let answer = run(&server, body).await;
    assert_eq!(answer["tool_return"], "Error executing function f: TypeError: no way");
    assert!(answer["stderr"].to_string().contains("tool.ts:4"), "{answer}");
}

#[tokio::test]
async fn a_typescript_tool_is_any_function_and_gets_what_its_types_say() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let doc = "/**\n * Joins words.\n * @param words The words.\n */\n";
    for function in [
        "export const join = (words: string[], times?: number) => words.join('-').repeat(times ?? 1);",
        "export const join = async (words: string[], times: number = 1): Promise<string> => {\n  return words.join('-').repeat(times);\n};",
        "export const join = async function (words: string[], times: number = 1) { return words.join('-').repeat(times); };",
        "export const join = ({ words, times = 1 }: { words: string[]; times?: number }) => words.join('-').repeat(times);",
        "export default function join(words: string[], times: number = 1) { return words.join('-').repeat(times); }",
        "const join = (words: string[], times?: number) => words.join('-').repeat(times ?? 1);\nexport default join;",
    ] {
        let tool = json!({ "source_code": format!("{doc}{function}\n"), "source_type": "typescript" });
        let mut call = tool.clone();
        call["args"] = json!({ "words": "[\"a\", 1]", "times": "2" });
        let answer = run(&server, call).await;
        assert_eq!(answer["tool_return"], "a-1a-1", "{function}: {answer}");
        let mut call = tool.clone();
        call["args"] = json!({ "words": ["a", { "b": 1 }], "times": "often", "how": "x" });
        let answer = run(&server, call).await;
        let expected = "Error executing function join: words[1]: must be a string\ntimes: must be a number\n\
                        how: there is no such argument";
        assert_eq!((&answer["status"], &answer["tool_return"]), (&json!("error"), &json!(expected)), "{function}");
        let mut call = tool;
        call["args"] = json!({ "times": null });
        let answer = run(&server, call).await;
        assert_eq!(answer["tool_return"], "Error executing function join: words: this argument is required");
    }
}

#[tokio::test]
async fn a_python_tool_gets_the_objects_that_its_annotations_name() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let made = create_tool(&server, json!({ "source_code": tool("plan_trip") })).await;
    let properties = &made["json_schema"]["parameters"]["properties"];
    let formats: Vec<&str> = ["at", "day", "hour", "length", "ticket", "folder", "until"]
        .map(|name| properties[name]["format"].as_str().unwrap_or("none"))
        .into();
    assert_eq!(formats, ["date-time", "date", "time", "duration", "uuid", "path", "date-time"], "{properties}");
    let args = json!({
        "at": "2026-01-31T12:00:00Z", "day": "2026-02-01", "hour": "09:30", "length": "PT90M",
        "ticket": "12345678-1234-4234-8234-123456789abc", "price": "19.99", "folder": "/a/b", "data": "hé",
        "tags": ["b", "a", "a"], "pair": ["1", "2026-03-04"], "color": "red", "share": "0.5", "until": null,
    });
    let expected = "2026-01-31T12:00:00+00:00 2026 9 5400.0 4 20.99 b 3 a,b 5 RED 1.0 None";
    assert_eq!(returned(&server, "plan_trip", args.clone()).await, expected);

    let mut wrong = args;
    for (name, value) in
        [("at", "soon"), ("day", "31.1."), ("hour", "noon"), ("ticket", "7"), ("price", "much"), ("color", "green")]
    {
        wrong[name] = value.into();
    }
    let answer = run(&server, json!({ "source_code": tool("plan_trip"), "args": wrong })).await;
    let expected = "Error executing function plan_trip: at: must be a date and time such as 2025-01-31T12:00:00Z\n\
                    day: must be a date such as 2025-01-31\nhour: must be a time such as 12:30:00\n\
                    ticket: must be a UUID\nprice: must be a decimal number\ncolor: must be one of 'red', 'blue'";
    assert_eq!((&answer["status"], &answer["tool_return"]), (&json!("error"), &json!(expected)));
}

#[tokio::test]
async fn a_class_after_the_manner_of_base_tool_is_a_tool() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let made = create_tool(&server, json!({ "source_code": tool("archive_search") })).await;
    let words = json!({ "type": "array", "items": { "type": "string" }, "description": "Words to look for." });
    let limit = json!({ "type": "integer", "minimum": 1, "description": "How many lines to show." });
    let expected = json!({
        "name": "Search_the_archive",
        "description": "Finds lines of the archive that have all of the words.",
        "parameters": { "type": "object", "properties": { "words": words, "limit": limit }, "required": ["words"] },
    });
    assert_eq!((&made["name"], &made["json_schema"]), (&json!("Search_the_archive"), &expected));

    let agent = create_agent(&server, "reader", json!({ "tool_ids": [made["id"]] })).await;
    let arguments = json!({ "words": ["green", "apple"] });
    let answer = called(&server, &provider, &agent, "Search_the_archive", arguments).await;
    assert_eq!(answer["tool_return"], "green apple; small green apple", "{answer}");
    let arguments = json!({ "words": ["green"], "limit": 0 });
    let answer = called(&server, &provider, &agent, "Search_the_archive", arguments).await;
    let told = answer["tool_return"].as_str().unwrap();
    assert!(answer["status"] == "error" && told.contains("limit"), "{answer}");

    let source = "from letta_client.client import BaseTool\n\nclass Stock(BaseTool):\n    name: str = \"count_stock\"\n    \
                  description: str = \"Counts the stock.\"\n\n    def run(self, shelf: int, row: int = 1) -> int:\n        \
                  return shelf * 10 + row\n";
    let answer = run(&server, json!({ "source_code": source, "args": { "shelf": "4" } })).await;
    assert_eq!(answer["tool_return"], "41", "{answer}");
    let answer = run(&server, json!({ "source_code": source, "args": { "row": 1 } })).await;
    assert_eq!(answer["tool_return"], "Error executing function count_stock: shelf: this argument is required");
}

#[tokio::test]
async fn a_tool_edits_the_memory_of_its_agent_and_no_edit_is_half() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        let rename = create_tool(&server, json!({ "source_code": tool("rename_human") })).await;
        let fails = "def fails(agent_state: 'AgentState') -> str:\n    \"\"\"Fails half-way.\"\"\"\n    \
                     agent_state.memory.update_block_value('human', 'gone')\n    raise ValueError('stop')\n";
        let fails = create_tool(&server, json!({ "source_code": fails })).await;
        let method = "def note(\n    self, content: str\n) -> Optional[str]:\n    \"\"\"Notes.\n\n    Args:\n        content (str): What.\n    \"\"\"\n    \
                      self.memory.update_block_value('persona', self.memory.get_block('persona').value + content)\n";
        let method = create_tool(&server, json!({ "source_code": method })).await;
        let ids = json!([rename["id"], fails["id"], method["id"]]);
        let agent = create_agent(&server, "scribe", json!({ "tool_ids": ids })).await;
        let answer = called(&server, &provider, &agent, "rename_human", json!({ "name": "Ada" })).await;
        assert_eq!(answer["tool_return"], "scribe knows Ada, blocks: human, persona", "{answer}");
        let answer = called(&server, &provider, &agent, "fails", json!({})).await;
        assert_eq!(answer["status"], "error", "{answer}");
        let (_, block) = server.get(&format!("/v1/agents/{agent}/core-memory/blocks/human")).await;
        assert_eq!(block["value"], "Likes tea.\nName: Ada");
        let answer = called(&server, &provider, &agent, "note", json!({ "content": " Calm." })).await;
        assert_eq!(answer["status"], "success", "{answer}");
        let (_, block) = server.get(&format!("/v1/agents/{agent}/core-memory/blocks/persona")).await;
        assert_eq!(block["value"], "Kind. Calm.");
    }
}

#[tokio::test]
async fn a_tool_sees_the_variables_of_its_own_agent_and_a_models_program_none() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let sign = create_tool(&server, json!({ "source_code": file("../examples/tools/signature.py") })).await;
    let weather = json!({ "source_code": file("../examples/tools/weather.ts"), "source_type": "typescript" });
    let weather = create_tool(&server, weather).await;
    let equipped = |key: &str| {
        json!({
            "tool_ids": [sign["id"], weather["id"]], "tools": ["run_code"],
            "tool_exec_environment_variables": { "SIGNING_KEY": key, "WEATHER_API_KEY": "w" },
        })
    };
    let one = create_agent(&server, "one", equipped("canary-one")).await;
    let two = create_agent(&server, "two", equipped("canary-two")).await;
    let first = called(&server, &provider, &one, "sign", json!({ "payload": "x" })).await;
    let second = called(&server, &provider, &two, "sign", json!({ "payload": "x" })).await;
    assert_eq!(first["tool_return"], "4dec82eb64fd0d100dab71da0ef16d43efb3e43e710a59d4aa562ae2bb89c617", "{first}");
    assert_ne!(first["tool_return"], second["tool_return"]);
    let sky = called(&server, &provider, &one, "weather", json!({ "city": "Rome", "fahrenheit": true })).await;
    assert_eq!(
        (&sky["tool_return"], &sky["stdout"]),
        (&json!("69.80000000000001 degrees, clear"), &json!(["looked up Rome\n"]))
    );

    let code = "import os\nprint(sorted(k for k in os.environ if 'KEY' in k or 'LETTA' in k))\n6 * 7";
    let ran = called(&server, &provider, &one, "run_code", json!({ "code": code, "language": "python" })).await;
    let report: Value = serde_json::from_str(ran["tool_return"].as_str().unwrap()).unwrap();
    assert_eq!(report["results"], json!(["42"]), "{report}");
    assert_eq!(report["logs"]["stdout"], json!(["[]\n"]), "{report}");
    let prompts =
        format!("{:?}", provider.requests().iter().map(|request| request.body.to_string()).collect::<Vec<_>>());
    assert!(!prompts.contains("canary") && !server.log().contains("canary"));
}

#[tokio::test]
async fn temporary_files_are_those_of_one_call() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "import os\nimport tempfile\n\ndef keep(text: str) -> str:\n    \"\"\"Keeps a text.\n\n    Args:\n        \
                  text: What to keep.\n    \"\"\"\n    before = os.listdir('/tmp')\n    \
                  with tempfile.NamedTemporaryFile('w', suffix='.txt', delete=False) as file:\n        file.write(text)\n    \
                  with open(file.name) as file:\n        return f'{before} {file.name[:5]} {file.read()}'\n";
    let keep = create_tool(&server, json!({ "source_code": source })).await;
    let agent = create_agent(&server, "keeper", json!({ "tool_ids": [keep["id"]], "tools": ["run_code"] })).await;
    for word in ["one", "two"] {
        let answer = called(&server, &provider, &agent, "keep", json!({ "text": word })).await;
        assert_eq!(answer["tool_return"], format!("[] /tmp/ {word}"), "{answer}");
    }
    let code = "import os\nbefore = os.listdir('/tmp')\nwith open('/tmp/a.txt', 'w') as file:\n    file.write('x' * 1000)\n\
                [before, os.path.getsize('/tmp/a.txt')]";
    for _ in 0..2 {
        let ran = called(&server, &provider, &agent, "run_code", json!({ "code": code, "language": "python" })).await;
        let report: Value = serde_json::from_str(ran["tool_return"].as_str().unwrap()).unwrap();
        assert_eq!(report["results"], json!(["[[], 1000]"]), "{report}");
    }
    let code = "with open('/tmp/big', 'wb') as file:\n    for _ in range(100):\n        file.write(bytes(1 << 20))";
    let ran = called(&server, &provider, &agent, "run_code", json!({ "code": code, "language": "python" })).await;
    let report: Value = serde_json::from_str(ran["tool_return"].as_str().unwrap()).unwrap();
    assert_eq!(report["error"]["name"], "OSError", "{report}");
}

#[tokio::test]
async fn run_code_runs_three_languages_and_names_them_for_others() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let agent = create_agent(&server, "coder", json!({ "tools": ["run_code"] })).await;
    for (code, language, result) in [
        ("[x ** 2 for x in range(4)]", "python", json!(["[0, 1, 4, 9]"])),
        ("const x = [1, 2].map((n) => n * 2); x.join('-')", "js", json!(["'2-4'"])),
        ("enum E { A = 7 }\nconst n: number = E.A;\nn + 1", "ts", json!(["8"])),
        ("x = 1", "python", json!([])),
    ] {
        let ran = called(&server, &provider, &agent, "run_code", json!({ "code": code, "language": language })).await;
        let report: Value = serde_json::from_str(ran["tool_return"].as_str().unwrap()).unwrap();
        assert_eq!(report["results"], result, "{report}");
    }
    let ran = called(&server, &provider, &agent, "run_code", json!({ "code": "1/0", "language": "python" })).await;
    let report: Value = serde_json::from_str(ran["tool_return"].as_str().unwrap()).unwrap();
    assert_eq!((&ran["status"], &report["error"]["name"]), (&json!("error"), &json!("ZeroDivisionError")), "{report}");
    let missing = json!({ "code": "import numpy.linalg", "language": "python" });
    let ran = called(&server, &provider, &agent, "run_code", missing).await;
    assert!(ran["tool_return"].as_str().unwrap().contains("run `mneme runtimes install python-data`"), "{ran}");
    let ran = called(&server, &provider, &agent, "run_code", json!({ "code": "1", "language": "r" })).await;
    assert!(ran["tool_return"].as_str().unwrap().contains("python, js and ts"), "{ran}");
}

#[tokio::test]
async fn a_tool_asks_another_agent_and_cannot_wait_for_itself() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let ask = create_tool(&server, json!({ "source_code": tool("ask_agent") })).await;
    let oracle = create_agent(&server, "oracle", json!({})).await;
    let asker = create_agent(&server, "asker", json!({ "tool_ids": [ask["id"]] })).await;
    provider.reply_to("what is it?", Reply::text("forty-two"));
    let arguments = json!({ "agent_id": oracle, "question": "what is it?" });
    let answer = called(&server, &provider, &asker, "ask_agent", arguments).await;
    assert_eq!(answer["tool_return"], "oracle: forty-two", "{answer}");

    let arguments = json!({ "agent_id": asker, "question": "who am I?" });
    let answer = called(&server, &provider, &asker, "ask_agent", arguments).await;
    assert_eq!(answer["status"], "error");
    assert!(answer["tool_return"].as_str().unwrap().contains("409"), "{answer}");
}

#[tokio::test]
async fn packages_are_fetched_once_and_native_ones_are_refused() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "import cowsay\n\ndef moo(text: str) -> str:\n    \"\"\"Moos.\n\n    Args:\n        text: What\n    \"\"\"\n    \
                  return cowsay.get_output_string('cow', text)\n";
    let body =
        |packages: Value| json!({ "source_code": source, "args": { "text": "hi" }, "pip_requirements": packages });
    let answer = run(&server, body(json!([{ "name": "cowsay", "version": "6.1" }]))).await;
    assert!(answer["tool_return"].as_str().unwrap().contains("| hi |"), "{answer}");
    let answer = run(&server, body(json!([{ "name": "cowsay" }, { "name": "numpy", "version": "2.0.0" }]))).await;
    assert!(answer["tool_return"].as_str().unwrap().contains("only packages of pure Python"), "{answer}");
    let (status, refused) = server.post("/v1/tools/run", &body(json!([{ "name": "--index-url=http://x" }]))).await;
    assert_eq!(status, 400, "{refused}");

    let source = "import ms from \"ms\";\n/**\n * Reads a span of time.\n * @param text Such as 2h.\n */\n\
                  export function span(text: string): number {\n  return ms(text);\n}\n";
    let packages = json!([{ "name": "ms", "version": "2.1.3" }]);
    let body = json!({ "source_code": source, "source_type": "typescript", "args": { "text": "2h" }, "npm_requirements": packages });
    let answer = run(&server, body).await;
    assert_eq!(answer["tool_return"], "7200000", "{answer}");

    let source = "import utc from \"dayjs/plugin/utc\";\nimport dayjs from \"dayjs\";\ndayjs.extend(utc);\n/** Begins time. */\n\
                  export function begin(): string {\n  return dayjs.utc(0).format();\n}\n";
    let packages = json!([{ "name": "dayjs", "version": "1.11.13" }]);
    let body = json!({ "source_code": source, "source_type": "typescript", "args": {}, "npm_requirements": packages });
    let answer = run(&server, body).await;
    assert_eq!(answer["tool_return"], "1970-01-01T00:00:00Z", "{answer}");

    // What asks for them where it needs them, as older files do.
    let source = "/** Begins time. */\nfunction begin() {\n  const dayjs = require('dayjs');\n  \
                  dayjs.extend(require(\"dayjs/plugin/utc\"));\n  return dayjs.utc(0).format();\n}\n";
    let packages = json!([{ "name": "dayjs", "version": "1.11.13" }]);
    let body = json!({ "source_code": source, "source_type": "javascript", "args": {}, "npm_requirements": packages });
    let answer = run(&server, body).await;
    assert_eq!(answer["tool_return"], "1970-01-01T00:00:00Z", "{answer}");
}

#[tokio::test]
async fn what_the_runtime_brings_need_not_be_fetched_and_errors_show_the_authors_lines() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "import yaml\nfrom jinja2 import Template\n\ndef fill() -> str:\n    \"\"\"Fills.\"\"\"\n    \
                  return Template(yaml.safe_load('text: a{{ b }}')['text']).render(b=1)\n";
    let packages = json!([{ "name": "PyYAML", "version": "6.0" }, { "name": "jinja2" }]);
    let answer = run(&server, json!({ "source_code": source, "args": {}, "pip_requirements": packages })).await;
    assert_eq!(answer["tool_return"], "a1", "{answer}");

    let source = "/**\n * Greets.\n * @param {object} who\n * @param {string} who.name\n */\nfunction greet({ name }) {\n  \
                  return 'Hello ' + name;\n}\n\nmodule.exports = { greet };\n";
    let body = json!({ "source_code": source, "source_type": "javascript", "args": { "name": "Ada" } });
    let answer = run(&server, body).await;
    assert_eq!(answer["tool_return"], "Hello Ada", "{answer}");

    let source = "import x from \"absent\";\n/** Fails. */\nexport function fail(): number {\n  return x();\n}\n";
    let answer = run(&server, json!({ "source_code": source, "source_type": "typescript", "args": {} })).await;
    let told = answer["stderr"].to_string();
    assert!(told.contains("tool.ts:1\\nimport x from") && !told.contains("__packages"), "{answer}");
}

#[tokio::test]
async fn a_function_without_a_name_is_a_tool_once_it_is_given_one() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "interface Task { id: number; title: string; done?: boolean }\nconst KINDS = ['open', 'all'] as const;\n\
                  /** Lists tasks. */\nexport default async function <K extends (typeof KINDS)[number]>(kind: K, tasks: \
                  Omit<Task, 'id'>[]) {\n  return tasks.filter((task) => kind === 'all' || !task.done).map((task) => \
                  task.title).join();\n}\n[1, 2].map(String);\n";
    let tasks = json!([{ "title": "one" }, { "title": "two", "done": true }]);
    let body =
        json!({ "source_code": source, "source_type": "typescript", "args": { "kind": "open", "tasks": tasks } });
    let (status, refused) = server.post("/v1/tools/run", &body).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("exported by default has no name"), "{refused}");
    let mut named = body.clone();
    named["name"] = "list_tasks".into();
    let answer = run(&server, named.clone()).await;
    assert_eq!(answer["tool_return"], "one", "{answer}");
    named["args"]["kind"] = "none".into();
    let answer = run(&server, named).await;
    assert!(answer["tool_return"].as_str().unwrap().contains("kind: must be one of"), "{answer}");

    let tool = json!({ "source_code": source, "source_type": "typescript", "json_schema": { "name": "list_tasks" } });
    let tool = create_tool(&server, tool).await;
    assert_eq!(tool["name"], "list_tasks", "{tool}");
    let parameters = &tool["json_schema"]["parameters"]["properties"];
    assert_eq!(parameters["kind"], json!({ "type": "string", "enum": ["open", "all"] }), "{tool}");
    assert_eq!(parameters["tasks"]["items"]["required"], json!(["title"]), "{tool}");
}

#[tokio::test]
async fn a_tools_policy_holds_and_no_tool_widens_it() {
    for url in [None, Some(Postgres::shared().create_database())] {
        let provider = Provider::start().await;
        let mut builder = Server::builder().provider(&provider);
        if let Some(url) = &url {
            builder = builder.database_url(url);
        }
        let server = builder.start().await;
        let look = create_tool(&server, json!({ "source_code": tool("models") })).await;
        let widen = "import os\nimport requests\n\ndef widen(tool_id: str) -> str:\n    \"\"\"Widens.\n\n    Args:\n        \
                     tool_id: Which\n    \"\"\"\n    url = f\"{os.environ['LETTA_BASE_URL']}/v1/tools/{tool_id}/policy\"\n    \
                     answer = requests.put(url, json={})\n    return f'{answer.status_code} {answer.text}'\n";
        let widen = create_tool(&server, json!({ "source_code": widen })).await;
        let agent = create_agent(&server, "bounded", json!({ "tool_ids": [look["id"], widen["id"]] })).await;
        let arguments = json!({ "url": provider.base_url() });
        let answer = called(&server, &provider, &agent, "count_models", arguments.clone()).await;
        assert_eq!(answer["status"], "success", "{answer}");

        let path = format!("/v1/tools/{}/policy", look["id"].as_str().unwrap());
        let put = async |path: &str, body: Value| {
            let answer = server.http().put(format!("{}{path}", server.url())).json(&body).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let (status, policy) =
            put(&path, json!({ "network": { "allow": ["api.example.com"] }, "wall_ms": 5000 })).await;
        assert_eq!((status, &policy["effective"]["network"]["allow"]), (200, &json!(["api.example.com"])), "{policy}");
        assert_eq!((policy["kind"].clone(), server.get(&path).await.1), (json!("python"), policy));
        let answer = called(&server, &provider, &agent, "count_models", arguments.clone()).await;
        assert!(answer["tool_return"].as_str().unwrap().contains("denied"), "{answer}");
        let answer = called(&server, &provider, &agent, "widen", json!({ "tool_id": look["id"] })).await;
        assert!(answer["tool_return"].as_str().unwrap().starts_with("403 "), "{answer}");

        assert_eq!(put(&path, json!({})).await.0, 200);
        let (status, _) =
            put("/v1/tools/policy-ceiling", json!({ "capabilities": ["api"], "memory_bytes": 128 << 20 })).await;
        assert_eq!(status, 200);
        let answer = called(&server, &provider, &agent, "count_models", arguments).await;
        assert_eq!(answer["status"], "error", "the ceiling takes the network away: {answer}");
        for bad in [json!({ "memory": 1 }), json!({ "cpu_ms": 0 }), json!({ "capabilities": ["root"] }), json!([])] {
            assert_eq!(put(&path, bad.clone()).await.0, 422, "{bad}");
        }
        let nobody = "/v1/tools/tool-00000000-0000-4000-8000-000000000000/policy";
        assert_eq!((put(nobody, json!({})).await.0, server.get(nobody).await.0), (404, 404));
    }
}

#[tokio::test]
async fn this_machine_and_its_network_are_out_of_reach() {
    let canary = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = canary.local_addr().unwrap().port();
    let server = Server::builder().start().await;
    let source = "import requests\n\ndef look(url: str) -> str:\n    \"\"\"Looks.\n\n    Args:\n        url: Where\n    \"\"\"\n    \
                  return requests.get(url, timeout=5).text\n";
    for host in ["127.0.0.1", "localhost", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "user@127.0.0.1", "0.0.0.0"] {
        let url = format!("http://{host}:{port}/");
        let answer = run(&server, json!({ "source_code": source, "args": { "url": url } })).await;
        assert_eq!(answer["status"], "error", "{host}: {answer}");
    }
    let answer =
        run(&server, json!({ "source_code": source, "args": { "url": "http://169.254.169.254/latest" } })).await;
    assert!(answer["tool_return"].as_str().unwrap().contains("denied"), "{answer}");
    let seen = tokio::time::timeout(std::time::Duration::from_millis(200), canary.accept()).await;
    assert!(seen.is_err(), "somebody connected");
}

#[tokio::test]
async fn a_tool_is_called_for_its_agent_without_a_turn() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let source = "import os\n\ndef greet(name: str) -> str:\n    \"\"\"Greets.\n\n    Args:\n        name: Whom.\n    \"\"\"\n    print('greeting')\n    return os.environ['GREETING'] + ' ' + name\n";
    let tool = create_tool(&server, json!({ "source_code": source })).await;
    let agent =
        create_agent(&server, "host", json!({ "tool_ids": [tool["id"]], "secrets": { "GREETING": "Salve" } })).await;
    let (status, answer) =
        server.post(&format!("/v1/agents/{agent}/tools/greet/run"), &json!({ "args": { "name": "Ada" } })).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!((&answer["status"], &answer["func_return"]), (&json!("success"), &json!("Salve Ada")), "{answer}");
    assert_eq!(answer["stdout"], json!(["greeting\n"]));
    assert!(provider.chats().is_empty(), "the model has no part in it");
}

#[tokio::test]
async fn modules_are_imported_in_the_middle_of_a_program_or_refused_with_a_reason() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let import = async |module: &str| {
        let source = format!(
            "/** Joins. */\nexport async function join(a: string): Promise<string> {{\n  \
             return (await import({module})).join(a, 'b');\n}}\n"
        );
        run(&server, json!({ "source_code": source, "source_type": "typescript", "args": { "a": "path" } })).await
    };
    assert_eq!(import("'node:path'").await["tool_return"], "path/b");
    for (module, reason) in [("a", "the name of a module in quotes"), ("'left-pad'", "npm_requirements")] {
        let answer = import(module).await;
        assert_eq!(answer["status"], "error", "{answer}");
        assert!(answer["tool_return"].as_str().unwrap().contains(reason), "{answer}");
    }

    let source = "/** Begins time. */\nexport async function begin(): Promise<string> {\n  \
                  const dayjs = (await import(\"dayjs\")).default;\n  \
                  dayjs.extend((await import(\"dayjs/plugin/utc\")).default);\n  return dayjs.utc(0).format();\n}\n";
    let packages = json!([{ "name": "dayjs", "version": "1.11.13" }]);
    let body = json!({ "source_code": source, "source_type": "typescript", "args": {}, "npm_requirements": packages });
    let answer = run(&server, body).await;
    assert_eq!(answer["tool_return"], "1970-01-01T00:00:00Z", "{answer}");
}

#[tokio::test]
async fn one_tool_makes_edits_renames_and_takes_away_memory_blocks() {
    let provider = Provider::start().await;
    let server = Server::start(&provider).await;
    let agent = create_agent(&server, "traveller", json!({ "tools": ["memory"] })).await;
    let path = "/memories/trips";
    let create = json!({ "command": "create", "path": path, "file_text": "Rome", "description": "Where we went." });
    let replace = json!({ "command": "str_replace", "path": path, "old_string": "Rome", "new_string": "Rome, Oslo" });
    provider.reply(Reply::tool_call("memory", create)).reply(Reply::tool_call("memory", replace));
    provider.reply(Reply::text("Noted."));
    let message = json!({ "messages": [{ "role": "user", "content": "We were in Oslo." }] });
    let (status, answer) = server.post(&format!("/v1/agents/{agent}/messages"), &message).await;
    assert_eq!(status, 200, "{answer}");
    let prompt = provider.chats().pop().unwrap().system_prompt();
    assert!(prompt.contains("Rome, Oslo") && prompt.contains("Where we went."), "{answer}\n{prompt}");

    let rename = json!({ "command": "rename", "old_path": path, "new_path": "/memories/travels" });
    let renamed = called(&server, &provider, &agent, "memory", rename).await;
    assert_eq!(renamed["status"], "success", "{renamed}");
    let block = format!("/v1/agents/{agent}/core-memory/blocks/travels");
    let (status, found) = server.get(&block).await;
    assert_eq!((status, &found["value"]), (200, &json!("Rome, Oslo")), "{found}");
    let delete = json!({ "command": "delete", "path": "/memories/travels" });
    let deleted = called(&server, &provider, &agent, "memory", delete.clone()).await;
    assert_eq!(deleted["status"], "success", "{deleted}");
    assert_eq!(server.get(&block).await.0, 404);
    let refused = called(&server, &provider, &agent, "memory", delete).await;
    assert!(refused["tool_return"].as_str().unwrap().contains("There is no memory block `travels`"), "{refused}");
}
