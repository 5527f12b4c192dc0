import { expect, test } from "vitest";
import { demandMark, isItself, type MarkParts } from "#src/control/restore-mark.ts";
import { StopError } from "#src/core/errors.ts";
import { restoreMarkArrivalMs } from "#src/core/restore-limits.ts";
import { describeProtected } from "#src/interceptor/export-description.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const restored = { volume: "g/disk", number: 2, target: "nbd://site/disk" };

/** Marks that are points, and records that have written to the volume. */
function world() {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("remote");
  const history = { marks: [] as number[], writes: [7], newest: 9, lost: 0, isNewestLost: false };
  const points = {
    timeline: async () => ({ marks: history.marks.map((seq) => ({ seq, name: `m${seq}`, isPoint: seq % 2 === 0 })) }),
    resolve: async () =>
      history.isNewestLost
        ? { point: undefined, why: "record 9 is damaged", before: { seq: 8, timeMicros: 8 }, after: undefined }
        : { point: { seq: history.newest } },
    difference: async (
      _: number,
      { firstSeq, secondSeq }: { readonly firstSeq: number; readonly secondSeq: number },
    ) => {
      if (history.lost > firstSeq) throw new StopError(`record ${history.lost} is lost`);
      return { ranges: history.writes.filter((seq) => seq > firstSeq && seq <= secondSeq) };
    },
  };
  const parts: MarkParts = { clock, points: async () => points as never };
  const demanded = () => driven(simDriver(simulation.clock), demandMark(restored, parts));
  return { clock, history, demanded };
}

test("a volume's own export is known by how it describes itself, and by its name", () => {
  const told = describeProtected("g");
  expect(isItself(restored, "g", told)).toBe(true);
  expect(isItself({ ...restored, volume: "disk" }, "g", told)).toBe(true);
  expect(isItself({ ...restored, volume: "g/disk#1" }, "g", told)).toBe(true);
  expect(isItself(restored, "g", describeProtected("h"))).toBe(false);
  expect(isItself(restored, "g", "a disk")).toBe(false);
  expect(isItself({ ...restored, target: "nbd://site/other" }, "g", told)).toBe(false);
  expect(isItself({ ...restored, target: "/srv/disk" }, "g", told)).toBe(false);
});

test("what a volume holds must have a mark, behind which nothing was written to it", async () => {
  const { history, demanded } = world();
  const refusal = "what it holds now has no mark, which nobody here can set: detach its hosts, 'tidemark mark g/disk";
  await expect(demanded()).rejects.toThrow(refusal);
  // Before the last write, and no point.
  history.marks = [6, 9];
  await expect(demanded()).rejects.toThrow(refusal);
  history.marks = [6, 8];
  await demanded();
});

test("where it cannot be told what is behind the last mark that is said, and not that there is none", async () => {
  const { history, demanded } = world();
  history.marks = [8];
  history.isNewestLost = true;
  const untold = "whether it was written to behind its last mark 'm8' (seq:8) cannot be told: record 9 is";
  await expect(demanded()).rejects.toThrow(`${untold} damaged; the nearest points are before it seq:8`);
  history.isNewestLost = false;
  history.lost = 9;
  await expect(demanded()).rejects.toThrow(`${untold} lost; so it wants a new mark, which nobody here can set`);
  history.marks = [10];
  await demanded();
});

test("what had the name before is not restored onto what has it now", async () => {
  const points = async () => Promise.reject(new Error("nothing is looked for"));
  const earlier = { ...restored, volume: "g/disk#1" };
  await expect(demandMark(earlier, { clock: world().clock, points })).rejects.toThrow("not those of 'g/disk#1'");
});

test("a mark that is still on its way is waited for", async () => {
  const { clock, history, demanded } = world();
  clock.timer(restoreMarkArrivalMs / 2, () => {
    history.marks = [8];
  });
  await demanded();
});
