/** A start that finds the spool full: what a source lacks is in there, and no link comes that would make room. */
import { expect, test } from "vitest";
import type { Attachment, VolumeIdentity } from "#src/wire/volume-link.ts";
import { Bench, policy } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

const other: VolumeIdentity = { id: "bb", name: "other", group: "g", sizeBytes: 1024 * 4096 };
const overflowed = "the spool was full for too long";

/** Filled to this share of its limit, and killed, while the source had got nothing of it durably. */
async function foundWith(share: number): Promise<Bench> {
  const it = new Bench();
  it.policy = { ...policy, overflow: "track" };
  await it.start();
  it.remote.go();
  while (it.figures.spoolBytes < policy.spoolLimitBytes * share) {
    it.write(5, 1);
    it.link.commit();
  }
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  return it;
}

test("a volume that was protected until its end gets what its source lacks, and is let go of then", async () => {
  const it = await foundWith(0.96);
  expect(it.figures.state).toBe("tracking");
  await expect(it.attach()).rejects.toMatchObject({ name: "OverflowError" });
  await it.attachSaying(0, { needsRedo: true });
  expect(it.redone).toHaveLength(it.attachment.lastOrdinal);
  await it.rest(1_000);
  expect(it.lost).toEqual([]);
  it.link.reportDurable(it.attachment.lastOrdinal);
  await it.rest(1_000);
  expect(it.lost).toEqual([expect.stringContaining(overflowed)]);
  // From then on it needs nothing of the spool, and has to wait for room there.
  await expect(it.attach(it.attachment.lastOrdinal)).rejects.toMatchObject({ name: "OverflowError" });
});

test("one that is at it when the spool overflows gets all of it", async () => {
  const it = await foundWith(0.5);
  let goOn = (): void => {};
  const held = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  it.redo = () => held;
  const attaching = it.attachSaying(0, { needsRedo: true });
  const { link } = await attachOther(it);
  while (link.hasRoomFor(1)) {
    link.addWrite(5, 1, Buffer.alloc(4096, 1), 0);
    link.commit();
  }
  await it.rest(15_000);
  expect(it.figures.state).toBe("tracking");
  goOn();
  await attaching;
  expect(it.redone).toHaveLength(it.attachment.lastOrdinal);
});

function attachOther(it: Bench): Promise<Attachment> {
  const receiver = { redo: async () => {}, acknowledged() {}, roomAgain() {}, remoteDurable() {}, lost() {} };
  return it.done(it.appliance.attach(other, 0, receiver));
}
