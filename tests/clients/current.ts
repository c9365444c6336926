// Walks through @letta-ai/letta-client 1.x (TypeScript) and stops at the first surprise.

import { Letta, toFile } from "letta-client-1x";

import { baseUrl, collected, embedding, expect, model, ROLL } from "./walk.js";

const client = new Letta({ baseURL: baseUrl, apiKey: "none", maxRetries: 0 });
const NOBODY = "agent-00000000-0000-4000-8000-000000000000";

async function refused(error: any, call: () => PromiseLike<unknown>): Promise<any> {
  try {
    await call();
  } catch (caught) {
    expect(caught instanceof error, `${caught} is no ${error.name}`);
    return caught;
  }
  expect(false, `no ${error.name}`);
}

/** The items of a list, the same in one page and in many. */
async function walked(what: string, list: (limit: number) => AsyncIterable<any>, least = 3): Promise<any[]> {
  const keys = (items: any[]) => items.map((item) => [item.id, item.message_type].join(" "));
  const whole = await collected(list(100));
  const pages = await collected(list(2));
  expect(whole.length >= least, `${whole.length} ${what}`);
  expect(keys(whole).join() === keys(pages).join(), `${what} come otherwise in pages`);
  return whole;
}

const tool = await client.tools.create({ source_code: ROLL, tags: ["games"] });
expect((await client.tools.search({ query: "die" }))[0]!.tool.id === tool.id, "a tool is not found by its words");
await walked("tools", (limit) => client.tools.list({ limit }));
for (const number of [0, 1, 2]) {
  await client.agents.create({ name: `agent-${number}`, model, embedding, tools: ["roll"], tags: ["walk"] });
}
const agents = await walked("agents", (limit) => client.agents.list({ limit, tags: ["walk"], order: "asc" }));
const agent: string = agents[0].id;
await walked("tools of an agent", (limit) => client.agents.tools.list(agent, { limit }));
expect((await client.agents.recompile(agent)).includes("memory"), "a prompt is not written");
console.log("Tools and agents are made, listed and found.");

await client.agents.messages.create(agent, { input: "Hello" });
const turn = { messages: [{ role: "user" as const, content: 'CALL roll {"sides": 6}' }], background: true };
const events = await collected(await client.agents.messages.stream(agent, { ...turn, stream_tokens: true }));
const kinds = events.map((event) => event.message_type);
expect(kinds.includes("tool_return_message") && kinds.at(-1) === "usage_statistics", `a stream is ${kinds}`);
const run: string = events.find((event) => event.run_id).run_id;
const again = await collected(await client.runs.messages.stream(run, { starting_after: 0 }));
expect(again.length === events.length, `${again.length} of ${events.length} events come again`);
await walked("messages", (limit) => client.agents.messages.list(agent, { limit }), 5);
await walked("messages", (limit) => client.agents.messages.list(agent, { limit, order: "asc" }), 5);
await walked("messages of a run", (limit) => client.runs.messages.list(run, { limit }));
await walked("steps", (limit) => client.steps.list({ limit, agent_id: agent }));
const wanted = { include_return_message_types: ["user_message" as const] };
const users = await collected(client.agents.messages.list(agent, wanted));
expect(users.length === 2, `${users.length} messages of the user`);
expect((await client.messages.list({ limit: 1 })).length === 1, "the messages of all agents are not listed");
expect((await client.runs.trace.retrieve(run))[0]!.SpanName === "run", "a run is not told as spans");
console.log("Messages are sent, streamed, resumed and listed.");

await client.agents.tools.updateApproval("roll", { agent_id: agent, body_requires_approval: true });
const asked = await client.agents.messages.create(agent, { input: 'CALL roll {"sides": 6}' });
expect(asked.stop_reason.stop_reason === "requires_approval", `it ended by ${asked.stop_reason.stop_reason}`);
await refused(Letta.ConflictError, () => client.agents.messages.create(agent, { input: "Are you there?" }));
const request = asked.messages.at(-1) as any;
const verdict = { type: "approval" as const, tool_call_id: request.tool_call.tool_call_id, approve: true };
const done = await client.agents.messages.create(agent, { messages: [{ type: "approval", approvals: [verdict] }] });
expect(done.stop_reason.stop_reason === "end_turn", `it ended by ${done.stop_reason.stop_reason}`);
console.log("A call is approved.");

const folder = await client.folders.create({ name: "papers", embedding });
for (const name of ["a.txt", "b.txt", "c.txt"]) {
  await client.folders.files.upload(folder.id, { file: await toFile(Buffer.from(`The text of ${name}.`), name) });
}
await walked("files of a folder", (limit) => client.folders.files.list(folder.id, { limit }));
await client.agents.folders.attach(folder.id, { agent_id: agent });
await walked("files of an agent", (limit) => client.agents.files.list(agent, { limit }));
expect((await client.archives.create({ name: "notes" })).embedding_config, "an archive has no model");
const file = (await client.agents.exportFile(agent)) as unknown;
const text = typeof file === "string" ? file : JSON.stringify(file);
const copies = await client.agents.importFile({ file: await toFile(Buffer.from(text), "agent.af") });
expect(copies.agent_ids.length === 1, `${copies.agent_ids} were imported`);
console.log("Files are uploaded, agents exported and imported.");

await refused(Letta.NotFoundError, () => client.agents.retrieve(NOBODY));
await refused(Letta.UnprocessableEntityError, () => client.agents.retrieve("nobody"));
const lacking = await refused(Letta.NotFoundError, () => client.conversations.create({ agent_id: agent }));
expect(lacking.message.includes("no conversations"), `what is lacking is told as ${lacking.message}`);
console.log("Everything was as expected.");
