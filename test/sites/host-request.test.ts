import { expect, test } from "vitest";
import { command } from "#src/nbd/constants.ts";
import { HostRequest } from "./host-request.ts";

const payload = Buffer.alloc(512, 7);

function writeRequest(): HostRequest {
  const parts = { offset: 0, length: 512, fua: false, noHole: false, payload };
  return new HostRequest({ ...parts, command: command.write, ended: () => {} }, 28);
}

const holdsPayload = (bytes: Buffer, start: number): boolean => bytes.subarray(start, start + 512).equals(payload);

test("what was not kept is overwritten when the batch is over", () => {
  const request = writeRequest();
  const { buffer, start } = request;
  expect(holdsPayload(buffer, start)).toBe(true);
  request.complete(0);
  request.leave();
  expect(holdsPayload(buffer, start)).toBe(false);
});

test("what was kept has moved, and is overwritten when it was answered", () => {
  const request = writeRequest();
  const before = request.buffer;
  request.keep();
  request.leave();
  expect(holdsPayload(before, 28)).toBe(false);
  expect(holdsPayload(request.buffer, request.start)).toBe(true);
  request.complete(0);
  expect(holdsPayload(request.buffer, 0)).toBe(false);
});

test("what was kept without its payload has none any more", () => {
  const request = writeRequest();
  request.keepWithoutPayload();
  request.leave();
  expect(holdsPayload(request.buffer, request.start)).toBe(false);
});

test("a request that goes on without having been kept is a fault", () => {
  expect(() => writeRequest().leave()).toThrow("is kept");
});

test("a request ends once", () => {
  const request = writeRequest();
  request.complete(0);
  expect(() => request.complete(0)).toThrow("ends once");
});
