/** A spool that is kept full by a volume which is away, such as a fenced one: the others come back to it more and more rarely. */
import { expect, test } from "vitest";
import type { Attachment, VolumeIdentity } from "#src/wire/volume-link.ts";
import { Bench, policy } from "./appliance-bench.ts";

const holder: VolumeIdentity = { id: "bb", name: "holder", group: "g", sizeBytes: 1024 * 4096 };

/** The second volume has a write that its source lacks, and has left; then the first one writes until nothing has room. */
async function heldFull(): Promise<Bench> {
  const it = new Bench();
  it.policy = { ...policy, overflow: "track", overflowAfterMs: 1_000 };
  await it.start();
  const { link } = await attachHolder(it);
  expect(link.hasRoomFor(1)).toBe(true);
  link.addWrite(5, 1, Buffer.alloc(4096, 1), 0);
  link.commit();
  link.detach();
  await fill(it);
  return it;
}

function attachHolder(it: Bench): Promise<Attachment> {
  const receiver = { redo: async () => {}, acknowledged() {}, roomAgain() {}, remoteDurable() {}, lost() {} };
  return it.done(it.appliance.attach(holder, 0, receiver));
}

/** All of it is at the remote, and in the source of the volume that writes. */
async function fill(it: Bench): Promise<void> {
  while (it.link.hasRoomFor(1)) {
    it.write(5, 1);
    it.link.commit();
  }
  it.link.reportDurable(it.link.lastOrdinal);
  await it.rest();
  it.remote.markAll(it.figures.lastSeq);
}

async function until(it: Bench, state: "tracking" | "back"): Promise<void> {
  const isSo = (): boolean => (it.figures.state === "tracking") === (state === "tracking");
  await it.simulation.clock.pass(3_600_000, isSo);
  expect(isSo()).toBe(true);
}

/** Comes back and is let go of again, so many times; answers how long the last return was waited for. */
async function comeBack(it: Bench, times: number): Promise<number> {
  let waitedMs = 0;
  for (let time = 0; time < times; time++) {
    await until(it, "tracking");
    const fromMs = it.simulation.clock.nowMs;
    await until(it, "back");
    waitedMs = it.simulation.clock.nowMs - fromMs;
    await it.attach(it.link.lastOrdinal);
    await fill(it);
  }
  return waitedMs;
}

test("each return that made no room puts the next one off, up to some minutes", async () => {
  const it = await heldFull();
  expect(await comeBack(it, 1)).toBeLessThan(1_000);
  expect(await comeBack(it, 8)).toBeGreaterThan(300_000);
});

test("the volume that keeps it full is let in soon, and then there is room for all", async () => {
  const it = await heldFull();
  await comeBack(it, 8);
  await until(it, "tracking");
  await expect(attachHolder(it)).rejects.toThrow("the spool was full for too long");
  await it.rest(1_000);
  expect(it.figures.state).not.toBe("tracking");
  const { link } = await attachHolder(it);
  link.reportDurable(link.lastOrdinal);
  await it.attach(it.link.lastOrdinal);
  it.link.reportDurable(it.link.lastOrdinal);
  await it.rest(1_000);
  expect(it.link.hasRoomFor(1)).toBe(true);
});

test("the volume that keeps it full is removed, and the others come back at once and for good", async () => {
  const it = await heldFull();
  await comeBack(it, 8);
  await until(it, "tracking");
  await it.done(it.appliance.forgetVolume("bb"));
  await it.rest(1_000);
  expect(it.figures.state).not.toBe("tracking");
  await it.attach(it.link.lastOrdinal);
  it.link.reportDurable(it.link.lastOrdinal);
  await it.rest(1_000);
  expect(it.link.hasRoomFor(1)).toBe(true);
});
