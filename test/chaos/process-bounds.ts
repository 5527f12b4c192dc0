/**
 * Descriptors and memory of the programs, looked at when nothing is under way: they may come and go, and never grow and grow. Files of
 * the store stay open for a while behind those who read them, so it is waited for that few are left.
 */
import { descriptorCount, residentBytes } from "#test/oracle/process-facts.ts";
import { roleNames } from "#test/oracle/sites.ts";
import { until } from "./until.ts";
import type { World } from "./world.ts";

const MiB = 2 ** 20;
const names = [...roleNames, "keeper", "views"] as const;
type Name = (typeof names)[number];

const firstLooks = 2;
/** What is only open for a while is closed by then; whoever grows goes on to grow. */
const comesDownMs = 150_000;

interface Facts {
  readonly descriptors: number;
  readonly bytes: number;
}

/**
 * Beyond what it had at the first look, or the second: some are opened, or taken, when they are first needed. A few for each thing that
 * happens once would be far more within minutes. Those that read the store keep files of it open for whoever comes next.
 */
const grownMax: Readonly<Record<Name, Facts>> = {
  interceptor: { descriptors: 16, bytes: 160 * MiB },
  local: { descriptors: 16, bytes: 160 * MiB },
  remote: { descriptors: 24, bytes: 160 * MiB },
  keeper: { descriptors: 160, bytes: 384 * MiB },
  views: { descriptors: 256, bytes: 384 * MiB },
};

export class ProcessBounds {
  readonly #world: World;
  readonly #first = new Map<Name, Facts[]>();
  readonly #most = new Map<Name, Facts>();

  constructor(world: World) {
    this.#world = world;
  }

  /** In words, the most that each had. */
  get most(): string {
    const words = [...this.#most].map(([name, { descriptors, bytes }]) => {
      return `${name} ${descriptors} descriptors, ${Math.round(bytes / MiB)} MiB`;
    });
    return words.join("; ");
  }

  /** Rejects where any of them has more than it may, and goes on having it. */
  async look(): Promise<void> {
    for (const name of names) {
      const first = this.#first.get(name) ?? [];
      this.#first.set(name, first);
      await until(
        `${name} has no more than it may`,
        async () => {
          const facts = factsOf(this.#idOf(name));
          if (facts === undefined) return;
          this.#most.set(name, mostOf([facts, this.#most.get(name) ?? facts]));
          if (first.length < firstLooks) first.push(facts);
          else assertWithin(facts, mostOf(first), grownMax[name]);
        },
        comesDownMs,
      );
    }
  }

  #idOf(name: Name): number | undefined {
    if (name === "keeper" || name === "views") return this.#world.childOfRemote(name);
    return this.#world.sites.program(name).processId;
  }
}

function assertWithin({ descriptors, bytes }: Facts, had: Facts, grown: Facts): void {
  if (descriptors > had.descriptors + grown.descriptors) {
    throw new Error(`it has ${descriptors} descriptors, and had ${had.descriptors}`);
  }
  if (bytes > had.bytes + grown.bytes) {
    throw new Error(`it has ${Math.round(bytes / MiB)} MiB, and had ${Math.round(had.bytes / MiB)}`);
  }
}

function mostOf(all: readonly Facts[]): Facts {
  return {
    descriptors: Math.max(...all.map(({ descriptors }) => descriptors)),
    bytes: Math.max(...all.map(({ bytes }) => bytes)),
  };
}

function factsOf(id: number | undefined): Facts | undefined {
  if (id === undefined) return undefined;
  try {
    return { descriptors: descriptorCount(id), bytes: residentBytes(id, "now") };
  } catch {
    // Those that keep the store and serve views end when there is nothing to do.
    return undefined;
  }
}
