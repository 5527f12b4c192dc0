import { expect, test } from "vitest";
import type { Config } from "#src/control/config-schema.ts";
import type { ViewDefinition } from "#src/control/view.ts";
import { ViewServer } from "#src/control/view-server.ts";
import type { ViewWord } from "#src/control/view-words.ts";
import { imageDamageMsMin } from "#src/core/point-limits.ts";
import type { SocketAddress } from "#src/host/socket.ts";
import { connect } from "#src/nbd/client/connect.ts";
import { MetDamage } from "#src/store/met-damage.ts";
import { pieceGroup } from "#test/journals/sealed-pieces.ts";
import { PointWorld, storeFolder } from "#test/synth/point-world.ts";

/** Over the store alone. */
function serverOf({ host }: PointWorld): ViewServer {
  const place = { storeFolder, groupsFolder: "/data/groups", wrappingKey: undefined };
  // Nobody asks it for the configuration, which is for the machine that it is given here.
  const settings = {
    ...place,
    config: {} as Config,
    address: { kind: "unix", path: "/data/views.sock" } as const,
    tls: undefined,
  };
  return new ViewServer(host, settings, new MetDamage(host.clock, () => {}));
}

function viewOf(seq: number, since: readonly number[] = []): ViewDefinition {
  return {
    since: since.map((one) => ({ name: `since-${one}`, seq: one })),
    ...{ id: "a".repeat(32), name: "view", group: pieceGroup, groupName: "group", volume: 1, volumeName: "disk-1" },
    ...{ seq, timeMicros: 1, isWritable: false, incarnation: 1, openedMs: 1, isPutAway: false },
  };
}

test("a view of a point that was folded before it was pinned is refused, however lately the point was found", async () => {
  const world = await PointWorld.make(51);
  for (let count = 0; count < 4; count++) {
    world.write(30);
    await world.seal();
  }
  const server = serverOf(world);
  const ask = (word: ViewWord, what: object) => world.run(server.answer({ id: 1, word, ask: what }));
  const pieces = (await world.run(world.pieces())).slice(0, 3);
  const [first, last] = [pieces[0]?.numbers.lastSeq ?? 0, pieces[2]?.numbers.lastSeq ?? 0];
  const seq = world.pointSeqs.filter((one) => one > first && one < last - 3)[20] as number;
  const place = { group: pieceGroup, volume: 1, durableSeq: 0 };
  expect(await ask("resolve", { ...place, words: `seq:${seq}` })).toMatchObject({ answer: { point: { seq } } });
  await world.fold(pieces);
  await world.run(world.history.pin({ id: "view:a", seq, keeps: "history", reason: "view" }));
  expect(await ask("open", { view: viewOf(seq), folder: "/data/view", durableSeq: 0 })).toMatchObject({
    error: { message: expect.stringContaining(`${seq} is no point`) },
  });
  // Nor is one that tells what was written since then.
  expect(await ask("open", { view: viewOf(last, [last, seq]), folder: "/data/view", durableSeq: 0 })).toMatchObject({
    error: { message: expect.stringContaining(`${seq} is no point`) },
  });
  expect(await ask("open", { view: viewOf(last), folder: "/data/view", durableSeq: 0 })).toMatchObject({
    answer: { sizeBytes: expect.any(Number), findings: [] },
  });
  const once = { ...place, seqs: [seq, last, world.lastSeq] };
  expect(await ask("stillPoints", once)).toMatchObject({ answer: [last, world.lastSeq] });
  await ask("stop", {});
});

test("fault 18: what a view says to be damaged is looked at again when somebody asks, and not told when it was repaired", async () => {
  const world = await PointWorld.make(52);
  world.write(40);
  const { identity } = await world.seal();
  world.write(40);
  const { name } = await world.seal();
  await world.snapshot(identity.firstSeq + 10);
  const content = Buffer.alloc(await world.run(world.objects.sizeBytes(name)));
  await world.run(world.objects.read(name, content, 0));
  world.write(10);
  await world.seal();
  const damaged = Buffer.from(content);
  damaged[20] = (damaged[20] as number) ^ 0x10;
  await put(world, name, damaged);
  const server = serverOf(world);
  const ask = (word: ViewWord, what: object) => world.run(server.answer({ id: 1, word, ask: what }));
  const findings = [expect.stringContaining(name)];
  expect(await ask("open", { view: viewOf(world.lastSeq), folder: "/data/view", durableSeq: 0 })).toMatchObject({
    answer: { findings },
  });
  await world.pass(imageDamageMsMin);
  expect(await ask("facts", {})).toMatchObject({ answer: [{ findings }] });
  await put(world, name, content);
  for (let count = 0; count < 2; count++) {
    await world.pass(10 * imageDamageMsMin);
    await ask("facts", {});
  }
  expect(await ask("facts", {})).toMatchObject({ answer: [{ findings: [] }] });
  await ask("stop", {});
});

test("a history from now on is refused where nobody can tell which point is the newest", async () => {
  const world = await PointWorld.make(54);
  world.write(10);
  await world.seal();
  world.write(10);
  const { name } = await world.seal();
  const server = serverOf(world);
  const place = { group: pieceGroup, volume: 1, durableSeq: 0, from: "now", to: undefined };
  const ask = () => world.run(server.answer({ id: 1, word: "history", ask: place }));
  expect(await ask()).toMatchObject({ answer: { span: { fromMicros: expect.any(Number) } } });
  world.host.disk.fileAt(`${storeFolder}/${name}`).flipBit(20, 3);
  const anew = serverOf(world);
  expect(await world.run(anew.answer({ id: 2, word: "history", ask: place }))).toMatchObject({
    error: { message: expect.stringContaining("which point is the newest cannot be told: ") },
  });
  for (const one of [server, anew]) await world.run(one.answer({ id: 3, word: "stop", ask: {} }));
});

test("a view that is to be closed unwritten and was written to is as it was, but for its clients", async () => {
  const world = await PointWorld.make(53);
  world.write(10);
  await world.seal();
  const server = serverOf(world);
  const ask = async (word: ViewWord, what: object) =>
    ((await world.run(server.answer({ id: 1, word, ask: what }))) as { answer?: unknown }).answer;
  const view = { ...viewOf(world.lastSeq), isWritable: true };
  await ask("open", { view, folder: "/data/view", durableSeq: 0 });
  const address = (await ask("listen", {})) as SocketAddress;
  const { sockets, clock } = world.host;
  const limits = { connectTimeoutMs: 1000, requestTimeoutMs: 1000 };
  const client = await world.run(connect({ address, exportName: view.name, sockets, clock, ...limits }));
  await world.run(client.write(0, Buffer.alloc(4096, 7)));
  expect(await ask("close", { id: view.id, changes: 0 })).toEqual({ isWritten: true });
  expect(await ask("facts", {})).toMatchObject([{ id: view.id, changes: 1, connections: 0 }]);
  const again = await world.run(connect({ address, exportName: view.name, sockets, clock, ...limits }));
  expect(await world.run(again.read(0, 4096))).toEqual(Buffer.alloc(4096, 7));
  expect(await ask("close", { id: view.id, changes: 1 })).toEqual({});
  await ask("stop", {});
});

async function put(world: PointWorld, name: string, content: Buffer): Promise<void> {
  const writer = world.objects.restore(name);
  await world.run(writer.write(content));
  await world.run(writer.finish());
}
