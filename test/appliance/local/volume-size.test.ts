import { expect, test } from "vitest";
import { GroupStateFile } from "#src/appliance/local/group-state.ts";
import { describeSpool } from "#src/appliance/local/spool-description.ts";
import { recordType } from "#src/records/record.ts";
import { type Bench, identity, startBench } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const blockBytes = 4096;
const larger = { ...identity, sizeBytes: 2048 * blockBytes, previousBytes: identity.sizeBytes };
const smaller = { ...identity, sizeBytes: 8 * blockBytes, previousBytes: identity.sizeBytes };

function groupFolder(it: Bench): string {
  return `/data/groups/${it.host.files.list("/data/groups")[0]}`;
}

function knownSize(it: Bench): number | undefined {
  return GroupStateFile.read(it.host, `${groupFolder(it)}/group.json`)?.state.volumes[0]?.sizeBytes;
}

/** What the spool says of sizes, in blocks. */
function told(it: Bench): string[] {
  const items = [...describeSpool(it.host.files, `${groupFolder(it)}/spool`)];
  return items.flatMap((item) => {
    if (item.kind !== "record" || typeof item.extra?.sizeBytes !== "number") return [];
    return [`${item.type} ${item.extra.sizeBytes / blockBytes}`];
  });
}

test("a new size is a record that is durable before the volume may be written, and before anything else of it", async () => {
  const it = await startBench();
  it.link.detach();
  it.identity = larger;
  await it.attach();
  expect(it.figures.spoolDurableSeq).toBeGreaterThanOrEqual(it.figures.lastSeq - 1);
  await it.rest();
  expect(told(it)).toEqual(["volume 1024", "resize 2048", "volume 2048"]);
  expect(knownSize(it)).toBe(larger.sizeBytes);
  it.link.detach();
  await it.attach();
  await it.rest();
  expect(told(it)).toEqual(["volume 1024", "resize 2048", "volume 2048", "volume 2048"]);
});

test("a size that no resize led to is refused, and the volume can be attached as it was", async () => {
  const it = await startBench();
  it.link.detach();
  for (const previousBytes of [undefined, 7 * blockBytes]) {
    it.identity = {
      ...identity,
      sizeBytes: larger.sizeBytes,
      ...(previousBytes === undefined ? {} : { previousBytes }),
    };
    await expect(it.attach()).rejects.toThrow("bring the source back to its size");
  }
  it.identity = identity;
  await it.attach();
});

test("an aggregate ends before a resize", async () => {
  const it = await startBench("aggregated");
  it.write(5, 1);
  it.link.commit();
  it.link.detach();
  it.identity = larger;
  await it.attach();
  it.write(5, 2);
  it.link.commit();
  await it.rest(5_000);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest(5_000);
  const resize = it.remote.shipped.find(({ type }) => type === recordType.resize)?.seq ?? 0;
  expect(it.remote.aggregates.map(([first, last]) => [first < resize, last < resize])).toEqual([
    [true, true],
    [false, false],
  ]);
});

test("faults 10 and 11: after an end at any moment of a resize the next attachment brings it to the same end", async () => {
  for (const hasPower of [true, false]) {
    for (let events = 0; events < 60; events++) {
      const it = await startBench();
      it.link.detach();
      it.identity = larger;
      let count = 0;
      it.attach().catch(() => {});
      await it.simulation.clock.pass(1_000, () => ++count > events);
      if (hasPower) it.host.kill();
      else it.host.cutPower();
      it.remote = new ScriptedRemote();
      const opening = it.begin();
      it.remote.come();
      it.appliance = await it.done(opening);
      await it.attach();
      await it.rest();
      expect(knownSize(it)).toBe(larger.sizeBytes);
      expect(it.link.hasRoomFor(1)).toBe(true);
      const resizes = told(it).filter((one) => one.startsWith("resize"));
      expect(new Set(resizes), `after ${events} events`).toEqual(new Set(["resize 2048"]));
    }
  }
});

