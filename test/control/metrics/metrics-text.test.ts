import { expect, test } from "vitest";
import { allMetrics } from "#src/control/metrics/all-metrics.ts";
import { charactersPerTurn, MetricsText } from "#src/control/metrics/metrics-text.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { measuredProgram, measuredVolume } from "./measured-program.ts";

function linesOf(text: string, name: string): string[] {
  return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

const metrics = new MetricsText(allMetrics, (callback) => nodeClock.soon(callback));

test("each metric has its help and its type, also where there is nothing to tell of it", async () => {
  const text = await metrics.of({ ...measuredProgram, volumes: [], store: undefined, remoteGroups: [] });
  for (const { name, kind } of allMetrics) {
    expect(text).toContain(`# HELP tidemark_${name} `);
    expect(text).toContain(`# TYPE tidemark_${name} ${kind}\n`);
  }
});

test("buckets count all that took no longer, and end with all", async () => {
  const text = await metrics.of(measuredProgram);
  const buckets = linesOf(text, "tidemark_write_duration_seconds_bucket");
  expect(buckets[0]).toBe('tidemark_write_duration_seconds_bucket{le="0.00005",volume="v",group="g"} 3');
  expect(buckets.at(-2)).toBe('tidemark_write_duration_seconds_bucket{le="30",volume="v",group="g"} 3');
  expect(buckets.at(-1)).toBe('tidemark_write_duration_seconds_bucket{le="+Inf",volume="v",group="g"} 4');
  expect(linesOf(text, "tidemark_write_duration_seconds_count")).toEqual([expect.stringMatching(/ 4$/)]);
  expect(linesOf(text, "tidemark_write_duration_seconds_sum")).toEqual([expect.stringMatching(/ 70\.00012$/)]);
});

test("two scrapes at a time get each what was known for it", async () => {
  const other = { ...measuredProgram, version: "9.9.9" };
  const [first, second] = await Promise.all([metrics.of(measuredProgram), metrics.of(other)]);
  expect(linesOf(first as string, "tidemark_build_info")).toEqual([
    'tidemark_build_info{version="1.2.3",runtime="v26.0.0"} 1',
  ]);
  expect(linesOf(second as string, "tidemark_build_info")).toEqual([
    'tidemark_build_info{version="9.9.9",runtime="v26.0.0"} 1',
  ]);
});

test("of many volumes it is written in parts, others have their turn in between, and all is of one moment", async () => {
  const namesOf = (word: string) => Array.from({ length: 300 }, (_, index) => `${word}-${index}`);
  const programOf = (word: string) => ({
    ...measuredProgram,
    volumes: namesOf(word).map((name) => ({ ...measuredVolume, name })),
  });
  const waiting: (() => void)[] = [];
  const divided = new MetricsText(allMetrics, (callback) => waiting.push(callback));
  const made = Promise.all([divided.of(programOf("one")), divided.of(programOf("other"))]);
  let turns = 0;
  for (; waiting.length > 0; turns += 1) {
    // Never more than both of them.
    expect(waiting.length).toBeLessThanOrEqual(2);
    for (const goOn of waiting.splice(0)) goOn();
    await Promise.resolve();
  }
  const [one, other] = await made;
  // The last part, and what is told of Node, come without a turn.
  expect(turns).toBeGreaterThan(one.length / charactersPerTurn - 2);
  expect(one).toContain('volume="one-299"');
  expect(one).not.toContain('volume="other-');
  expect(other).not.toContain('volume="one-');
});

test("a name is what it is, whatever it holds", async () => {
  const drills = [{ volume: 'a"b\\c\nd', group: "g", groupId: "", number: 1, isProven: true, endedMs: 1 }];
  const text = await metrics.of({ ...measuredProgram, drills });
  expect(linesOf(text, "tidemark_drill_last_success")).toEqual([
    'tidemark_drill_last_success{volume="a\\"b\\\\c\\nd",group="g"} 1',
  ]);
});

test("what Node tells of itself comes along", async () => {
  const text = await metrics.of(measuredProgram);
  expect(linesOf(text, "process_cpu_seconds_total")).toHaveLength(1);
  expect(linesOf(text, "nodejs_eventloop_lag_p99_seconds")).toHaveLength(1);
  expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
});
