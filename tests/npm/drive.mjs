// The vendor's own npm package drives the daemon: every method of `sip`, rooms and agents.
// Run by tests/vendor-npm, which gives the address and a token in the vendor's own variables.

import assert from "node:assert/strict";
import { VideoSDK } from "@videosdk.live/server-sdk";

const sdk = new VideoSDK({
  apiEndpoint: process.env.VIDEOSDK_API_ENDPOINT,
  token: process.env.VIDEOSDK_TOKEN,
  maxRetries: 0,
});

/** A refusal with one of these statuses, a sentence for the reader, and the id of the request. */
async function refused(call, ...statuses) {
  await assert.rejects(call, (why) => {
    assert.ok(statuses.includes(why.httpStatus), `${why.httpStatus} ${why.message}`);
    assert.ok(why.message.length > 10 && why.requestId, why.message);
    return true;
  });
}

async function all(page) {
  const items = [];
  for await (const item of page) items.push(item);
  return items;
}

const inbound = { sipRegion: "us002" };
const outbound = { address: "sip.example.com:5061", sipRegion: "auto", auth: { username: "u", password: "hunter2" } };

const stories = {
  async phoneNumbers() {
    const numbers = sdk.sip.phoneNumbers;
    const create = (phoneNumbers, isShared) =>
      numbers.create({ name: "support", phoneNumbers, isShared, mediaEncryption: "disable", inbound, outbound });
    assert.ok((await create(["+15550100001", "+15550100002"], true)).message);
    await refused(create(["+15550100002", "+15550100003"], false), 400);
    const page = await numbers.list({ search: "0001" });
    assert.equal(page.data[0].phoneNumber.e164, "+15550100001");
    assert.equal((await all(await numbers.list({ perPage: 1 }))).length, 2);
    const number = await numbers.get("+15550100001");
    assert.equal(number.outbound.auth.username, "u");
    assert.notEqual(number.outbound.auth.password, "hunter2");
    assert.ok((await numbers.updateGateway(number.outbound.id, { transport: "udp", sipRegion: "us002" })).message);
    await refused(numbers.updateGateway(number.inbound.id, { transport: "udp" }), 400);
    assert.equal((await numbers.get("+15550100002")).outbound.transport, "udp");
    assert.ok((await numbers.detach("+15550100001")).message);
    await refused(numbers.detach("+15550100009"), 404);
    assert.ok((await numbers.release(number.phoneNumber.phoneNumberId)).message);
    await refused(numbers.get("+15550100001"), 404);
    await numbers.release((await numbers.get("+15550100002")).phoneNumber.phoneNumberId);
  },

  async routingRules() {
    const rules = sdk.sip.routingRules;
    await sdk.sip.phoneNumbers.create({ name: "n", phoneNumbers: ["+15550100011", "+15550100012"], inbound, outbound });
    const room = { type: "dynamic", prefix: "sipNumber", pin: "1234" };
    const rule = await rules.create({
      name: "reception", type: "inbound", phoneNumbers: ["+15550100011"], room, agentId: "front-desk",
      agentMetadata: { team: "a" }, includeHeaders: "SIP_X_HEADERS", headersToAttributes: { "X-A": "a" },
      headers: {}, allowedNumbers: ["+1*"], tags: ["prod"], recording: true,
    });
    assert.deepEqual(rule.numbers, ["+15550100011"]);
    assert.equal(rule.room.pin, "1234");
    await refused(rules.create({ name: "again", type: "inbound", phoneNumbers: ["+15550100011"] }), 400);
    await refused(
      rules.create({ name: "wrong", type: "inbound", phoneNumbers: ["+15550100012"], headers: { "X-A": "a" } }), 400);
    const out = await rules.create({ name: "out", type: "outbound", phoneNumbers: ["+15550100011"] });
    assert.equal((await rules.list({ type: "outbound" })).data[0].id, out.id);
    assert.equal((await rules.list({ ruleIds: [rule.id, out.id] })).data.length, 2);
    assert.equal((await all(await rules.list({ perPage: 1 }))).length, 2);
    // Unlike the vendor's Rust client, this one can clear.
    const cleared = await rules.update(rule.id, { agentId: null, tags: [], headersToAttributes: {} });
    assert.equal(cleared.agentId, null);
    assert.deepEqual([cleared.tags, cleared.headersToAttributes], [[], {}]);
    await refused(rules.update(rule.id, {}), 400);
    assert.equal((await rules.get(rule.id)).name, "reception");
    assert.ok((await rules.delete(rule.id)).message);
    await refused(rules.get(rule.id), 404);
  },

  async trunks() {
    const { inbound, outbound } = sdk.sip.trunks;
    for (const [trunks, options, change] of [
      [inbound, { name: "in", numbers: ["+15550100021"] }, { name: "renamed" }],
      [outbound, { name: "out", numbers: ["+15550100021"], address: "sip.example.com" }, { transport: "tcp" }],
    ]) {
      const trunk = await trunks.create(options);
      assert.deepEqual(trunk.numbers, ["+15550100021"]);
      const page = await trunks.list({ id: trunk.id });
      assert.equal(page.data.length, 1);
      const changed = await trunks.update(trunk.id, change);
      for (const [key, value] of Object.entries(change)) assert.equal(changed[key], value);
      assert.equal((await trunks.get(trunk.id)).id, trunk.id);
      assert.ok((await trunks.delete(trunk.id)).message);
      await refused(trunks.get(trunk.id), 404);
    }
  },

  async webhooks() {
    const webhooks = sdk.sip.webhooks;
    const made = await webhooks.create({ url: "https://example.com/one", events: ["call-started"] });
    await refused(webhooks.create({ url: "https://example.com", events: ["call-of-the-wild"] }), 400);
    assert.equal((await webhooks.list()).data[0].id, made.id);
    const changed = await webhooks.update(made.id, { url: "https://example.com/two", events: ["call-hangup"] });
    assert.deepEqual(changed.events, ["call-hangup"]);
    assert.equal((await webhooks.get(made.id)).url, "https://example.com/two");
    assert.ok((await webhooks.delete(made.id)).message);
    await refused(webhooks.get(made.id), 404);
  },

  async rooms() {
    const rooms = sdk.rooms;
    const room = await rooms.create({ customRoomId: "lobby" });
    assert.equal((await rooms.create({ customRoomId: "lobby" })).roomId, room.roomId);
    assert.notEqual((await rooms.create()).roomId, room.roomId);
    assert.equal((await all(await rooms.list({ perPage: 1 }))).length, 2);
    assert.equal((await rooms.get("lobby")).roomId, room.roomId);
    assert.equal((await rooms.validate(room.roomId)).valid, true);
    assert.equal((await rooms.validate("zzzz-zzzz-zzzz")).valid, false);
    assert.equal((await rooms.end(room.roomId)).disabled, true);
    await refused(rooms.get("zzzz-zzzz-zzzz"), 404);
  },

  // No call goes on, and nothing that is asked of one is pretended.
  async calls() {
    const calls = sdk.sip.calls;
    const [rule] = (await sdk.sip.routingRules.list({ type: "outbound" })).data;
    await refused(
      calls.create({ callTo: "+15550100099", callFrom: "+15550100011", routingRuleId: rule.id }), 501);
    assert.deepEqual((await calls.list()).data, []);
    await refused(calls.get("call_none"), 404);
    await refused(calls.end("call_none"), 404);
    await refused(calls.transfer("call_none", { to: "+15550100098" }), 404, 501);
    await refused(calls.switchRoom("call_none", { roomId: "lobby" }), 404, 501);
  },

  async agents() {
    const { roomId } = await sdk.rooms.create();
    await refused(sdk.agents.dispatch({ agentId: "front-desk", roomId }), 501);
    // The variants of the managed cloud are not served.
    await refused(sdk.agents.connect({ agentId: "front-desk", roomId }), 404, 501);
    await refused(sdk.agents.generalDispatch({ agentId: "front-desk", roomId, versionId: "v1" }), 404, 501);
  },
};

for (const [name, story] of Object.entries(stories)) {
  await story();
  console.log(`ok  ${name}`);
}
