/** Whoever knocks at a door without being meant to: crowds that say nothing, nonsense, or half of something. */
import { Crowd } from "#test/kill/crowd.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import type { FaultKind } from "./fault-kind.ts";
import type { World } from "./world.ts";

const crowdMax = 40;
const nonsenseBytesMax = 100_000;

/** What nobody answers well, at whatever door. */
const said: Readonly<Record<string, (random: SeededRandom) => Buffer>> = {
  nothing: () => Buffer.alloc(0),
  nonsense: (random) => random.bytes(random.between(1, nonsenseBytesMax)),
  "half of a request": () =>
    Buffer.from("POST /api/v1/volumes HTTP/1.1\r\nHost: here\r\nContent-Length: 1000000\r\n\r\n{"),
  "half of a handshake": () => Buffer.from("0000000349484156454f50540000000700000010", "hex"),
  "a length without an end": () => Buffer.from("0000000349484156454f505400000007ffffffff", "hex"),
};

function knocking(door: keyof World["doors"]): FaultKind {
  return {
    name: `strangers at the door: ${door}`,
    begin: async ({ doors }, random) => {
      const words = random.pick(Object.values(said))(random);
      const crowd = new Crowd();
      // Whoever is dead or frozen lets nobody in: nobody waits for that.
      void crowd.come(doors[door], random.between(1, crowdMax), words);
      return { end: async () => crowd.leave() };
    },
  };
}

export const strangers: readonly FaultKind[] = (["nbd", "wire", "interceptor", "local", "remote"] as const).map(
  knocking,
);
