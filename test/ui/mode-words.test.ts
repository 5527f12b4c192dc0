import { expect, test } from "vitest";
import { modeWords } from "#src/ui/mode-words.ts";
import { volumeHealth } from "#src/ui/volume-health.ts";

const steady = { mode: "async", wantedMode: "async", state: "steady", lagRecords: 0 } as const;

test("a mode says what it promises, and a switch how far it is", () => {
  expect(modeWords(steady)).toMatch(/no more than the lag/);
  expect(modeWords({ ...steady, wantedMode: "sync", state: "draining", lagRecords: 1200 })).toMatch(
    /1\u202f200 records/,
  );
  expect(modeWords({ ...steady, wantedMode: "aggregated", why: "later" })).toMatch(/aggregated as soon .* \(later\)/);
  expect(modeWords({ ...steady, wantedMode: "auto" })).toMatch(/^Chosen by auto: async/);
  const lastSwitches = [{ from: "sync", to: "async", seq: 9, why: "auto: the link is down" } as const];
  expect(modeWords({ ...steady, wantedMode: "auto", lastSwitches })).toMatch(
    /^Chosen by auto: async \(the link is down\)/,
  );
  expect(modeWords({ ...steady, mode: "sync", wantedMode: "sync", state: "suspended", why: "no link" })).toBe(
    "No link.",
  );
});

test("a volume is as well as its group and its link let it be", () => {
  const group = { linkUp: true, state: "steady", mode: "async" } as const;
  const words = (state: "open" | "fenced" | "tracking", of: Parameters<typeof volumeHealth>[1]) =>
    volumeHealth({ state }, of);
  expect(words("open", group)).toEqual({ kind: "good", words: "protected" });
  expect(words("open", { ...group, linkUp: false }).kind).toBe("warn");
  expect(words("open", { ...group, state: "stalled" }).kind).toBe("bad");
  expect(words("fenced", group)).toEqual({ kind: "bad", words: "fenced" });
  expect(volumeHealth({ state: "open", hostWaitSeconds: 9 }, undefined).kind).toBe("good");
  const resync = { state: "open", hostWaitSeconds: 10, hostWaitFor: "resync" } as const;
  expect(volumeHealth(resync, undefined)).toEqual({ kind: "bad", words: "waits for its resync" });
  expect(volumeHealth({ state: "open", hostWaitSeconds: 10 }, undefined)).toEqual({
    kind: "bad",
    words: "stands still",
  });
  const copy = { regionsTotal: 1, regionsDone: 0, bytesTotal: 1, bytesDone: 0, bytesPerSecond: 0 };
  for (const [kind, badge] of [
    ["initial", "first copy"],
    ["resync", "resync"],
  ] as const) {
    expect(volumeHealth({ state: "open", copy: { ...copy, kind } }, group)).toEqual({ kind: "warn", words: badge });
  }
  expect(volumeHealth({ state: "open", isHistoryOnly: true }, undefined).words).toBe("history kept");
  expect(words("tracking", undefined)).toEqual({ kind: "bad", words: "unprotected" });
});
