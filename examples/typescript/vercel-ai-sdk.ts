// An agent behind the Vercel AI SDK, with @letta-ai/vercel-ai-sdk-provider: npm ci && npm run vercel-ai-sdk
// MNEME_BASE_URL, MNEME_TOKEN and MNEME_MODEL mean the same as in ../python/quickstart_1x.py.

import { createLetta } from "@letta-ai/vercel-ai-sdk-provider";
import { generateText, streamText } from "ai";
import { LettaClient } from "letta-client-0x";

const baseUrl = process.env.MNEME_BASE_URL ?? "http://localhost:8283";
const token = process.env.MNEME_TOKEN ?? "none";

function expect(condition: unknown, complaint: string): asserts condition {
  if (!condition) throw new Error(`not as expected: ${complaint}`);
}

const client = new LettaClient({ baseUrl, token });
const model = process.env.MNEME_MODEL ?? (await client.models.list())[0]?.handle;
expect(model, "the server lists no models; set a provider key such as OPENAI_API_KEY where it runs");
const agent = await client.agents.create({
  name: "vercel-ai-sdk",
  model,
  memoryBlocks: [{ label: "human", value: "I know nothing about the user yet." }],
});

try {
  const letta = createLetta({ baseUrl, token });
  // The agent knows its model, its memory and its tools; the provider only names the agent.
  const providerOptions = { agent: { id: agent.id } };

  const { text } = await generateText({ model: letta(), providerOptions, prompt: "My name is Ada." });
  console.log(`generated: ${text}`);
  expect(text.length > 0, "no text was generated");

  let streamed = "";
  const result = streamText({ model: letta(), providerOptions, prompt: "Please remember my name in your memory." });
  for await (const part of result.fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "tool-call") console.log(`called: ${part.toolName}`);
    if (part.type === "text-delta") streamed += part.text;
  }
  console.log(`streamed: ${streamed}`);
  expect(streamed.length > 0, "no text was streamed");

  const human = await client.agents.blocks.retrieve(agent.id, "human");
  console.log(`The block 'human' now says: ${human.value}`);
  expect(human.value.includes("Ada"), "the memory block does not mention Ada; a stronger model will remember");
} finally {
  await client.agents.delete(agent.id);
}
console.log("Everything was as expected.");
