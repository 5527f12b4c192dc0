import { expect, test } from "vitest";
import { NamesDoubt } from "#src/control/names-doubt.ts";
import { StoreClient, type StoreClientParts } from "#src/control/store-client.ts";
import type { Files } from "#src/host/files.ts";
import { CrashError, type Thread } from "#src/host/thread.ts";
import { UnknownNamesError } from "#src/store/unknown-names-error.ts";
import { driven } from "#test/contract/driver.ts";
import { instead } from "#test/instead.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { systemError } from "#test/sim/system-error.ts";
import { ScriptedKeeper } from "./scripted-keeper.ts";

const figures = { segmentCount: 1, logicalBytes: 4096, uniqueBytes: 4096, physicalBytes: 700, damagedBlocks: 0 };

async function opened({ host, driver } = empty(), others: Partial<StoreClientParts> = {}) {
  const keepers: ScriptedKeeper[] = [];
  const startKeeper = (isIndexSuspect: boolean): Thread => {
    const keeper = new ScriptedKeeper(isIndexSuspect);
    keepers.push(keeper);
    return keeper;
  };
  const parts = { machine: host, folder: "/objects", startKeeper, wrappingKey: undefined, ...others };
  const client = await driven(driver, StoreClient.open(parts));
  return { client, keepers, driver };
}

function empty() {
  const simulation = new Simulation(1);
  return { host: simulation.host("remote"), driver: simDriver(simulation.clock) };
}

/** With a name in the last of these folders, and a note of what nobody knows. */
function withName(...folders: readonly string[]) {
  const world = empty();
  const { files } = world.host;
  for (const folder of folders) files.makeFolder(folder);
  files.create(`${folders.at(-1)}/a`).close();
  return { ...world, doubt: noted(world.host) };
}

function noted(host: SimHost): NamesDoubt {
  return NamesDoubt.open(host, "/names-doubt.json");
}

const request = { group: "a".repeat(32), folder: "/g", segment: 5 };

test("the process is started when there is something to seal, and what it sealed is known to be there", async () => {
  const { client, keepers } = await opened();
  expect([keepers.length, client.segmentCount, client.blocks.has(5)]).toEqual([0, 0, false]);
  const sealing = client.seal(request);
  expect(keepers[0]?.asked).toMatchObject([{ word: "seal", ask: request }]);
  keepers[0]?.answer({ figures, isThere: true });
  await sealing;
  expect([client.segmentCount, client.blocks.has(5), client.figures]).toEqual([1, true, figures]);
  const empty = client.seal({ ...request, segment: 6 });
  keepers[0]?.answer({ figures, isThere: false });
  await empty;
  expect([keepers.length, client.blocks.has(6)]).toEqual([1, false]);
});

test("what a process that has died was asked for may be asked for again, of another one", async () => {
  const { client, keepers } = await opened();
  const first = client.seal(request);
  keepers[0]?.die(new Error("it ended with SIGKILL"));
  await expect(first).rejects.toThrow(expect.objectContaining({ name: "RetryError" }));
  const known = { id: request.group, name: "a", writer: "w", life: 1, epoch: 1, volumes: [] };
  const second = client.sealRecords({ folder: "/g", incarnation: 1, lastSeq: 9, storedSeq: 0, known });
  keepers[1]?.answer({ storedSeq: 8 });
  expect(await second).toBe(8);
  expect(keepers.map((keeper) => keeper.isIndexSuspect)).toEqual([false, false]);
});

test("after a crash the index is under suspicion, once", async () => {
  const { client, keepers } = await opened();
  const first = client.seal(request);
  keepers[0]?.die(new CrashError("it ended with SIGSEGV"));
  await expect(first).rejects.toThrow("SIGSEGV");
  const second = client.seal(request);
  keepers[1]?.die(new Error("it ended with SIGKILL"));
  await expect(second).rejects.toThrow("SIGKILL");
  client.seal(request).catch(() => {});
  expect(keepers.map((keeper) => keeper.isIndexSuspect)).toEqual([false, true, false]);
});

test("one that has met what a person must see is stopped in order, and another one looks anew", async () => {
  const { client, keepers } = await opened();
  const first = client.seal(request);
  keepers[0]?.refuse("stop", "nobody knows what is there");
  await expect(first).rejects.toThrow(expect.objectContaining({ name: "StopError" }));
  await keepers[0]?.ended;
  expect(keepers[0]?.asked.map(({ word }) => word)).toEqual(["seal", "stop"]);
  const second = client.seal(request);
  keepers[1]?.refuse("retry", "no room");
  await expect(second).rejects.toThrow(expect.objectContaining({ name: "RetryError" }));
  expect(keepers).toHaveLength(2);
});

