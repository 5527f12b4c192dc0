/** A volume that is not protected any more: its group goes on without it, whatever its source may lack. */
import { describe, expect, test } from "vitest";
import { recordType } from "#src/records/record.ts";
import type { VolumeIdentity, VolumeLink } from "#src/wire/volume-link.ts";
import { Bench, policy } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const other: VolumeIdentity = { id: "bb", name: "other", group: "g", sizeBytes: 1024 * 4096 };
const again: VolumeIdentity = { ...other, id: "cc" };
const mark = { name: "m", isQuiesced: false, deadlineMs: Number.POSITIVE_INFINITY };
const silent = { redo: async () => {}, acknowledged() {}, roomAgain() {}, remoteDurable() {}, lost() {} };

/** A group of two volumes, the second of which has a write that its source lacks. */
async function startPair(): Promise<{ it: Bench; otherLink: VolumeLink }> {
  const it = new Bench();
  it.policy = { ...policy, overflow: "stall" };
  await it.start();
  const otherLink = await attachOther(it, other);
  expect(otherLink.hasRoomFor(1)).toBe(true);
  otherLink.addWrite(5, 1, Buffer.alloc(4096, 1), 0);
  otherLink.commit();
  await settle(it);
  return { it, otherLink };
}

async function attachOther(it: Bench, identity: VolumeIdentity): Promise<VolumeLink> {
  const { link } = await it.done(it.appliance.attach(identity, 0, silent));
  return link;
}

/** The remote has all of it, and so has the source of the first volume. */
async function settle(it: Bench): Promise<void> {
  await it.rest();
  it.link.reportDurable(it.link.lastOrdinal);
  it.remote.markAll(it.figures.lastSeq);
  await it.rest(1_000);
}

async function restart(it: Bench): Promise<void> {
  await it.done(it.appliance.stop());
  it.remote = new ScriptedRemote();
  await it.open();
  const { lastSeq } = it.figures;
  it.remote.come({ received: lastSeq, durable: lastSeq, stored: lastSeq });
  await it.attach(it.link.lastOrdinal);
  await settle(it);
}

/** Twice what the spool has room for goes through it. */
async function writeMuch(it: Bench): Promise<void> {
  for (let bytes = 0; bytes < 2 * it.policy.spoolLimitBytes; bytes += 4096) {
    it.write(5, 1);
    it.link.commit();
    if (bytes % 65_536 === 0) await settle(it);
  }
  await settle(it);
  expect(it.figures.spoolBytes).toBeLessThan(it.policy.spoolLimitBytes / 2);
}

test("the group has marks, and room in its spool, at once and after a start", async () => {
  const { it, otherLink } = await startPair();
  otherLink.detach();
  await it.done(it.appliance.forgetVolume("bb"));
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  expect(it.figures.volumeNames).toEqual(["disk"]);
  await writeMuch(it);
  await restart(it);
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  await writeMuch(it);
});

test("a start before it is told of that it was removed keeps what its source may lack until then", async () => {
  const { it, otherLink } = await startPair();
  otherLink.detach();
  await restart(it);
  await expect(it.appliance.mark("g", mark)).rejects.toThrow("the volume 'other' is not attached");
  const { spoolBytes } = it.figures;
  expect(spoolBytes).toBeGreaterThan(0);
  await it.done(it.appliance.forgetVolume("bb"));
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  await writeMuch(it);
});

test("one that comes under its name again has a number of its own, and marks and room are there", async () => {
  const { it, otherLink } = await startPair();
  otherLink.detach();
  await it.done(it.appliance.forgetVolume("bb"));
  const link = await attachOther(it, again);
  await it.rest();
  expect(it.remote.lastShipped).toMatchObject({ type: recordType.volume, volume: 3 });
  expect(it.figures.volumeNames).toEqual(["disk", "other"]);
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  await writeMuch(it);
  link.detach();
  await restart(it);
  await expect(it.appliance.mark("g", mark)).rejects.toThrow("the volume 'other' is not attached");
  await attachOther(it, again);
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  await writeMuch(it);
});

test("a volume that somebody has is not forgotten, and one that was is not taken back", async () => {
  const { it, otherLink } = await startPair();
  await expect(it.appliance.forgetVolume("bb")).rejects.toThrow("the volume 'other' is attached");
  otherLink.detach();
  await it.done(it.appliance.forgetVolume("bb"));
  const refusal = "the volume 'other' was removed: add it again to protect it";
  await expect(it.done(it.appliance.attach(other, 0, silent))).rejects.toThrow(refusal);
  await restart(it);
  await expect(it.done(it.appliance.attach(other, 0, silent))).rejects.toThrow(refusal);
});

test("one that was forgotten before the group had met it does not join it afterwards", async () => {
  const it = new Bench();
  await it.start();
  await it.done(it.appliance.forgetVolume("bb"));
  await expect(it.done(it.appliance.attach(other, 0, silent))).rejects.toThrow("the volume 'other' was removed");
  expect(it.figures.volumeNames).toEqual(["disk"]);
});

