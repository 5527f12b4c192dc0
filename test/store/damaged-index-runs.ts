/** Has damaged copies of an index used by processes that may die of it. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { Damage } from "./index-damage.ts";

const program = fileURLToPath(new URL("damaged-index.ts", import.meta.url));
const kinds: readonly Damage["kind"][] = ["bit", "zeros", "bit", "chance", "bit", "end", "bit", "other page"];
/** One that goes in circles is ended. */
const circlesMs = 60_000;

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

/** Throws where an index never became usable. */
export function damagedRuns(damages: readonly Damage[], deathsMax: number): DamagedRun[] {
  const template = temporaryFolder();
  runProgram([template, "", "begin"]);
  const copy = `${temporaryFolder()}/copy`;
  const runs: DamagedRun[] = [];
  while (runs.length < damages.length) {
    const rest = damages.slice(runs.length);
    const { answers, isDead } = runProgram([template, copy, JSON.stringify(rest)]);
    for (const [number, answer] of answers.entries())
      runs.push({ damage: rest[number] as Damage, deathCount: 0, ...answer });
    if (isDead) runs.push(survived(damages[runs.length] as Damage, [template, copy, "again"], deathsMax));
  }
  return runs;
}

type Answer = Omit<DamagedRun, "damage" | "deathCount">;

function survived(damage: Damage, args: string[], deathsMax: number): DamagedRun {
  for (let deathCount = 1; deathCount <= deathsMax; deathCount++) {
    const [answer] = runProgram(args).answers;
    if (answer !== undefined) return { damage, deathCount, ...answer };
  }
  throw new Error(`the index with ${JSON.stringify(damage)} ends everybody, also after ${deathsMax} times`);
}

function runProgram(args: string[]): { readonly answers: Answer[]; readonly isDead: boolean } {
  const { stdout, signal, status } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", program, ...args],
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
