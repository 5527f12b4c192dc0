/** Parts that somebody has altered who can make checksums fit: whatever they say, they harm nobody but who sent them. */
import { expect } from "vitest";
import { batchHeaderBytes } from "#src/core/limits.ts";
import { type BatchHeader, batchMagic, getBatchHeader, putBatchHeader } from "#src/records/batch.ts";
import { wireAggregate } from "#test/journals/wire-aggregate.ts";
import { payloadOf, wireBatch } from "#test/journals/wire-batch.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { hello, RemoteWorld } from "./remote-world.ts";

const ofPeer = ["ReconnectError", "RefuseError", "ResyncError"];

function partsFrom(firstSeq: number): Buffer[] {
  return wireAggregate({
    ...{ firstSeq, lastSeq: firstSeq + 20, recordsPerPart: 2 },
    ranges: [
      { volume: 1, startBlock: 0, blockCount: 3 },
      { volume: 2, startBlock: 9, blockCount: 1 },
    ],
    runs: [
      { startBlock: 3, payload: payloadOf(firstSeq, 2) },
      { startBlock: 9, payload: payloadOf(firstSeq, 1) },
      { volume: 2, startBlock: 0, payload: payloadOf(firstSeq, 1) },
    ],
  });
}

function forged(random: SeededRandom, part: Buffer): Buffer {
  const bytes = Buffer.from(part);
  const header = getBatchHeader(bytes, 0, batchMagic.aggregatePart) as BatchHeader;
  if (random.chance(0.4)) return withOtherHeader(random, bytes, header);
  const headsAt = batchHeaderBytes + header.payloadBytes;
  for (let count = random.between(1, 3); count > 0; count--) {
    const at = headsAt + random.integerBelow(header.headsBytes);
    bytes[at] = random.pick([0, 1, 2, 3, 9, 10, 0x7f, 0xff, random.integerBelow(256)]);
  }
  putBatchHeader(bytes, 0, header);
  return bytes;
}

function withOtherHeader(random: SeededRandom, bytes: Buffer, header: BatchHeader): Buffer {
  const field = random.pick([
    "epoch",
    "firstSeq",
    "position",
    "durableSeq",
    "incarnation",
    "recordCount",
    "magic",
  ] as const);
  const near = header[field] + random.pick([-1, 1, 2]);
  const value = random.pick([Math.max(0, near), 0, 1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]);
  const fits = { recordCount: Math.min(1024, Math.max(1, value)), magic: batchMagic.records };
  const change = field === "recordCount" || field === "magic" ? fits[field] : value;
  putBatchHeader(bytes, 0, {
    ...header,
    [field]: change % (field === "epoch" || field === "incarnation" ? 2 ** 32 : 2 ** 53),
  });
  return bytes;
}

/** What the journals have. Not what it makes of volumes: somebody may trim more than any volume has. */
function contentOf(world: RemoteWorld, lastSeq: number): string[] {
  return world.content(lastSeq).map(({ record, payload }) => JSON.stringify(record) + payload.toString("base64"));
}

async function live(seed: number): Promise<number> {
  const world = new RemoteWorld(seed);
  const random = world.simulation.random.fork("forger");
  await world.start();
  let taken = 0;
  for (let life = 1; life <= 8; life++) {
    const peer = await world.connect(hello({ life, writer: `writer-${life}`, firstSeq: 1, lastSeq: 1000 }));
    const { received } = peer.welcome;
    if (received > 2 ** 40) return taken;
    if (received === 0) peer.send(wireBatch({ firstSeq: 1 }, [{ startBlock: 0 }]));
    const parts = partsFrom(peer.last.received + 1);
    const victim = random.integerBelow(parts.length);
    try {
      for (const [index, part] of parts.entries()) peer.send(index === victim ? forged(random, part) : part);
      if (peer.last.received > received) taken++;
    } catch (error) {
      expect(ofPeer, (error as Error).stack ?? "").toContain((error as Error).name);
    }
    expect(world.appliance.status()).toMatchObject([{ state: "open" }]);
    const held = peer.last.received;
    const before = contentOf(world, held);
    peer.owner.closed();
    if (random.chance(0.5)) world.host.kill();
    else await world.stop();
    await world.start();
    expect(world.appliance.status()).toMatchObject([{ state: "open", received: held }]);
    expect(contentOf(world, held)).toEqual(before);
  }
  return taken;
}

/** Answers how many of the altered parts were taken. */
export async function liveAmongForgers(firstSeed: number, count: number): Promise<number> {
  let taken = 0;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    taken += await live(seed).catch((error: Error) => {
      throw new Error(`seed ${seed}: ${error.message}`, { cause: error });
    });
  }
  return taken;
}