test("a loss of power right after it was forgotten brings nothing of it back", async () => {
  const { it, otherLink } = await startPair();
  otherLink.detach();
  await it.done(it.appliance.forgetVolume("bb"));
  const { lastSeq } = it.figures;
  it.host.cutPower();
  it.remote = new ScriptedRemote();
  const opening = it.open();
  await it.rest();
  it.remote.come({ received: lastSeq, durable: lastSeq, stored: lastSeq });
  await opening;
  await it.attach(it.link.lastOrdinal);
  expect(it.link.hasRoomFor(0)).toBe(true);
  it.link.addRange(recordType.resyncBegin, 0, 0);
  it.link.addRange(recordType.resyncEnd, 0, 0);
  await settle(it);
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  await writeMuch(it);
});

test("its level is not said any more", async () => {
  const { it, otherLink } = await startPair();
  await it.done(it.appliance.setLevel("g", "other", 1));
  await settle(it);
  expect(it.figures.levels).toEqual([{ volume: "other", seconds: 1 }]);
  otherLink.detach();
  await it.done(it.appliance.forgetVolume("bb"));
  const levelCount = (): number => it.shippedTypes.filter((type) => type === "level").length;
  const before = levelCount();
  for (let seconds = 0; seconds < 3; seconds++) {
    it.write(5, 1);
    it.link.commit();
    await it.rest(1_500);
  }
  expect([levelCount(), it.figures.levels]).toEqual([before, undefined]);
  await expect(it.appliance.setLevel("g", "other", 60)).rejects.toThrow("the group has no volume 'other'");
  await restart(it);
  expect(levelCount()).toBe(0);
});

test("one whose interceptor is lost is forgotten by its name, and never one that somebody has", async () => {
  const { it, otherLink } = await startPair();
  const forget = (name: string, keptIds: readonly string[] = []) =>
    it.done(it.appliance.forgetLost({ group: "g", name, keptIds }));
  await expect(forget("other")).rejects.toThrow("somebody has volume 'other' of group 'g'");
  otherLink.detach();
  await expect(forget("other", ["bb"])).rejects.toThrow("somebody has volume 'other'");
  await expect(forget("none")).rejects.toThrow("has no volume 'none'");
  await expect(it.done(it.appliance.mark("g", mark))).rejects.toThrow("'other' is not attached");
  // What was refused has forgotten nothing: it may come back.
  (await attachOther(it, other)).detach();
  // Added again, without anybody who could tell of the earlier one.
  const link = await attachOther(it, again);
  await settle(it);
  await forget("other");
  expect(await it.done(it.appliance.mark("g", mark))).toMatchObject({ name: "m" });
  await expect(forget("other")).rejects.toThrow("somebody has volume 'other'");
  await expect(it.done(it.appliance.attach(other, 0, silent))).rejects.toThrow("was removed");
  await writeMuch(it);
  link.detach();
  await forget("other");
  await expect(forget("other")).rejects.toThrow("or has forgotten it already");
});

/** From the first kill on: what its disk says of its volumes after another one. */
async function keptAfterKill(it: Bench): Promise<readonly string[]> {
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  return it.figures.volumeNames;
}

describe("fault 13: what could not be noted is not taken for noted", () => {
  test("of a volume that is forgotten by a stopped group", async () => {
    const { it } = await startPair();
    it.host.kill();
    const { files } = it.host;
    const folder = `/data/groups/${it.figures.id}/spool`;
    for (const name of files.list(folder)) files.remove(`${folder}/${name}`);
    it.remote = new ScriptedRemote();
    await it.open();
    expect(it.figures.state).toBe("stopped");
    it.host.disk.failNext("sync", "EIO");
    await expect(it.done(it.appliance.forgetVolume("bb"))).rejects.toThrow("EIO");
    await it.done(it.appliance.forgetVolume("bb"));
    expect(await keptAfterKill(it)).toEqual(["disk"]);
  });

  test("of a volume that is forgotten by a group which has failed at it", async () => {
    const { it, otherLink } = await startPair();
    otherLink.detach();
    for (let count = 0; count < 2; count++) it.host.disk.failNext("sync", "EIO");
    await expect(it.done(it.appliance.forgetVolume("bb"))).rejects.toThrow("EIO");
    await it.rest();
    expect(it.figures.state).toBe("stopped");
    await it.done(it.appliance.forgetVolume("bb"));
    expect(await keptAfterKill(it)).toEqual(["disk"]);
  });

  test("of a volume that joins its group, whose number would be given again", async () => {
    const it = new Bench();
    await it.start();
    await it.rest();
    it.identity = other;
    it.host.disk.failNext("sync", "EIO");
    await expect(it.attach()).rejects.toThrow("EIO");
    await it.attach();
    expect(await keptAfterKill(it)).toEqual(["disk", "other"]);
  });
});
