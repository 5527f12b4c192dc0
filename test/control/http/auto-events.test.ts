/** Auto moves a group of a local appliance, as its remote answers, and whoever listens hears of each move and why. */
import { expect, test } from "vitest";
import { EventWatch } from "#src/control/http/events/event-watch.ts";
import { type Bench, startBench } from "#test/appliance/local/appliance-bench.ts";

const secondMs = 1000;

class AutoStory {
  readonly bench: Bench;
  readonly #watch = new EventWatch();

  private constructor(bench: Bench) {
    this.bench = bench;
  }

  static async begin(): Promise<AutoStory> {
    const story = new AutoStory(await startBench("async"));
    story.bench.appliance.setMode("g", "auto");
    story.events();
    return story;
  }

  /** A second, in which a host writes and the remote answers. */
  async #second(answerMs: number): Promise<void> {
    const { bench } = this;
    const { remote } = bench;
    const { clock } = bench.simulation;
    const endMs = clock.nowMs + secondMs;
    const before = remote.shipments;
    bench.write(5, 1);
    bench.link.commit();
    if (remote.shipments === before) await clock.pass(secondMs / 2, () => remote.shipments > before);
    await bench.rest(answerMs);
    remote.markAll(bench.figures.lastSeq);
    bench.link.reportDurable(bench.link.lastOrdinal);
    await bench.rest(endMs - clock.nowMs);
  }

  async until(mode: string, answerMs: number): Promise<void> {
    for (let seconds = 0; this.bench.figures.mode !== mode; seconds++) {
      expect(seconds, `it does not come to ${mode}`).toBeLessThan(500);
      await this.#second(answerMs);
    }
  }

  async seconds(count: number, answerMs: number): Promise<void> {
    for (let second = 0; second < count; second++) await this.#second(answerMs);
  }

  /** What has happened since the last look. */
  events() {
    return this.#watch.look({ volumes: [], groups: [this.bench.figures], problems: [] });
  }
}

const toSync = (seq: number) => ({
  kind: "mode",
  facts: { group: "g", from: "async", to: "sync", wanted: "auto", seq, why: "auto: the remote answers within 1 ms" },
});
const toAsync = (seq: number) => ({
  kind: "mode",
  facts: {
    ...{ group: "g", from: "sync", to: "async", wanted: "auto", seq },
    why: "auto: the remote takes 25 ms to answer, and 5 are allowed",
  },
});

test("a group goes to sync when the remote has become quick, and back when it has not stayed so, and both are told", async () => {
  const story = await AutoStory.begin();
  await story.seconds(100, 25);
  expect(story.events()).toEqual([]);
  await story.until("sync", 1);
  const up = story.bench.figures.lastSwitches?.at(-1);
  expect(story.events()).toEqual([toSync(up?.seq ?? 0)]);
  expect(story.events()).toEqual([]);
  await story.until("async", 25);
  const down = story.bench.figures.lastSwitches?.at(-1);
  expect(down?.seq).toBeGreaterThan(up?.seq ?? 0);
  expect(story.events()).toEqual([toAsync(down?.seq ?? 0)]);
  expect(story.bench.shippedTypes.filter((type) => type === "mode")).toHaveLength(2);
});

test("moves that came between two looks are all told", async () => {
  const story = await AutoStory.begin();
  for (const [mode, answerMs] of [
    ["sync", 1],
    ["async", 25],
    ["sync", 1],
    ["async", 25],
  ] as const) {
    await story.until(mode, answerMs);
  }
  const seqs = story.bench.figures.lastSwitches?.map(({ seq }) => seq) ?? [];
  expect(seqs).toHaveLength(4);
  const [first, second, third, fourth] = seqs as [number, number, number, number];
  expect(story.events()).toEqual([toSync(first), toAsync(second), toSync(third), toAsync(fourth)]);
});

test("without a link auto leaves sync, also where sync was to stand still, and hosts go on", async () => {
  const story = await AutoStory.begin();
  const { bench } = story;
  expect(bench.policy.mode.linkLoss).toBe("stall");
  await story.until("sync", 1);
  story.events();
  bench.remote.go();
  const waits = bench.write(6, 1);
  bench.link.commit();
  await bench.rest(secondMs);
  expect(bench.acknowledged.at(-1)).toBeLessThan(waits);
  expect(story.events()).toMatchObject([{ kind: "link", facts: { up: false } }]);
  await bench.simulation.clock.pass(60 * secondMs, () => bench.figures.mode === "async");
  expect(bench.acknowledged.at(-1)).toBe(waits);
  expect(story.events()).toMatchObject([{ kind: "mode", facts: { to: "async", why: "auto: the link is down" } }]);
});
