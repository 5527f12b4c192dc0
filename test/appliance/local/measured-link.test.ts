import { expect, test } from "vitest";
import { LinkMeter } from "#src/appliance/local/link-meter.ts";
import { MeasuredLink } from "#src/appliance/local/measured-link.ts";
import { batchBytesMax } from "#src/core/limits.ts";
import { AggregatePartBuilder } from "#src/records/aggregate-part.ts";
import { wireBatch } from "#test/journals/wire-batch.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { ScriptedRemote } from "./scripted-remote.ts";

function measured() {
  const { clock } = new Simulation(1).host("here");
  const meter = new LinkMeter(clock.monotonicMs());
  const shipped: number[] = [];
  const remote = new ScriptedRemote();
  const link = Object.assign(Object.create(remote) as ScriptedRemote, {
    ship: (pieces: readonly Buffer[]) => {
      shipped.push(pieces.reduce((sum, piece) => sum + piece.length, 0));
      return false;
    },
  });
  return { meter, shipped, link: new MeasuredLink(link, meter, clock) };
}

test("the end of the first batch of a shipment is what its answer is waited for", () => {
  const { meter, shipped, link } = measured();
  const [first, second] = [wireBatch({ firstSeq: 5 }, [{}, {}]), wireBatch({ firstSeq: 7 }, [{}])];
  expect(link.ship([Buffer.concat([first, second])])).toBe(false);
  expect(shipped).toEqual([first.length + second.length]);
  expect(meter.take(1000).shippedBytesPerSecond).toBe(first.length + second.length);
  meter.received(5, 1);
  expect(meter.isFollowing).toBe(true);
  meter.received(6, 1);
  expect(meter.isFollowing).toBe(false);
});

test("a part of an aggregate is answered when all of the aggregate is there", () => {
  const { meter, link } = measured();
  const builder = new AggregatePartBuilder();
  const buffer = Buffer.alloc(batchBytesMax);
  builder.begin(buffer, 0);
  builder.addCommit({ records: 90, bytes: 0 });
  const byteLength = builder.finish({ epoch: 1, firstSeq: 10, lastSeq: 99, timeMicros: 1, partNumber: 0 });
  link.ship([buffer.subarray(0, byteLength)]);
  meter.received(98, 1);
  expect(meter.isFollowing).toBe(true);
  meter.received(99, 1);
  expect(meter.isFollowing).toBe(false);
});
