/** How hard the process that keeps the store compresses is what it was told, and what it told those that help it. */
import { expect, onTestFinished, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { keepStore } from "#src/control/store-keeper.ts";
import type { StoreAnswer } from "#src/control/store-words.ts";
import { type PartEffort, partEfforts } from "#src/core/store-limits.ts";
import { plainFingerprints } from "#src/host/fingerprint.ts";
import { setPartEffort } from "#src/host/part-compression.ts";
import { ownHelpers } from "#src/store/seal-helpers.ts";
import { groupA, hello, RemoteWorld } from "#test/appliance/remote/remote-world.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { SimSortedMaps } from "#test/sim/sim-sorted-maps.ts";

const segment = 1;

/** Seals a segment; answers what that took, and what helpers were told. */
async function sealedWith(effort: PartEffort) {
  const world = new RemoteWorld(1);
  await world.start();
  const peer = await world.connect(hello());
  peer.send(wireBatch({ firstSeq: 1 }, [{ volume: 4, startBlock: 10, blockCount: 64, content: 1 }]));
  await world.durable(peer, 1);
  await world.stop();
  const assignments = ["data=/", "store.folder=/store", `store.compress=${effort}`];
  const { config } = loadConfig({ environment: {}, assignments, folder: "/" });
  const answers: StoreAnswer[] = [];
  const told: PartEffort[] = [];
  let ask: (message: unknown) => void = () => {};
  const line = {
    send: (message: unknown) => void answers.push(message as StoreAnswer),
    receive: (listener: (message: unknown) => void) => {
      ask = listener;
    },
  };
  const settings = { config, folder: "/store", indexFolder: "/index", isIndexSuspect: false, wrappingKey: undefined };
  const { host: machine, driver } = world;
  const indexBounds = { filterBytesMax: 4096, gatherBytesMax: 65_536 };
  const startSealHelp = ({ effort: one }: { readonly effort: PartEffort }) => {
    told.push(one);
    return ownHelpers(plainFingerprints);
  };
  keepStore(line, settings, { machine, maps: new SimSortedMaps(machine.files), indexBounds, startSealHelp });
  ask({ id: 1, word: "seal", ask: { group: groupA, folder: world.folder().path, segment } });
  const answered = () => answers.find((message) => "id" in message && message.id === 1);
  await driver.until(() => answered() !== undefined);
  const { figures } = (answered() as unknown as { answer: { figures: { physicalBytes: number } } }).answer;
  return { physicalBytes: figures.physicalBytes, told };
}

test("who wants a small store gets a smaller one, and whoever helps is told so", async () => {
  onTestFinished(() => setPartEffort("normal"));
  const [normal, small] = [await sealedWith("normal"), await sealedWith("small")];
  expect([normal.told, small.told]).toEqual([["normal"], ["small"]]);
  expect(small.physicalBytes).toBeLessThan(normal.physicalBytes);
  expect(partEfforts).toEqual(["normal", "small"]);
});
