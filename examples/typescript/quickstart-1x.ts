// An agent that remembers, with @letta-ai/letta-client 1.x (TypeScript): npm ci && npm run quickstart-1x
// MNEME_BASE_URL, MNEME_TOKEN, MNEME_MODEL and MNEME_EMBEDDING mean the same as in ../python/quickstart_1x.py.

import Letta, { NotFoundError } from "letta-client-1x";

const baseURL = process.env.MNEME_BASE_URL ?? "http://localhost:8283";

function expect(condition: unknown, complaint: string): asserts condition {
  if (!condition) throw new Error(`not as expected: ${complaint}`);
}

const user = (text: string) => [{ role: "user" as const, content: text }];

/** Print one message of a turn the way a log would. */
function show(message: any) {
  if (message.message_type === "tool_call_message")
    console.log(`    calls ${message.tool_call.name}(${message.tool_call.arguments})`);
  else if (message.message_type === "tool_return_message") console.log(`    ${message.status}: ${message.tool_return}`);
  else if (message.message_type === "assistant_message") console.log(`    says: ${message.content}`);
  else if (message.message_type === "reasoning_message") console.log(`    thinks: ${message.reasoning}`);
}

const client = new Letta({ baseURL, apiKey: process.env.MNEME_TOKEN ?? null });

const health = await client.health();
console.log(`Server ${health.version} at ${baseURL} is ${health.status}.`);
expect(health.status === "ok", `health says ${health.status}`);

const model = process.env.MNEME_MODEL ?? (await client.models.list())[0]?.handle;
expect(model, "the server lists no models; set a provider key such as OPENAI_API_KEY where it runs");
const embedding = process.env.MNEME_EMBEDDING ?? (await client.models.embeddings.list())[0]?.handle;

const agent = await client.agents.create({
  name: "quickstart-1x-typescript",
  model,
  ...(embedding ? { embedding } : {}),
  memory_blocks: [
    { label: "persona", value: "My name is Mo. I am a friendly assistant and I answer briefly." },
    { label: "human", value: "I know nothing about the user yet." },
  ],
});
console.log(`Created ${agent.id} on ${model} with the tools ${agent.tools.map((tool) => tool.name).join(", ")}.`);

try {
  console.log("\nOne question, one answer:");
  const greeting = "Hello! Who are you?";
  const answer = await client.agents.messages.create(agent.id, { messages: user(greeting) });
  answer.messages.forEach(show);
  const said: any = answer.messages.filter((message) => message.message_type === "assistant_message").at(-1);
  expect(said?.content, "the agent said nothing");
  expect(answer.stop_reason.stop_reason === "end_turn", `the turn ended with ${answer.stop_reason.stop_reason}`);
  console.log(`    (${answer.usage.total_tokens} tokens in ${answer.usage.step_count} step(s))`);

  console.log("\nA stream of steps, while the agent edits its memory:");
  const fact = "Please remember this in your memory: my name is Ada and I like green tea.";
  const kinds: string[] = [];
  for await (const event of await client.agents.messages.stream(agent.id, { messages: user(fact) })) {
    kinds.push(event.message_type ?? "unknown");
    show(event);
  }
  expect(kinds.includes("tool_call_message"), "the model did not call a memory tool; a stronger model will");
  const ending = kinds.slice(-2).join();
  expect(ending === "stop_reason,usage_statistics", `the stream ended with ${ending}`);

  const human = await client.agents.blocks.retrieve("human", { agent_id: agent.id });
  console.log(`\nThe block 'human' now says:\n    ${human.value}`);
  expect(human.value.includes("Ada"), "the memory block does not mention Ada");

  console.log("\nA stream of tokens:");
  const question = "Tell me in one sentence what you know about me.";
  const pieces: string[] = [];
  // The newer way to ask for a stream in this SDK: a parameter of `create`.
  const stream = await client.agents.messages.create(agent.id, {
    messages: user(question),
    streaming: true,
    stream_tokens: true,
  });
  for await (const event of stream) {
    if (event.message_type !== "assistant_message") continue;
    pieces.push(event.content as string);
    process.stdout.write(`${event.content}|`);
  }
  console.log();
  expect(pieces.length > 1, `${pieces.length} piece(s) came instead of a stream of tokens`);

  console.log("\nThe history that the server keeps:");
  const history: any[] = [];
  // The client fetches page after page while we iterate; a small page shows that it works.
  for await (const message of client.agents.messages.list(agent.id, { order: "asc", limit: 3 })) {
    history.push(message);
    console.log(`    ${message.date}  ${message.message_type}`);
  }
  const texts = (type: string) => history.filter((message) => message.message_type === type).map((m) => m.content);
  const asked = JSON.stringify(texts("user_message"));
  expect(asked === JSON.stringify([greeting, fact, question]), `the history holds ${asked}`);
  expect(texts("assistant_message").at(-1) === pieces.join(""), "the streamed answer is not the last in the history");
} finally {
  await client.agents.delete(agent.id);
}

const gone = await client.agents.retrieve(agent.id).then(
  () => undefined,
  (error: unknown) => error,
);
expect(gone instanceof NotFoundError, `the deleted agent answers ${gone ?? "as before"}`);
console.log("\nDeleted the agent. Everything was as expected.");
