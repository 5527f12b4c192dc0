/** A volume that answers nobody, since it waits for room, beside another one of the same program. */
import { expect, test } from "vitest";
import { KiB, MiB } from "#src/core/limits.ts";
import { NbdServer } from "#src/nbd/server.ts";
import { filled, VolumeWorld } from "#test/interceptor/volume-world.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { SimHostClock } from "#test/sim/sim-host-clock.ts";
import { flag, opening, request, type } from "./client-bytes.ts";
import { MemorySockets } from "./memory-connection.ts";
import { MemoryClient } from "./memory-server.ts";
import { ScriptedExport } from "./scripted-export.ts";

async function twoVolumes() {
  const world = await VolumeWorld.opened({ options: { whenFull: "wait" } });
  await world.warmUp();
  const other = new ScriptedExport({ sizeBytes: MiB });
  const time = new SimClock();
  const clock = new SimHostClock(time);
  const sockets = new MemorySockets((callback) => clock.soon(callback));
  const exports = { find: (name: string) => (name === "disk" ? world.volume : other), list: () => [] };
  const server = new NbdServer({ exports, sockets, clock });
  await server.listen({ kind: "unix", path: "memory" });
  const open = (name: string): MemoryClient => {
    const client = new MemoryClient(time, sockets.open(), "extended");
    client.say(Buffer.concat(opening("extended", [], name)));
    client.connection.takeOutput();
    return client;
  };
  return { world, open };
}

/** Hands over as much as is taken. */
function writeUntilRefused(client: MemoryClient, payload: Buffer): void {
  for (let count = 0; count < 300; count++) {
    const offset = (count % 5) * payload.length;
    const bytes = request("extended", {
      type: type.write,
      cookie: BigInt(count),
      offset,
      payload,
      flags: flag.payload,
    });
    if (client.say(bytes) < bytes.length) return;
  }
}

test.each([
  ["large writes, and a large read", [128, 128], 128],
  ["small writes, and a smallest read", [60, 60, 60, 4], 4],
])("another volume is read while one waits for room: %s", async (_, writtenKiB, readKiB) => {
  const { world, open } = await twoVolumes();
  const reader = open("other");
  world.links.hasRoom = false;
  for (const each of writtenKiB) writeUntilRefused(open("disk"), filled(each * KiB, 1));
  await world.pass(10);
  reader.say(request("extended", { type: type.read, cookie: 9n, offset: 0, length: readKiB * KiB }));
  expect(reader.replies(() => readKiB * KiB)).toHaveLength(1);
});
