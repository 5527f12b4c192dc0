/** Strangers at the door of a real remote appliance, while a local one is at work. */
import { expect, test } from "vitest";
import { putChecksum } from "#src/host/checksum.ts";
import { encodeBulkHeader, encodeFrame, frameType } from "#src/wire/frame.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { descriptorCount, residentBytes } from "#test/oracle/process-facts.ts";
import { whenSeen } from "#test/patience.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { Crowd } from "./crowd.ts";
import { beginRounds, disturb } from "./rounds.ts";

needPrograms("setpriv");

const sizeBytes = 4 * MiB;
const strangerCount = 50;
/** Strangers send 200 MiB of garbage, and announce more than there is memory. */
const grownBytesMax = 128 * MiB;

/** The head of a frame of which the body never comes. */
function lengthBomb(): Buffer {
  const head = encodeFrame(frameType.hello, 0, Buffer.alloc(0)).subarray(0, 32);
  head.writeUInt32LE(0xffff_ffff, 8);
  putChecksum(head, 0, 24, head, 24);
  return head;
}

/** What they say, and what the log has to say of it. */
const strangers: readonly (readonly [Buffer, string])[] = [
  [Buffer.from("GET / HTTP/1.1\r\nHost: remote\r\n\r\n"), "the other side does not speak Tidemark"],
  [new SeededRandom(33).bytes(4 * MiB), "the other side does not speak Tidemark"],
  [lengthBomb(), "sent a frame of 4294967295 bytes"],
  [
    Buffer.concat([encodeBulkHeader(frameType.batches, 0, [Buffer.alloc(4096)]), Buffer.alloc(4096)]),
    `a frame of type ${frameType.batches} came where a hello should have come`,
  ],
];

test("fault 33: bombs, garbage and other protocols are refused with a line each, and the link that stands is not harmed", async () => {
  const rounds = await beginRounds({ sizeBytes, mode: "sync" }, 33);
  const { sites } = rounds;
  const remote = sites.program("remote");
  await disturb(rounds, async (host) => {
    const beforeBytes = residentBytes(remote.processId, "now");
    const beforeCount = descriptorCount(remote.processId);
    for (const [said] of strangers) {
      const crowd = new Crowd();
      await crowd.come({ path: sites.wireSocket }, strangerCount, said);
      await host.answered(10);
      await whenSeen(() => expect(crowd.count).toBe(0));
    }
    expect(residentBytes(remote.processId, "most")).toBeLessThan(beforeBytes + grownBytesMax);
    await whenSeen(() => expect(descriptorCount(remote.processId)).toBeLessThanOrEqual(beforeCount + 1));
  });
  const lines = remote.stderr.split("\n").filter((line) => line.includes("a peer was turned away"));
  expect(lines).toHaveLength(strangers.length * strangerCount);
  for (const [, why] of strangers) {
    expect(lines.filter((line) => line.includes(why)).length).toBeGreaterThanOrEqual(strangerCount);
  }
  expect(sites.program("local").stderr.match(/the remote is (there|gone)/g)).toEqual(["the remote is there"]);
});