test("what one cannot seal takes nothing from the others: they are served first, or by the next one", async () => {
  const { client, keepers } = await opened();
  const first = client.seal(request);
  const other = client.seal({ ...request, segment: 6 });
  keepers[0]?.refuse("stop", "beyond help", keepers[0].asked[0]);
  await expect(first).rejects.toThrow("beyond help");
  expect(keepers[0]?.asked.map(({ word }) => word)).toEqual(["seal", "seal"]);
  keepers[0]?.answer({ figures, isThere: true });
  const later = client.seal({ ...request, segment: 7 });
  await other;
  await keepers[0]?.ended;
  expect(keepers[0]?.asked.map(({ word }) => word)).toEqual(["seal", "seal", "stop"]);
  while (keepers.length < 2) await Promise.resolve();
  keepers[1]?.answer({ figures, isThere: true });
  await later;
  expect(client.newestSegment).toBe(7);
});

test("when it is stopped, what is idle ends in order, and what is at work at once", async () => {
  const idle = await opened();
  const done = idle.client.seal(request);
  idle.keepers[0]?.answer({ figures, isThere: true });
  await done;
  await idle.client.stop();
  expect(idle.keepers[0]?.asked.map(({ word }) => word)).toEqual(["seal", "stop"]);
  const busy = await opened();
  const sealing = busy.client.seal(request).catch((error: Error) => error.name);
  await busy.client.stop();
  expect([await sealing, busy.keepers[0]?.asked.map(({ word }) => word)]).toEqual(["RetryError", ["seal"]]);
  await expect(busy.client.seal(request)).rejects.toThrow("closed");
  expect(await driven(busy.driver, busy.client.storedSeq(request.group))).toBe(0);
  await busy.client.close();
});

test("damage that a read has met is told to the process, once in a while", async () => {
  const { client, keepers } = await opened();
  client.metDamage(5);
  client.metDamage(5);
  client.metDamage(6);
  expect(keepers[0]?.asked.map(({ word, ask }) => [word, ask])).toEqual([
    ["suspect", { segment: 5 }],
    ["suspect", { segment: 6 }],
  ]);
});

test("fault 13: after a failed sync of this side no answer counts and nothing is asked, until somebody vouches", async () => {
  const { host, driver, doubt } = withName("/objects", "/objects/pieces", `/objects/pieces/${request.group}`);
  const held: (() => void)[] = [];
  let isHeld = true;
  const syncFolder: Files["syncFolder"] = (path, done) => {
    if (isHeld) held.push(() => done(systemError("EIO", path)));
    else host.files.syncFolder(path, done);
  };
  const machine = instead(host, { files: instead(host.files, { syncFolder }) });
  const { client, keepers } = await opened({ host, driver }, { machine, doubt });
  const listing = client.storedSeq(request.group).catch((error: unknown) => error);
  await driver.until(() => held.length > 0);
  const sealing = client.seal(request).catch((error: unknown) => error);
  let isOver = false;
  void sealing.then(() => {
    isOver = true;
  });
  // Its own sync may have been told nothing, because this one is told.
  keepers[0]?.answer({ figures, isThere: true });
  await driver.quiet();
  expect(isOver).toBe(false);
  held.shift()?.();
  for (const error of [await listing, await sealing]) expect(error).toBeInstanceOf(UnknownNamesError);
  expect(keepers.map(({ isEnded }) => isEnded)).toEqual([true]);
  await expect(client.seal(request)).rejects.toThrow("nobody knows what is in /: ");
  await driver.quiet();
  expect(client.trouble).toContain("store retry --remounted");
  expect(noted(host).trouble).toBe(client.trouble);
  isHeld = false;
  client.trustNames();
  expect([client.trouble, noted(host).trouble]).toEqual([undefined, undefined]);
  const again = client.seal(request);
  keepers[1]?.answer({ figures, isThere: true });
  await again;
  expect(await driven(driver, client.storedSeq(request.group))).toBe(0);
});

test("fault 13: a failed sync that ends a start is noted first, since the next start would meet none", async () => {
  const { host, driver, doubt } = withName("/objects", "/objects/segments");
  host.disk.failNext("syncFolder");
  await expect(opened({ host, driver }, { doubt })).rejects.toThrow("nobody knows what is in /: ");
  expect(noted(host).trouble).toContain("store retry --remounted");
  const { client } = await opened({ host, driver }, { doubt: noted(host) });
  await expect(client.seal(request)).rejects.toThrow("store retry --remounted");
});
