import { describe, expect, onTestFinished, test } from "vitest";
import { partEfforts } from "#src/core/store-limits.ts";
import { oneCallCompression } from "#src/host/node/part-compression.ts";
import {
  ContextCompression,
  nodeStreams,
  openContextCompression,
  type ZstdHandle,
  type ZstdStream,
} from "#src/host/node/zstd-context.ts";
import { partCompression, setPartEffort } from "#src/host/part-compression.ts";
import { describePartCompressionContract, pack, text, unpack } from "#test/contract/part-compression.ts";

describePartCompressionContract("a context that is used again", openedContexts);
describePartCompressionContract("a call of Node's for each part", () => oneCallCompression());

function openedContexts(): ContextCompression {
  const compression = openContextCompression();
  if (compression === undefined) throw new Error("this Node has no such contexts");
  return compression;
}

test("this Node has contexts that can be used again, and they are what is used", () => {
  expect(partCompression()).toBeInstanceOf(ContextCompression);
  expect(partCompression()).toBe(partCompression());
});

test("the more effort, the less is left, and everybody reads all of it", () => {
  onTestFinished(() => setPartEffort("normal"));
  const bytes = text(16_384);
  const reader = openedContexts();
  const lengths = partEfforts.map((effort) => {
    setPartEffort(effort);
    const packed = pack(partCompression(), bytes);
    expect(unpack(reader, packed, bytes.length)?.equals(bytes)).toBe(true);
    expect(unpack(oneCallCompression(), packed, bytes.length)?.equals(bytes)).toBe(true);
    return packed.length;
  });
  expect(lengths).toEqual([...new Set(lengths)].sort((one, other) => other - one));
});

test("what one way made, the other can read, and both make the same", () => {
  const contexts = openedContexts();
  for (const length of [1, 300, 16_384, 1_048_576]) {
    const bytes = text(length);
    const [one, other] = [pack(contexts, bytes), pack(oneCallCompression(), bytes)];
    expect(one.equals(other)).toBe(true);
    expect(unpack(oneCallCompression(), one, length)?.equals(bytes)).toBe(true);
    expect(unpack(contexts, other, length)?.equals(bytes)).toBe(true);
  }
});

test("a context that failed is closed and replaced, and closing closes what is left", () => {
  const counts = { made: 0, closed: 0 };
  const counted = (make: () => ZstdStream) => () => {
    const stream = make();
    const handle = stream._handle as ZstdHandle;
    const close = handle.close.bind(handle);
    handle.close = () => {
      counts.closed++;
      close();
    };
    counts.made++;
    return stream;
  };
  const streams = {
    compressing: counted(nodeStreams().compressing),
    decompressing: counted(nodeStreams().decompressing),
  };
  const compression = openContextCompression(streams);
  if (compression === undefined) return expect.unreachable("it is as expected");
  // One of each, and one for what was refused while it was tried.
  expect(counts).toEqual({ made: 3, closed: 1 });
  // The outline of a frame of four bytes, around what no decoder takes.
  const damaged = Buffer.from("28b52ffd2004250000ffffffff", "hex");
  for (let round = 0; round < 100; round++) expect(unpack(compression, damaged, 4)).toBeUndefined();
  expect(counts).toEqual({ made: 102, closed: 101 });
  for (let round = 0; round < 100; round++) unpack(compression, pack(compression, text(1000)), 1000);
  expect(counts).toEqual({ made: 103, closed: 101 });
  compression.close();
  expect(counts).toEqual({ made: 103, closed: 103 });
  expect(unpack(compression, pack(compression, text(1000)), 1000)).toEqual(text(1000));
});

describe("where Node is not as it was", () => {
  const handleOf = (stream: ZstdStream) => stream._handle as ZstdHandle;
  const refused = (compressing: () => ZstdStream, decompressing = nodeStreams().decompressing) =>
    openContextCompression({ compressing, decompressing }) === undefined;

  test("streams without handles are not used", () => {
    expect(refused(() => ({}))).toBe(true);
    expect(refused(nodeStreams().compressing, () => ({}))).toBe(true);
  });

  test("nor handles that say otherwise what came of a call", () => {
    const { compressing } = nodeStreams();
    expect(refused(() => ({ _handle: handleOf(compressing()) }))).toBe(true);
    expect(refused(() => ({ _handle: handleOf(compressing()), _writeState: new Uint32Array(2) }))).toBe(true);
    expect(refused(() => ({ _handle: handleOf(compressing()), _writeState: new Uint32Array(3) }))).toBe(true);
  });

  test("nor handles that do their work later, or not at all", () => {
    const idle = (): ZstdStream => {
      const stream = nodeStreams().compressing();
      handleOf(stream).writeSync = () => undefined;
      return stream;
    };
    expect(refused(idle)).toBe(true);
    expect(refused(nodeStreams().compressing, idle)).toBe(true);
  });

  test("nor handles that do not tell of errors, or throw them", () => {
    const silent = (): ZstdStream => {
      const { _handle, _writeState } = nodeStreams().decompressing();
      if (_handle === undefined || _writeState === undefined) return {};
      return {
        _writeState,
        _handle: {
          onerror: () => undefined,
          close: () => _handle.close(),
          writeSync: (...parameters) => {
            _handle.onerror = () => _writeState.fill(0);
            _handle.writeSync(...parameters);
          },
        },
      };
    };
    const throwing = (): ZstdStream => {
      const stream = nodeStreams().decompressing();
      handleOf(stream).writeSync = () => {
        throw new Error("not today");
      };
      return stream;
    };
    expect(refused(nodeStreams().compressing, silent)).toBe(true);
    expect(refused(nodeStreams().compressing, throwing)).toBe(true);
  });
});
