import { expect, test } from "vitest";
import { askedFor, linkBack, linkLost } from "#src/appliance/local/mode-machine.ts";
import { ModeSwitchCounts } from "#src/appliance/local/mode-switch-counts.ts";

test("switches are counted by what they led from and to, and by why, whatever was measured", () => {
  const counts = new ModeSwitchCounts();
  counts.add({ from: "async", to: "sync", why: askedFor });
  counts.add({ from: "sync", to: "async", why: linkLost });
  counts.add({ from: "async", to: "sync", why: linkBack });
  counts.add({ from: "sync", to: "async", why: "auto: the remote takes 12.3 ms to answer, and 5 are allowed" });
  counts.add({ from: "sync", to: "async", why: "auto: the link is down" });
  expect(counts.all).toEqual([
    { from: "async", to: "sync", why: "asked", count: 1 },
    { from: "sync", to: "async", why: "link-lost", count: 1 },
    { from: "async", to: "sync", why: "link-back", count: 1 },
    { from: "sync", to: "async", why: "auto", count: 2 },
  ]);
});
