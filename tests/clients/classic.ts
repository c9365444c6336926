// Walks through @letta-ai/letta-client 0.x (TypeScript), which checks the shape of every answer itself, and stops at the
// first surprise.

import { LettaClient } from "letta-client-0x";

import { baseUrl, collected, embedding, expect, model, ROLL } from "./walk.js";

const client = new LettaClient({ baseUrl, token: "none" });
const says = (content: string) => [{ role: "user" as const, content }];

const tool = await client.tools.create({ sourceCode: ROLL });
await client.tools.list({ names: ["roll"], toolIds: [tool.id!] });
await client.models.listembeddingmodels();
for (const agentType of ["memgpt_v2_agent", "letta_v1_agent"] as const) {
  const blocks = [{ label: "human", value: "Ada." }];
  const made = await client.agents.create({ agentType, model, embedding, memoryBlocks: blocks, toolIds: [tool.id!] });
  await client.agents.retrieve(made.id);
  await client.agents.context.retrieve(made.id);
  await client.agents.coreMemory.retrieve(made.id);
  await client.agents.messages.create(made.id, { messages: says("Hello") });
  const messages = says('CALL roll {"sides": 6}');
  for (const streamTokens of [false, true]) {
    const events = await collected(
      await client.agents.messages.createStream(made.id, { messages, streamTokens, background: true, includePings: true }),
    );
    expect(events.at(-1).messageType === "usage_statistics", `a stream ends with ${JSON.stringify(events.at(-1))}`);
    const run: string = events.find((event) => event.runId).runId;
    const again = await collected(await client.runs.stream(run, { startingAfter: 0 }));
    expect(again.length === events.length, `${again.length} of ${events.length} events come again`);
    await client.runs.retrieveMetricsForRun(run);
    expect((await client.runs.delete(run)).id === run, "a deleted run is not told");
  }
  await client.agents.messages.list(made.id, { limit: 50 });

  const file = await client.agents.exportFile(made.id);
  expect(JSON.parse(file).agents.length === 1, `an agent file is ${file.slice(0, 100)}`);
  const copies = await client.agents.importFile(new File([file], "agent.af"), {});
  expect(copies.agentIds.length === 1, `${copies.agentIds} were imported`);

  const kept = await client.agents.passages.create(made.id, { text: "The moon is grey." });
  await client.agents.passages.modify(made.id, kept[0]!.id!);
  await client.agents.passages.search(made.id, { query: "moon" });
}
console.log("Agents of both architectures speak, are exported and imported.");

const agent = (await client.agents.create({ agentType: "letta_v1_agent", model, embedding, toolIds: [tool.id!] })).id;
await client.agents.tools.modifyApproval(agent, "roll", { requiresApproval: true });
for (const approve of [true, false]) {
  const asked = await client.agents.messages.create(agent, { messages: says('CALL roll {"sides": 6}') });
  const request = asked.messages.at(-1)!;
  expect(request.messageType === "approval_request_message", `it ended with ${request.messageType}`);
  const done = await client.agents.messages.create(agent, { messages: [{ approve, approvalRequestId: request.id }] });
  expect(done.stopReason.stopReason === "end_turn", `it ended by ${done.stopReason.stopReason}`);
}
console.log("Calls are approved and denied.");

const participants = [agent, (await client.agents.create({ model, embedding })).id];
const group = await client.groups.create({ agentIds: participants, description: "They take turns." });
for (const streamTokens of [false, true]) {
  const events = await collected(
    await client.groups.messages.createStream(group.id, { messages: says("Hello"), streamTokens }),
  );
  expect(events.at(-1).messageType === "usage_statistics", `a stream ends with ${JSON.stringify(events.at(-1))}`);
}
expect((await client.groups.messages.list(group.id)).length > 2, "what was said in the group is not listed");
console.log("A group speaks.");

const folder = await client.folders.create({ name: "papers", embedding });
await client.folders.files.upload(new File(["The text."], "a.txt", { type: "text/plain" }), folder.id, {});
await client.folders.files.list(folder.id, { includeContent: true });
await client.agents.folders.attach(agent, folder.id);
expect((await client.agents.files.list(agent)).files.length === 1, "a file is not listed");
expect((await client.archives.createArchive({ name: "notes" })).name === "notes", "an archive has no name");
await client.archives.listArchives();
console.log("Files are uploaded and archives made.");
console.log("Everything was as expected.");
