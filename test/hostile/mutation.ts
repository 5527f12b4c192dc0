/** Spoils sessions: what is left is nearly right, so that it comes far before it is found out. */
import type { SeededRandom } from "#test/sim/seeded-random.ts";

const numbers = [0, 1, 27, 28, 0x7fffffff, 0x80000000, 0xffffffff, 65_536, 65_537, 33_554_432, 33_554_433, 67_108_865];

/** The bytes of a session, most often with something wrong. */
export function spoiled(messages: readonly Buffer[], random: SeededRandom): Buffer {
  const changed = messages.map((message) => Buffer.from(message));
  const count = random.chance(0.3) ? 0 : random.between(1, 3);
  for (let index = 0; index < count; index++) spoilOnce(changed, random);
  const bytes = Buffer.concat(changed);
  return random.chance(0.1) ? bytes.subarray(0, random.integerBelow(bytes.length + 1)) : bytes;
}

function spoilOnce(messages: Buffer[], random: SeededRandom): void {
  if (messages.length === 0) return;
  // Rather later than earlier: what is spoiled at the start goes no further.
  const index = Math.max(random.integerBelow(messages.length), random.integerBelow(messages.length));
  const message = messages[index] as Buffer;
  const at = random.integerBelow(Math.min(message.length, 48) + 1);
  switch (random.integerBelow(8)) {
    case 0:
      if (at < message.length) message[at] = (message[at] as number) ^ (1 << random.integerBelow(8));
      return;
    case 1:
      messages[index] = message.subarray(0, at);
      return;
    case 2:
      messages.splice(random.integerBelow(messages.length + 1), 0, Buffer.from(message));
      return;
    case 3:
      messages.splice(index, 1);
      return;
    case 4: {
      const other = random.pick(messages);
      messages[index] = Buffer.concat([message.subarray(0, at), other.subarray(random.integerBelow(other.length + 1))]);
      return;
    }
    case 5:
      spoilNumber(message, random);
      return;
    case 6:
      messages[index] = Buffer.concat([
        message.subarray(0, at),
        random.bytes(random.between(1, 9)),
        message.subarray(at),
      ]);
      return;
    default: {
      const otherIndex = random.integerBelow(messages.length);
      [messages[index], messages[otherIndex]] = [messages[otherIndex] as Buffer, message];
    }
  }
}

/** A length, a count or a magic number, where the headers have theirs. */
function spoilNumber(message: Buffer, random: SeededRandom): void {
  const at = random.pick([0, 4, 8, 12, 16, 20, 24, 28]);
  if (at + 4 <= message.length) message.writeUInt32BE(random.pick(numbers), at);
}
