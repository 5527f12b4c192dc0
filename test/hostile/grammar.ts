/** Sessions of clients as lists of messages: mostly what the protocol allows, with every choice that it leaves. */
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { checkedBytes, checkedContexts } from "./checking-export.ts";
import {
  clientFlags,
  contextData,
  flag,
  goData,
  option,
  optionCode,
  request,
  type Style,
  statusPayload,
  type,
} from "./client-bytes.ts";

const names = ["", "disk", "locked", "nobody", "n".repeat(255), "n".repeat(4097)];
const queries = [...checkedContexts, "base:", "base:other", "unknown:thing", "", "no colon"];

export function sessionMessages(random: SeededRandom): Buffer[] {
  const style: Style = random.pick(["simple", "structured", "extended"]);
  const messages = [clientFlags(random.chance(0.9) ? 3 : random.integerBelow(5))];
  if (style !== "simple" && random.chance(0.95))
    messages.push(option(style === "structured" ? optionCode.structuredReply : optionCode.extendedHeaders));
  for (let count = random.integerBelow(4); count > 0; count--) messages.push(anyOption(random));
  const name = random.chance(0.9) ? random.pick(names.slice(0, 3)) : random.pick(names);
  if (random.chance(0.6))
    messages.push(option(optionCode.setMetaContext, contextData(name, checkedContexts.slice(0, random.between(1, 2)))));
  if (random.chance(0.85)) messages.push(option(optionCode.go, goData(name, random.chance(0.5) ? [] : [1, 2, 3])));
  else messages.push(option(optionCode.exportName, Buffer.from(name)));
  for (let count = random.integerBelow(14); count > 0; count--) messages.push(anyRequest(random, style));
  if (random.chance(0.4)) messages.push(request(style, { type: type.disconnect, cookie: 0n }));
  return messages;
}

function anyOption(random: SeededRandom): Buffer {
  const name = random.pick(names);
  switch (random.integerBelow(11)) {
    case 0:
      return option(optionCode.list);
    case 1:
      return option(optionCode.info, goData(name, [random.integerBelow(5), 3]));
    case 2:
      return option(optionCode.listMetaContext, contextData(name, someQueries(random)));
    case 3:
      return option(optionCode.setMetaContext, contextData(name, someQueries(random)));
    case 4:
      return option(optionCode.structuredReply);
    case 5:
      return option(optionCode.startTls);
    case 6:
      return option(random.integerBelow(20), Buffer.alloc(random.integerBelow(40), random.integerBelow(256)));
    case 7:
      return option(random.integerBelow(12), Buffer.alloc(random.pick([65_536, 65_537, 70_000])));
    case 8:
      return option(
        optionCode.setMetaContext,
        contextData(name, new Array<string>(random.between(60, 70)).fill("base:")),
      );
    case 9:
      return random.chance(0.1) ? option(optionCode.abort) : option(optionCode.list);
    default:
      return option(optionCode.go, goData("nobody"));
  }
}

function someQueries(random: SeededRandom): string[] {
  return Array.from({ length: random.integerBelow(4) }, () => random.pick(queries));
}

function anyRequest(random: SeededRandom, style: Style): Buffer {
  const kind = random.chance(0.97) ? random.pick([0, 0, 0, 1, 1, 1, 3, 4, 5, 6, 6, 7, 7]) : random.integerBelow(12);
  const cookie = (BigInt(random.integerBelow(2 ** 32)) << 32n) | BigInt(random.integerBelow(2 ** 32));
  const flags = anyFlags(random, kind);
  const lengthMax = random.pick([1, 64, 512, 512, 4096, 4096, 9000, 41_000, checkedBytes]);
  const isOutside = random.chance(0.05);
  const length = random.between(isOutside ? 0 : 1, lengthMax);
  const offset = isOutside ? anyOffset(random, length) : random.integerBelow(checkedBytes - length + 1);
  if (kind === type.flush && random.chance(0.95)) return request(style, { type: kind, cookie, flags, length: 0 });
  if (kind === type.write) {
    const payload = Buffer.alloc(length, random.integerBelow(256));
    return request(style, { type: kind, cookie, flags, offset, payload });
  }
  if (kind === type.status && style === "extended" && random.chance(0.4)) {
    const ids = random.pick([[1], [2], [1, 2], [2, 1], [1, 1], [3], []]);
    return request(style, { type: kind, cookie, flags, offset, payload: statusPayload(length, ids) });
  }
  const isHuge = random.chance(0.01);
  return request(style, { type: kind, cookie, flags, offset, length: isHuge ? 0xffffffff : length });
}

function anyFlags(random: SeededRandom, kind: number): number {
  if (random.chance(0.6)) return 0;
  if (random.chance(0.05)) return random.integerBelow(256);
  if (kind === type.read) return random.pick([flag.df, flag.fua]);
  if (kind === type.writeZeroes) return random.pick([flag.noHole, flag.fastZero, flag.noHole | flag.fua]);
  return kind === type.status ? flag.requestOne : flag.fua;
}

function anyOffset(random: SeededRandom, length: number): bigint {
  if (random.chance(0.5)) return BigInt(checkedBytes - length + random.integerBelow(3));
  const bases = [0n, BigInt(checkedBytes), 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n];
  const value = random.pick(bases) + BigInt(random.between(-600, 600));
  return BigInt.asUintN(64, value);
}
