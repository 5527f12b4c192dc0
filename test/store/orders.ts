/**
 * Goes through all orders in which the steps of several works can come, one after the other and none by chance: a work stops
 * at each of its steps until it is its turn. The same choices lead to the same run, so that all of them can be tried by
 * beginning anew with another choice at the last place where there was one.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { assert } from "#src/core/assert.ts";

const current = new AsyncLocalStorage<Work>();

interface Work {
  readonly name: string;
  readonly isStep: (step: string) => boolean;
  /** What it is about to do, and what lets it go on; it may do several things at once. */
  readonly turns: { readonly step: string; readonly go: () => void }[];
  isOver: boolean;
}

export interface OrderedWorks {
  readonly works: Readonly<Record<string, () => Promise<void>>>;
  /** Which steps wait for their turn; the others belong to the one before. */
  readonly isStep: (work: string, step: string) => boolean;
  /** Whether a step may come now: time that others need, for example. */
  readonly mayStep?: (work: string, step: string, isOver: (work: string) => boolean) => boolean;
}

/** One run, by the choices that were made. */
class Order {
  readonly #choices: readonly number[];
  readonly counts: number[] = [];
  readonly steps: string[] = [];

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  async run({ works, isStep, mayStep }: OrderedWorks): Promise<void> {
    const all = Object.keys(works).map((name): Work => {
      return { name, isStep: (named) => isStep(name, named), turns: [], isOver: false };
    });
    const isOver = (name: string): boolean => all.some((work) => work.name === name && work.isOver);
    const ends = all.map((work) =>
      current.run(work, async () => {
        try {
          await step("begins");
          await works[work.name]?.();
        } finally {
          work.isOver = true;
        }
      }),
    );
    const failure = Promise.all(ends);
    failure.catch(() => {});
    for (;;) {
      await resting();
      const ready = all.filter(
        (work) => work.turns[0] !== undefined && mayStep?.(work.name, work.turns[0].step, isOver) !== false,
      );
      if (ready.length === 0) break;
      const choice = this.#choices[this.counts.length] ?? 0;
      this.counts.push(ready.length);
      const next = ready[choice] as Work;
      const turn = next.turns.shift();
      this.steps.push(`${next.name} ${turn?.step}`);
      turn?.go();
    }
    const stuck = all.filter(({ turns }) => turns.length > 0);
    assert(stuck.length === 0, `a work waits for what never comes: ${this.steps.join(", ")}`);
    await failure;
  }

  /** The next order, undefined behind the last one. */
  get next(): number[] | undefined {
    const made = this.counts.map((_, at) => this.#choices[at] ?? 0);
    for (let at = made.length - 1; at >= 0; at--) {
      if ((made[at] as number) + 1 < (this.counts[at] as number))
        return [...made.slice(0, at), (made[at] as number) + 1];
    }
    return undefined;
  }
}

/** Whoever is one of the works waits here for its turn. */
export async function step(name: string): Promise<void> {
  const work = current.getStore();
  if (work === undefined || !work.isStep(name)) return;
  await new Promise<void>((resolve) => {
    work.turns.push({ step: name, go: resolve });
  });
}

/** All that follows from the last step has happened. */
function resting(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Runs each order of what `begin` makes anew each time, and then its check. Answers how many there were, and the steps of the
 * first that failed, with why.
 */
export async function everyOrder(
  begin: () => Promise<OrderedWorks & { check(): Promise<void> }>,
): Promise<{ orderCount: number; failure: string | undefined }> {
  let choices: number[] | undefined = [];
  let orderCount = 0;
  while (choices !== undefined) {
    const order: Order = new Order(choices);
    const run = await begin();
    orderCount++;
    try {
      await order.run(run);
      await run.check();
    } catch (error) {
      return { orderCount, failure: `${(error as Error).message}; the order: ${order.steps.join(", ")}` };
    }
    choices = order.next;
  }
  return { orderCount, failure: undefined };
}
