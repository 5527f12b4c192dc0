/** What operators are told of the drills that there were. */
import { expect, test } from "vitest";
import { drillsText } from "#src/cli/drill.ts";
import type { Drill } from "#src/control/drill.ts";
import { drillsReport } from "#src/control/drill-list.ts";
import type { ViewProcess } from "#src/control/view-process.ts";
import { RetryError } from "#src/core/errors.ts";

const [known, silent, removed] = ["a".repeat(32), "b".repeat(32), "c".repeat(32)];

function drill(id: number, group: string, seq: number): Drill {
  const named = { group, groupName: "g", volume: 1, volumeName: "disk" };
  return {
    id,
    ...named,
    seq,
    timeMicros: seq,
    outcome: "proven",
    command: "c",
    by: "schedule",
    startedMs: 0,
    durationMs: 0,
  };
}

async function listed() {
  const asked: unknown[] = [];
  const ask = async (word: string, what: { readonly group: string }) => {
    asked.push({ [word]: what });
    if (what.group === silent) throw new RetryError("it has ended");
    return [8];
  };
  const drills = [
    drill(1, known, 7),
    drill(2, known, 8),
    drill(3, silent, 7),
    drill(4, removed, 7),
    drill(5, known, 8),
  ];
  const group = { name: "g", durable: 9, volumes: [] };
  const report = await drillsReport({
    drills: () => drills,
    waiting: () => [{ volume: "new", group: "g", why: "nothing is durable here yet" }],
    server: { ask: ask as unknown as ViewProcess["ask"] },
    groups: () => [known, silent, "d".repeat(32)].map((id) => ({ ...group, id })),
  });
  return { asked, report };
}

test("drills are told with whether their points are there still, as far as somebody can say it", async () => {
  const { asked, report } = await listed();
  expect(report.drills.map(({ id, point }) => [id, point])).toEqual([
    [1, false],
    [2, true],
    [3, undefined],
    [4, undefined],
    [5, true],
  ]);
  const seqsOf = { [known]: [7, 8], [silent]: [7] };
  expect(asked).toEqual(
    Object.entries(seqsOf).map(([group, seqs]) => ({ stillPoints: { group, volume: 1, durableSeq: 9, seqs } })),
  );
});

test("for people those that can be opened no more say so, and volumes that have nothing to prove yet", async () => {
  const { report } = await listed();
  const lines = drillsText(report).split("\n");
  expect(lines.flatMap((line, index) => (line.endsWith("no point any more") ? [index] : []))).toEqual([1]);
  const waiting = "volume new of group g is drilled from its first point on: nothing is durable here yet";
  expect(lines.at(-2)).toBe(waiting);
  expect(drillsText({ drills: [], waiting: report.waiting })).toBe(`no drills yet\n${waiting}\n`);
});
