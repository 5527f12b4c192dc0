/** Real processes that die at the very places where it matters, and what is found afterwards. */
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { after, before, StoppedAt } from "./stopped-at.ts";
import { tearLastBatch } from "./torn-spool.ts";

needPrograms("setpriv");

const begin = { async: StoppedAt.beginning("async"), sync: StoppedAt.beginning("sync") };

// The first batch of a start is the record with which the volume is attached; what happens next is the second one.

test("fault 1: killed before a write is in the spool, it is nowhere, and was never answered", async () => {
  const it = await begin.async();
  await it.startWith("local", "local.before-spool=kill@2");
  await it.writeUntilDeath("local");
  expect([it.inJournals, it.inSource]).toEqual([before, before]);
  await it.startAgain();
  await it.expectWhole(before);
  await it.expectRetryIsHarmless();
});

test("fault 2: killed in the middle of a record, the half of it is dropped and counted, and was never answered", async () => {
  const it = await begin.async();
  await it.startWith("local", "local.after-spool=kill@2");
  await it.writeUntilDeath("local");
  expect(it.inJournals).toBe(after);
  tearLastBatch(it.sites.dataOf("local"));
  expect([it.inJournals, it.inSource]).toEqual([before, before]);
  await it.startAgain();
  await it.hearsOf("local", "dropped the spool's end, which was never known to be durable");
  await it.expectWhole(before);
  await it.expectRetryIsHarmless();
});

test.each([
  ["the spool has it, before it is acknowledged", "local", "local.after-spool=kill@2", before],
  ["it is acknowledged, before the source has it", "interceptor", "interceptor.before-source=kill@1", before],
  ["the source has it, before the host is answered", "interceptor", "interceptor.after-source=kill@1", after],
] as const)(
  "fault 3: killed when %s, the write is there, and a retry is harmless",
  async (_, role, fault, inSource) => {
    const it = await begin.async();
    await it.startWith(role, fault);
    await it.writeUntilDeath(role);
    expect([it.inJournals, it.inSource]).toEqual([after, inSource]);
    await it.startAgain();
    await it.expectWhole(after);
    await it.expectRetryIsHarmless();
  },
);

test("fault 9: killed at each of several starts, while the source still lacks a write, it gets it at the last one", async () => {
  const it = await begin.async();
  await it.startWith("interceptor", "interceptor.before-source=kill@1");
  await it.writeUntilDeath("interceptor");
  await it.dieAtEachStart("local.before-spool=kill@1", "local.after-spool=kill@1", "local.before-spool=kill@1");
  expect(it.inJournals).toBe(after);
  await it.startAgain();
  await it.expectWhole(after);
  await it.expectRetryIsHarmless();
});

test("a write to the source that fails fences the volume: the host is told, and unfence brings what the source missed", async () => {
  const it = await begin.async();
  await it.startWith("interceptor", "interceptor.before-source=error:EIO@1");
  const client = await it.sites.connect();
  await expect(client.write(0, Buffer.alloc(4096, after))).rejects.toThrow("EIO");
  expect([it.inJournals, it.inSource, (await it.sites.volume()).state]).toEqual([after, before, "fenced"]);
  await expect(client.write(0, Buffer.alloc(4096, after))).rejects.toThrow("EIO");
  await client.disconnect();
  await it.sites.unfence();
  await it.expectRetryIsHarmless();
});

test.each([
  ["when it has a write, before it says so", "remote.after-metadata"],
  ["on the point of saying that it has a write", "remote.before-acknowledgement"],
])("fault 5: in sync the remote dies %s: it is known afterwards, and applied once", async (_, place) => {
  const it = await begin.sync();
  await it.startWith("remote");
  await it.sites.groupThat(({ mode }) => mode === "sync");
  // The volume's own record shall not be the one that the remote dies with.
  await it.sites.calm();
  await it.sites.stop("remote");
  it.sites.faults = [`${place}=kill@1`];
  await it.sites.start("remote");
  it.sites.faults = [];
  await it.sites.groupThat(({ linkUp }) => linkUp);
  await it.writeUntilDeath("remote");
  expect([it.atRemote, it.inSource]).toEqual([after, before]);
  await it.startAgain();
  await it.expectWhole(after);
  await it.expectRetryIsHarmless();
});

test.each([
  ["before", "sync", "async", 0],
  ["after", "sync", "async", 1],
  ["before", "async", "sync", 0],
  ["after", "async", "sync", 1],
  ["after", "async", "aggregated", 1],
] as const)(
  "fault 6: killed just %s the record of a switch from %s to %s, the mode is the old one or the new one",
  async (moment, from, to, recordCount) => {
    const it = await begin[from]();
    await it.startWith("local", `local.${moment}-spool=kill@2`);
    await expect(it.sites.setMode(to)).rejects.toThrow();
    await it.sites.program("local").ended;
    await it.sites.kill("interceptor", "local", "remote");
    expect(it.switches).toHaveLength(recordCount);
    await it.startAgain();
    // Nobody was told that the mode would change. Whichever it is: it is the one that the journals speak of, and stays.
    const { mode } = await it.sites.groupThat(({ state }) => state === "steady");
    await it.sites.calm();
    let latest: unknown = from;
    for (const one of it.switches) {
      expect(one).toEqual({ from: latest, to: latest === from ? to : from, why: expect.any(String) });
      latest = one.to;
    }
    expect(latest).toBe(mode);
    expect(mode).toBe(recordCount === 0 ? from : to);
    expect(it.switches).toHaveLength(recordCount);
    await it.expectWhole(before);
    await it.expectRetryIsHarmless();
  },
);