test("what a source lacks is redone without the blocks that it was cut by, also where it has grown again", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.addWrite(6, 4, Buffer.alloc(4 * blockBytes, 2), 0);
  it.write(900, 3);
  it.link.addRange(recordType.trim, 7, 100);
  it.link.commit();
  it.link.detach();
  it.identity = smaller;
  await it.attach(4);
  it.link.detach();
  it.identity = { ...identity, previousBytes: smaller.sizeBytes };
  await it.attach(4);
  it.write(900, 4);
  it.link.commit();
  it.link.detach();
  await it.attach(0, "unknown");
  const redone = it.redone.map(({ type, ordinal, startBlock, blockCount }) => [type, ordinal, startBlock, blockCount]);
  expect(redone).toEqual([
    [recordType.write, 1, 5, 1],
    [recordType.write, 2, 6, 2],
    [recordType.trim, 4, 7, 1],
    [recordType.write, 5, 900, 1],
  ]);
  it.link.detach();
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  await it.attach(0, "unknown");
  expect(it.redone.map(({ ordinal }) => ordinal)).toEqual([1, 2, 4, 5]);
});

test("a resize while a switch to sync drains stands before the switch, and both come about", async () => {
  const it = await startBench();
  it.write(5, 1);
  it.link.commit();
  it.remote.go();
  it.appliance.setMode("g", "sync");
  it.link.detach();
  it.identity = larger;
  await it.attach();
  expect(it.figures.state).toBe("draining");
  it.remote.come();
  await it.rest();
  it.remote.markAll(it.figures.lastSeq);
  await it.rest();
  it.remote.markAll(it.figures.lastSeq);
  expect(it.figures).toMatchObject({ mode: "sync", state: "steady" });
  expect(it.shippedTypes.indexOf("resize")).toBeLessThan(it.shippedTypes.indexOf("mode"));
});

test("without room for the record nothing is changed, and it is placed when there is room", async () => {
  const it = await startBench();
  it.link.detach();
  it.identity = larger;
  it.host.disk.faults.capacityBytes = 0;
  it.host.disk.failNext("write", "ENOSPC");
  await expect(it.attach()).rejects.toThrow("no record at the moment");
  expect(knownSize(it)).toBe(identity.sizeBytes);
  it.host.disk.faults.capacityBytes = Number.MAX_SAFE_INTEGER;
  await it.rest(2_000);
  await it.attach();
  expect(knownSize(it)).toBe(larger.sizeBytes);
});

test("fault 20: a spool that is lost with a cut that the remote may not have leaves nothing of the volume certain", async () => {
  for (const isKnown of [false, true]) {
    const it = await startBench();
    it.write(5, 1);
    it.link.commit();
    it.link.reportDurable(1);
    it.link.detach();
    it.identity = smaller;
    await it.attach(1);
    it.link.detach();
    it.identity = { ...identity, previousBytes: smaller.sizeBytes };
    await it.attach(1);
    if (isKnown) it.remote.markAll(it.figures.lastSeq);
    await it.rest();
    it.host.kill();
    for (const name of it.host.files.list(`${groupFolder(it)}/spool`))
      it.host.files.remove(`${groupFolder(it)}/spool/${name}`);
    it.remote = new ScriptedRemote();
    await it.open();
    await it.done(it.appliance.moveSpool("g", undefined));
    await it.attach(1);
    expect([it.attachment.inDoubt, it.attachment.isAllInDoubt]).toEqual([true, !isKnown]);
    it.link.detach();
    await it.attach(1);
    expect(it.attachment.isAllInDoubt).toBe(!isKnown);
    it.link.reportDurable(1);
    await it.rest();
    it.link.detach();
    await it.attach(1);
    expect([it.attachment.inDoubt, it.attachment.isAllInDoubt]).toEqual([false, false]);
  }
});
