import { describe, expect, test } from "vitest";
import {
  NbdConnectionError,
  NbdOptionError,
  NbdProtocolError,
  NbdRequestError,
  NbdServerError,
} from "#src/nbd/client/errors.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import { handshakeBytes, play } from "./recorded-session.ts";

function isOk(outcome: "ok" | Error): boolean {
  return outcome === "ok";
}

describe("a good session", () => {
  test("is a good session", async () => {
    expect(await play((wire, message) => wire.say(message))).toEqual(["ok", "ok", "ok"]);
  });

  test("cut after any byte is noticed, and nothing hangs or is told twice", async () => {
    let wholeBytes = 0;
    await play((wire, message) => {
      wholeBytes += message.length;
      wire.say(message);
    });
    const okCounts: number[] = [];
    for (let endByte = 0; endByte <= wholeBytes; endByte++) {
      let leftBytes = endByte;
      const outcomes = await play((wire, message) => {
        wire.say(message.subarray(0, leftBytes));
        if (message.length > leftBytes) wire.hangUp();
        leftBytes -= Math.min(leftBytes, message.length);
      });
      for (const outcome of outcomes) if (outcome !== "ok") expect(outcome).toBeInstanceOf(NbdConnectionError);
      okCounts.push(outcomes.filter(isOk).length);
    }
    expect(wholeBytes).toBeGreaterThan(handshakeBytes + 100);
    expect(okCounts.slice(0, handshakeBytes).every((count) => count === 0)).toBe(true);
    expect(okCounts.toSorted((a, b) => a - b)).toEqual(okCounts);
    expect(okCounts.at(-1)).toBe(3);
  });

  test("altered anywhere ends well or with an error of the protocol, and nothing hangs", async () => {
    const seed = 20_260_401;
    const random = new SeededRandom(seed);
    const kinds = [NbdConnectionError, NbdOptionError, NbdProtocolError, NbdRequestError, NbdServerError];
    const seen = new Map<string, number>();
    for (let count = 0; count < 3000; count++) {
      const alterations = random.between(1, 3);
      const chance = random.chance(0.5) ? 0.1 : 1;
      let left = alterations;
      const outcomes = await play((wire, message) => {
        const isAltered = left > 0 && random.chance(chance);
        if (isAltered) left--;
        wire.say(isAltered ? altered(message, random) : message);
      });
      for (const outcome of outcomes) {
        const name = outcome === "ok" ? outcome : outcome.constructor.name;
        seen.set(name, (seen.get(name) ?? 0) + 1);
        if (outcome === "ok") continue;
        expect(
          kinds.some((kind) => outcome instanceof kind),
          `seed ${seed}, session ${count}: ${outcome.stack}`,
        ).toBe(true);
      }
    }
    expect([...seen.keys()].sort()).toEqual(
      ["NbdConnectionError", "NbdOptionError", "NbdProtocolError", "NbdRequestError", "NbdServerError", "ok"].sort(),
    );
  });
});

/** A bit turned, an edge value put in, bytes taken out or put in. */
function altered(message: Buffer, random: SeededRandom): Buffer {
  const bytes = Buffer.from(message);
  const at = random.integerBelow(bytes.length);
  switch (random.integerBelow(5)) {
    case 0:
      bytes[at] = (bytes[at] as number) ^ (1 << random.integerBelow(8));
      return bytes;
    case 1:
      return bytes.fill(random.pick([0, 0x7f, 0x80, 0xff]), at, Math.min(bytes.length, at + random.pick([1, 2, 4, 8])));
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.pick([1, 4, 8, 20]))]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at), Buffer.alloc(random.pick([1, 8, 70_000])), bytes.subarray(at)]);
    default:
      return Buffer.concat([bytes, bytes]);
  }
}
