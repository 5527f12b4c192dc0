import { expect, test } from "vitest";
import { LinkMeter } from "#src/appliance/local/link-meter.ts";

test("an answer is timed from the shipment that it answers", () => {
  const meter = new LinkMeter(0);
  meter.shipped(4096);
  expect(meter.isFollowing).toBe(false);
  meter.follow(10, 100);
  meter.shipped(4096);
  expect(meter.isFollowing).toBe(true);
  meter.received(9, 105);
  meter.received(15, 108);
  meter.shipped(4096);
  meter.follow(30, 110);
  meter.received(30, 114);
  expect(meter.take(1000)).toEqual({ answerMs: 6, shippedBytesPerSecond: 3 * 4096, addedBytesPerSecond: 0 });
  expect(meter.take(2000)).toEqual({ answerMs: undefined, shippedBytesPerSecond: 0, addedBytesPerSecond: 0 });
});

test("an answer that does not come is known to take at least as long as it has been waited for", () => {
  const meter = new LinkMeter(0);
  meter.follow(10, 100);
  expect(meter.take(1000).answerMs).toBe(900);
  meter.linkLost();
  expect(meter.take(2000).answerMs).toBeUndefined();
});

test("rates are by the time between two looks", () => {
  const meter = new LinkMeter(500);
  meter.added(10_000);
  expect(meter.take(2500).addedBytesPerSecond).toBe(5000);
});
