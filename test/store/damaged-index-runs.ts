/** Has damaged copies of an index used by processes that may die of it. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { Damage, IndexSize } from "./index-damage.ts";

const program = fileURLToPath(new URL("damaged-index.ts", import.meta.url));
const kinds: readonly Damage["kind"][] = ["bit", "zeros", "bit", "chance", "bit", "end", "bit", "other page"];
/** One that goes in circles is ended. */
const circlesMs = 60_000;
/** As many as a process is asked for at a time. */
const damagesPerProcess = 250;

export interface DamagedRun {
  readonly damage: Damage;
  /** Processes that it has ended before one could use it. */
  readonly deathCount: number;
  readonly isMissing: boolean;
  readonly hits: number;
  /** Of blocks that were added after the damage: a file without checksums may lose them, and they are kept twice then. */
  readonly lostCount: number;
  readonly wrongCount: number;
  readonly warnings: readonly string[];
}

/** Every other one is where a file says what it is, at its beginning, which chance would rarely meet. */
export function chanceDamages(seed: number, count: number): Damage[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, (_, number): Damage => {
    const kind = kinds[(number >> 1) % kinds.length] as Damage["kind"];
    return { kind, at: random.integerBelow(2 ** 30) / 2 ** 30 / (number % 2 === 0 ? 1 : 60) };
  });
}

/** Every bit of a small index whose number the step divides. */
export function eachBit(mapBytes: number, step: number): Damage[] {
  return Array.from({ length: Math.ceil((mapBytes * 8) / step) }, (_, index) => ({
    kind: "this bit",
    at: index * step,
  }));
}

/** An index of this size, copies of which can be damaged. */
export class DamagedIndex {
  readonly #size: IndexSize;
  readonly #template = folderInMemory();
  readonly #copy = `${folderInMemory()}/copy`;

  constructor(size: IndexSize) {
    this.#size = size;
    this.#run("", "begin");
  }

  get mapBytes(): number {
    return statSync(`${this.#template}/fingerprints.map`).size;
  }

  /** Throws where an index never became usable. */
  runs(damages: readonly Damage[], deathsMax: number): DamagedRun[] {
    const runs: DamagedRun[] = [];
    while (runs.length < damages.length) {
      const rest = damages.slice(runs.length, runs.length + damagesPerProcess);
      const { answers, isDead } = this.#run(this.#copy, JSON.stringify(rest));
      for (const [number, answer] of answers.entries())
        runs.push({ damage: rest[number] as Damage, deathCount: 0, ...answer });
      if (isDead) runs.push(this.#survived(damages[runs.length] as Damage, deathsMax));
    }
    return runs;
  }

  #survived(damage: Damage, deathsMax: number): DamagedRun {
    for (let deathCount = 1; deathCount <= deathsMax; deathCount++) {
      const [answer] = this.#run(this.#copy, "again").answers;
      if (answer !== undefined) return { damage, deathCount, ...answer };
    }
    throw new Error(`the index with ${JSON.stringify(damage)} ends everybody, also after ${deathsMax} times`);
  }

  #run(copy: string, what: string): { readonly answers: Answer[]; readonly isDead: boolean } {
    const { stdout, signal, status } = spawnSync(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", program, this.#size, this.#template, copy, what],
      {
        encoding: "utf8",
        timeout: circlesMs,
        killSignal: "SIGKILL",
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    const lines = stdout.split("\n").filter((line) => line.endsWith("}"));
    const answers = lines.map((line) => JSON.parse(line)).filter((words) => !("start" in words)) as Answer[];
    return { answers, isDead: signal !== null || status !== 0 };
  }
}

/** Where a sync costs nothing, if there is such a place. */
function folderInMemory(): string {
  const place = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
  const folder = mkdtempSync(join(place, "tidemark-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

type Answer = Omit<DamagedRun, "damage" | "deathCount">;
