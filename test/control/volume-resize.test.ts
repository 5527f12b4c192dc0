import { expect, test } from "vitest";
import { fitOf, type ResizeFacts, resized, resizeRefusal, unresized } from "#src/control/volume-resize.ts";

const facts: ResizeFacts = {
  name: "disk",
  sizeBytes: 40960,
  wantedBytes: 81920,
  state: "open",
  isCopying: false,
  connections: 3,
  source: "/disk",
  look: { kind: "file", sizeBytes: 40960 },
};
const device = { kind: "device", sizeBytes: 40960 } as const;
const volume = { id: "a", name: "disk", group: "g", source: "/disk", sizeBytes: 40960, baseMissing: false };

test.each<[string, Partial<ResizeFacts>, string | undefined]>([
  ["grows while hosts have it", {}, undefined],
  ["is cut while no host has it", { wantedBytes: 8192, connections: 0 }, undefined],
  ["is not cut while a host has it", { wantedBytes: 8192, connections: 1 }, "detach it from its hosts"],
  ["is cut between blocks alone", { wantedBytes: 8191, connections: 0 }, "must be a multiple of 4096 bytes"],
  ["grows to any size", { wantedBytes: 81921 }, undefined],
  ["waits for the end of a copy", { isCopying: true }, "wait until that has ended"],
  ["waits until it is open", { state: "redoing" }, "wait until it is"],
  ["waits for its local appliance", { state: "stalled" }, "wait until its local appliance is back"],
  ["waits for its protection", { state: "tracking" }, "wait until it is protected again"],
  ["waits for room in its source", { state: "full" }, "make room for what its state names"],
  ["is unfenced first", { state: "fenced" }, "repair its source and unfence it"],
  ["is not cut while it is fenced", { state: "fenced", wantedBytes: 8192 }, "repair its source and unfence it"],
  ["is not resized where it cannot be opened", { state: "failed" }, "its state says why"],
  ["follows a source that has the size", { look: { ...device, sizeBytes: 81920 } }, undefined],
  ["needs a disk of the size", { look: device }, "a block device and has 40960 bytes: give it 81920"],
  ["is told where a file is of no known size", { look: { kind: "file", sizeBytes: 5 } }, "neither the 40960"],
  ["is not looked at where another server has it", { look: undefined }, undefined],
  [
    "opens again with a source that grew meanwhile",
    { state: "opening", look: { ...device, sizeBytes: 81920 } },
    undefined,
  ],
  [
    "opens again with the source of a fenced one",
    { state: "fenced", look: { ...device, sizeBytes: 81920 } },
    undefined,
  ],
  ["but not tracking", { state: "tracking", look: { ...device, sizeBytes: 81920 } }, "until it is protected again"],
])("a volume %s", (_, change, words) => {
  const refusal = resizeRefusal({ ...facts, ...change });
  if (words === undefined) expect(refusal).toBe(undefined);
  else expect(refusal).toContain(words);
});

test("what is to be done with a source follows from what it is and has, for each combination one thing", () => {
  const sizes = { source: "/disk", previousBytes: 40960, wantedBytes: 81920 };
  const kinds = ["file", "device", "remote"] as const;
  const table = kinds.map((kind) => [40960, 81920, 7].map((sizeBytes) => fitOf({ kind, sizeBytes }, sizes).kind));
  expect(table).toEqual([
    ["truncate", "ready", "refuse"],
    ["keep", "ready", "refuse"],
    ["keep", "ready", "refuse"],
  ]);
});

test("what comes of an order is noted, and the order is gone", () => {
  const ordered = { ...volume, resizeTo: 81920 };
  expect(resized(ordered)).toEqual({ ...volume, sizeBytes: 81920, previousBytes: 40960 });
  expect(unresized(ordered)).toEqual(volume);
  expect(resized(volume)).toEqual(volume);
});
