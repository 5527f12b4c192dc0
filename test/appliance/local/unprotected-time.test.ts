/** What the order says of when a gap in it began. */
import { expect, test } from "vitest";
import type { BatchRecord } from "#src/records/batch.ts";
import { recordType } from "#src/records/record.ts";
import { type Bench, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

/** A copy from its beginning to its end; answers when the time began that it stands for. */
async function copied(it: Bench): Promise<unknown> {
  expect(it.link.hasRoomFor(0)).toBe(true);
  it.link.addRange(recordType.resyncBegin, 0, 0);
  it.link.addRange(recordType.resyncEnd, 0, 0);
  it.link.commit();
  await it.rest(1_000);
  const begin = it.remote.shipped.findLast(({ type }) => type === recordType.resyncBegin) as BatchRecord;
  return it.remote.said.get(begin.seq)?.sinceMicros;
}

async function written(): Promise<{ readonly it: Bench; readonly lastMicros: number }> {
  const it = await startBench();
  it.write(0, 1);
  it.link.commit();
  await it.rest(1_000);
  return { it, lastMicros: (it.remote.shipped.at(-1) as BatchRecord).timeMicros };
}

const nowMicros = (it: Bench): number => Math.round(it.host.clock.wallMs() * 1000);

test("a copy says since when the volume went on without protection, and a later one of the same link does not", async () => {
  const { it, lastMicros } = await written();
  it.link.detach();
  await it.rest(60_000);
  const unprotectedMicros = nowMicros(it);
  await it.rest(60_000);
  await it.attachSaying(1, { isCopyDue: true, unprotectedMicros });
  expect(unprotectedMicros).toBeGreaterThan(lastMicros);
  expect(await copied(it)).toBe(unprotectedMicros);
  expect(await copied(it)).toBeUndefined();
});

test("a host's clock that was behind the times of records hides none of what was protected", async () => {
  const { it, lastMicros } = await written();
  it.link.detach();
  await it.rest(60_000);
  await it.attachSaying(1, { isCopyDue: true, unprotectedMicros: lastMicros - 3_600_000_000 });
  expect(await copied(it)).toBe(lastMicros);
});

test("others of the group that went on before it was seen that the volume had left hide nothing of that time", async () => {
  const { it } = await written();
  const unprotectedMicros = nowMicros(it) + 1000;
  await it.rest(60_000);
  const other = { ...it.identity, id: "bb", name: "other" };
  const silent = {
    redo: async () => {},
    acknowledged: () => {},
    roomAgain: () => {},
    remoteDurable: () => {},
    lost: () => {},
  };
  const { link } = await it.done(it.appliance.attach(other, 0, silent));
  expect(link.hasRoomFor(1)).toBe(true);
  link.addWrite(0, 1, Buffer.alloc(4096, 2), 0);
  link.commit();
  await it.rest(1_000);
  it.link.detach();
  await it.attachSaying(1, { isCopyDue: true, unprotectedMicros });
  expect(await copied(it)).toBe(unprotectedMicros);
});

test("behind a loss of power it is the time of the last record that is left, however many follow it", async () => {
  const { it } = await written();
  const flushed = it.flush();
  await it.rest();
  expect(flushed).toEqual(["done"]);
  const lastMicros = it.remote.shipped.at(-1)?.timeMicros;
  for (let cut = 0; cut < 2; cut++) {
    it.host.cutPower();
    it.remote = new ScriptedRemote();
    await it.open();
  }
  it.remote.come();
  await it.rest(60_000);
  await it.attachSaying(0, { isCopyDue: false });
  expect(it.attachment.inDoubt).toBe(true);
  expect(await copied(it)).toBe(lastMicros);
});

test("what nobody noted is not told", async () => {
  const { it } = await written();
  it.link.detach();
  await it.rest(60_000);
  await it.attachSaying(1, { isCopyDue: true });
  expect(await copied(it)).toBeUndefined();
});

test("a copy whose end is in the order already is none, though its interceptor has not noted that", async () => {
  const { it } = await written();
  const mark = () => it.appliance.mark("g", { name: "m", isQuiesced: false, deadlineMs: it.host.clock.hostMs() + 500 });
  await copied(it);
  const copyEndOrdinal = it.link.lastOrdinal;
  it.link.reportDurable(1);
  await it.rest();
  it.link.detach();
  await it.attachSaying(1, { isCopyDue: true, copyEndOrdinal: copyEndOrdinal + 1 });
  await expect(mark()).rejects.toThrow("is being copied");
  it.link.detach();
  await it.attachSaying(1, { isCopyDue: true, copyEndOrdinal });
  expect(await it.done(mark())).toMatchObject({ name: "m" });
});
