import { describe, expect, test } from "vitest";
import { wireBulkBytesMax, wireControlBytesMax, wireFrameHeaderBytes } from "#src/core/limits.ts";
import { putChecksum } from "#src/host/checksum.ts";
import { encodeBulkHeader, encodeFrame, frameType, getFrameHeader, hasSoundBody } from "#src/wire/frame.ts";

const golden = "544d46520111000018000000020000006880add66b82c3c0b2c045f4e5782094";
const body = Buffer.from("three numbers, 24 bytes.");

function header(type: number, bodyBytes: number, number = 0): Buffer {
  const bytes = encodeFrame(frameType.heartbeat, number, Buffer.alloc(0));
  bytes[5] = type;
  bytes.writeUInt32LE(bodyBytes, 8);
  return sealed(bytes);
}

function sealed(bytes: Buffer): Buffer {
  putChecksum(bytes, 0, 24, bytes, 24);
  return bytes;
}

test("a frame has these bytes, for ever", () => {
  const frame = encodeFrame(frameType.watermarks, 2, body);
  expect(frame.subarray(0, wireFrameHeaderBytes).toString("hex")).toBe(golden);
  expect(frame.subarray(wireFrameHeaderBytes).equals(body)).toBe(true);
});

test("what was encoded is read", () => {
  const frame = encodeFrame(frameType.watermarks, 7, body);
  const read = getFrameHeader(frame, 0, 7, wireBulkBytesMax);
  expect(read).toEqual({ type: frameType.watermarks, bodyBytes: body.length });
  expect(hasSoundBody(frame, 0, read)).toBe(true);
});

test("no bit of a header can be turned without being noticed", () => {
  const frame = encodeFrame(frameType.watermarks, 7, body);
  for (let bit = 0; bit < wireFrameHeaderBytes * 8; bit++) {
    const altered = Buffer.from(frame);
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(() => getFrameHeader(altered, 0, 7, wireBulkBytesMax), `bit ${bit}`).toThrow("altered");
  }
});

test("no bit of a body can be turned without being noticed", () => {
  const frame = encodeFrame(frameType.watermarks, 7, body);
  const read = getFrameHeader(frame, 0, 7, wireBulkBytesMax);
  for (let bit = wireFrameHeaderBytes * 8; bit < frame.length * 8; bit++) {
    const altered = Buffer.from(frame);
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    expect(hasSoundBody(altered, 0, read), `bit ${bit}`).toBe(false);
  }
});

test("batches check themselves: their frames have no checksum of the body", () => {
  const bytes = encodeBulkHeader(frameType.batches, 0, [body]);
  expect(bytes.readBigUInt64LE(16)).toBe(0n);
});

describe("what is refused", () => {
  test("something that is no frame", () => {
    const bytes = Buffer.from("GET / HTTP/1.1\r\nHost: example.org\r\n");
    expect(() => getFrameHeader(bytes, 0, 0, wireBulkBytesMax)).toThrow("does not speak Tidemark");
  });

  test("a frame of another version, in words", () => {
    const bytes = header(frameType.heartbeat, 0);
    bytes[4] = 9;
    expect(() => getFrameHeader(bytes, 0, 0, wireBulkBytesMax)).toThrow(
      "the other side sends frames of version 9, this side knows version 1",
    );
  });

  test("another version in the middle", () => {
    const bytes = header(frameType.heartbeat, 0, 3);
    bytes[4] = 9;
    expect(() => getFrameHeader(sealed(bytes), 0, 3, wireBulkBytesMax)).toThrow("changed its way of speaking");
  });

  test.each([0, 99, 255])("the unknown type %i", (type) => {
    expect(() => getFrameHeader(header(type, 0), 0, 0, wireBulkBytesMax)).toThrow(`a frame of type ${type}`);
  });

  test("a frame out of its turn", () => {
    expect(() => getFrameHeader(header(frameType.heartbeat, 0, 5), 0, 4, wireBulkBytesMax)).toThrow(
      "frame 5 came where frame 4 should have come",
    );
  });

  test.each([
    [frameType.farewell, wireControlBytesMax],
    [frameType.batches, wireBulkBytesMax],
  ])("a body of type %i that is longer than %i bytes", (type, mostBytes) => {
    expect(getFrameHeader(header(type, mostBytes), 0, 0, wireBulkBytesMax).bodyBytes).toBe(mostBytes);
    expect(() => getFrameHeader(header(type, mostBytes + 1), 0, 0, wireBulkBytesMax)).toThrow("are the limit");
  });

  test("a body that is longer than a stranger's may be", () => {
    expect(() => getFrameHeader(header(frameType.hello, 1001), 0, 0, 1000)).toThrow("1000 are the limit");
  });
});
