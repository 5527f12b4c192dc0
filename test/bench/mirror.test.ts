import { expect, test } from "vitest";
import { type MirrorJob, requireMirroring } from "./mirror.ts";

const job: MirrorJob = { device: "mirror", status: "ready", ready: true, "io-status": "ok", len: 8, offset: 4 };

test("a mirror that is ready counts", () => {
  expect(requireMirroring([{ ...job, device: "another" }, job])).toBe(job);
});

test.each([
  ["has ended", []],
  ["is running", [{ ...job, status: "running", ready: false }]],
  ["met an error", [{ ...job, "io-status": "failed" }]],
] as const)("a mirror that %s does not", (_, jobs) => {
  expect(() => requireMirroring(jobs)).toThrow("the mirror");
});
