// An agent that remembers, with @letta-ai/letta-client 0.x (TypeScript): npm ci && npm run quickstart-0x
// MNEME_BASE_URL, MNEME_TOKEN, MNEME_MODEL and MNEME_EMBEDDING mean the same as in ../python/quickstart_0x.py.

import { LettaClient, LettaError, type Letta } from "letta-client-0x";

const baseUrl = process.env.MNEME_BASE_URL ?? "http://localhost:8283";
const token = process.env.MNEME_TOKEN;

function expect(condition: unknown, complaint: string): asserts condition {
  if (!condition) throw new Error(`not as expected: ${complaint}`);
}

const user = (text: string): Letta.MessageCreate[] => [{ role: "user", content: text }];

/** Print one message of a turn the way a log would. */
function show(message: any) {
  if (message.messageType === "tool_call_message")
    console.log(`    calls ${message.toolCall.name}(${message.toolCall.arguments})`);
  else if (message.messageType === "tool_return_message") console.log(`    ${message.status}: ${message.toolReturn}`);
  else if (message.messageType === "assistant_message") console.log(`    says: ${message.content}`);
  else if (message.messageType === "reasoning_message") console.log(`    thinks: ${message.reasoning}`);
}

/** This SDK drops the answer of its own call for embedding models, so ask the server directly. */
async function embeddingHandle(): Promise<string | undefined> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const answer = await fetch(`${baseUrl}/v1/models/embedding`, { headers });
  expect(answer.ok, `the list of embedding models answers ${answer.status}`);
  return (await answer.json())[0]?.handle;
}

const client = new LettaClient({ baseUrl, token });

const health = await client.health.check();
console.log(`Server ${health.version} at ${baseUrl} is ${health.status}.`);
expect(health.status === "ok", `health says ${health.status}`);

const model = process.env.MNEME_MODEL ?? (await client.models.list())[0]?.handle;
expect(model, "the server lists no models; set a provider key such as OPENAI_API_KEY where it runs");
const embedding = process.env.MNEME_EMBEDDING ?? (await embeddingHandle());

const agent = await client.agents.create({
  name: "quickstart-0x-typescript",
  model,
  ...(embedding ? { embedding } : {}),
  memoryBlocks: [
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
  const said: any = answer.messages.filter((message) => message.messageType === "assistant_message").at(-1);
  expect(said?.content, "the agent said nothing");
  expect(answer.stopReason.stopReason === "end_turn", `the turn ended with ${answer.stopReason.stopReason}`);
  console.log(`    (${answer.usage.totalTokens} tokens in ${answer.usage.stepCount} step(s))`);

  console.log("\nA stream of steps, while the agent edits its memory:");
  const fact = "Please remember this in your memory: my name is Ada and I like green tea.";
  const kinds: string[] = [];
  for await (const event of await client.agents.messages.createStream(agent.id, { messages: user(fact) })) {
    kinds.push(event.messageType ?? "unknown");
    show(event);
  }
  expect(kinds.includes("tool_call_message"), "the model did not call a memory tool; a stronger model will");
  const ending = kinds.slice(-2).join();
  expect(ending === "stop_reason,usage_statistics", `the stream ended with ${ending}`);

  const human = await client.agents.blocks.retrieve(agent.id, "human");
  console.log(`\nThe block 'human' now says:\n    ${human.value}`);
  expect(human.value.includes("Ada"), "the memory block does not mention Ada");

  console.log("\nA stream of tokens:");
  const question = "Tell me in one sentence what you know about me.";
  const pieces: string[] = [];
  const stream = await client.agents.messages.createStream(agent.id, { messages: user(question), streamTokens: true });
  for await (const event of stream) {
    if (event.messageType !== "assistant_message") continue;
    pieces.push(event.content as string);
    process.stdout.write(`${event.content}|`);
  }
  console.log();
  expect(pieces.length > 1, `${pieces.length} piece(s) came instead of a stream of tokens`);

  console.log("\nThe history that the server keeps:");
  const history: any[] = await client.agents.messages.list(agent.id, { order: "asc", limit: 100 });
  for (const message of history) console.log(`    ${message.date.toISOString()}  ${message.messageType}`);
  const texts = (type: string) => history.filter((message) => message.messageType === type).map((m) => m.content);
  const asked = JSON.stringify(texts("user_message").slice(-3));
  expect(asked === JSON.stringify([greeting, fact, question]), `the history holds ${asked}`);
  expect(texts("assistant_message").at(-1) === pieces.join(""), "the streamed answer is not the last in the history");
} finally {
  await client.agents.delete(agent.id);
}

const gone = await client.agents.retrieve(agent.id).then(
  () => undefined,
  (error: unknown) => error,
);
expect(gone instanceof LettaError && gone.statusCode === 404, `the deleted agent answers ${gone ?? "as before"}`);
console.log("\nDeleted the agent. Everything was as expected.");
