/** A spool at its limit, and what makes room in it. */
import { expect, test } from "vitest";
import { recordType } from "#src/records/record.ts";
import { Bench, policy } from "./appliance-bench.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

test("fault 15: after a kill, a full spool brings its volumes' sources up to date, which makes room in it", async () => {
  const it = new Bench();
  it.policy = { ...policy, overflow: "stall" };
  await it.start();
  while (it.figures.pressure < 0.98) {
    it.write(5, 1);
    it.link.commit();
  }
  // The smallest that there is finds no room either.
  while (it.link.hasRoomFor(0)) {
    it.link.addRange(recordType.trim, 0, 1);
    it.link.commit();
  }
  await it.rest();
  const { lastSeq } = it.figures;
  it.host.kill();
  it.remote = new ScriptedRemote();
  await it.open();
  it.remote.come({ received: lastSeq, durable: lastSeq, stored: lastSeq });
  await it.rest();
  await it.attach();
  expect(it.redone.length).toBeGreaterThan(50);
  expect(it.link.hasRoomFor(1)).toBe(false);
  it.link.reportDurable(it.attachment.lastOrdinal);
  await it.rest(1_000);
  expect(it.link.hasRoomFor(1)).toBe(true);
});
