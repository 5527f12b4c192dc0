/** `tidemark bisect`. */
import type { ViewFacts } from "#src/control/view.ts";
import { Bisection } from "#src/synth/bisection.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { commandText, type Trial, type TrialSteps, tryOnView } from "./view-trial.ts";

const withinSecondsMax = 86_400;
const cannotTell = 125;

const help = `Usage: tidemark bisect VOLUME --good POINT --bad POINT [OPTION ...] -- COMMAND [ARGUMENT ...]

Finds the first point at which something is wrong: opens points as writable views, each half way between the last good one and the first
bad one, and runs the command here on each. A status of 0 says that the point is good, 125 that this cannot be told, which ends the
search, any other one that it is bad. Both ends are tried first. Points of a million writes take some twenty tries.

The command finds TIDEMARK_URI (of the view), TIDEMARK_VIEW, TIDEMARK_VOLUME, TIDEMARK_SEQ and TIDEMARK_TIME in its environment. A
command of one word is a line for the shell. What it writes to a view is thrown away.

POINT: now (the last record durable at the remote appliance), seq:123, an ISO time, -5m, mark:NAME, snap:SEQ.

  --good POINT       where all was well
  --bad POINT        where it was not any more (now)
  --within SECONDS   so long each run may take (600)
${apiHelp}
Example:
  tidemark bisect disk --good -1d -- sh -c 'nbdcopy "$TIDEMARK_URI" - | grep -q "my table"'
`;

const options = {
  ...apiOptions,
  good: { type: "string" },
  bad: { type: "string", default: "now" },
  within: { type: "string", default: "600" },
} as const;

export const bisectCommand: Command = {
  name: "bisect",
  summary: "find the first point at which something is wrong",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    const [volume, ...words] = positionals;
    if (volume === undefined || words.length === 0 || values.good === undefined) {
      throw new UsageError(
        "bisect takes VOLUME, --good POINT, and a COMMAND behind --; 'tidemark bisect --help' tells more",
      );
    }
    const withinMs = wholeNumber(values.within, "--within", { min: 1, max: withinSecondsMax }) * 1000;
    const search = new Search({ api: new ApiClient(values), volume, command: commandText(words), withinMs });
    const { good, bad } = await search.run(values.good, values.bad);
    process.stdout.write(values.json === true ? `${JSON.stringify({ good, bad })}\n` : foundText(good, bad));
    return 0;
  },
};

interface FoundPoint {
  readonly seq: number;
  readonly time: string;
}

function foundText(good: FoundPoint, bad: FoundPoint): string {
  return `the first bad point is seq:${bad.seq} (${bad.time})\nthe last good one is seq:${good.seq} (${good.time})\n`;
}

interface SearchParts {
  readonly api: ApiClient;
  readonly volume: string;
  readonly command: string;
  readonly withinMs: number;
}

interface FoundPoints {
  readonly good: FoundPoint;
  readonly bad: FoundPoint;
}

export class Search {
  readonly #parts: SearchParts;

  constructor(parts: SearchParts) {
    this.#parts = parts;
  }

  /** The view of the good end is there until all is over: so nothing behind it is folded meanwhile, and each write stays a point. */
  async run(goodPoint: string, badPoint: string): Promise<FoundPoints> {
    let found: FoundPoints | undefined;
    const over = async (trial: Trial, signal: AbortSignal): Promise<void> => {
      const good = this.#end(trial, goodPoint, false);
      signal.throwIfAborted();
      const bad = this.#end(await this.#try(badPoint, false), badPoint, true);
      found = await this.#between(good, bad, signal);
    };
    await this.#try(goodPoint, false, { over });
    if (found === undefined) throw new Error("nothing came of the search");
    return found;
  }

  async #between(good: FoundPoint, bad: FoundPoint, signal: AbortSignal): Promise<FoundPoints> {
    const bisection = new Bisection(good.seq, bad.seq);
    const found = { good, bad };
    const told = new Set<string>();
    for (let seq = bisection.nextSeq; seq !== undefined; seq = bisection.nextSeq) {
      signal.throwIfAborted();
      const trial = await this.#try(`seq:${seq}`, true, { shouldRun: (view) => bisection.isNews(view.seq) });
      const isBad = trial.ending !== undefined && isBadEnding(trial);
      if (trial.ending !== undefined) {
        this.#tell(trial.view, isBad, `at most ${bisection.triesLeft - 1} more`);
        found[isBad ? "bad" : "good"] = pointOf(trial.view);
      }
      bisection.found(trial.view.seq, isBad);
      const { note } = trial.view;
      if (note !== undefined && !told.has(note)) process.stderr.write(`seq:${seq}: ${note}\n`);
      told.add(note ?? "");
    }
    signal.throwIfAborted();
    return found;
  }

  #end(trial: Trial, point: string, shouldBeBad: boolean): FoundPoint {
    const isBad = isBadEnding(trial);
    this.#tell(trial.view, isBad, point);
    if (isBad === shouldBeBad) return pointOf(trial.view);
    const found = `it is ${isBad ? "bad" : "good"}, says the command`;
    throw new Error(`${point} (seq:${trial.view.seq}) was to be ${shouldBeBad ? "bad" : "good"}, and ${found}`);
  }

  #try(point: string, isNearest: boolean, steps: TrialSteps = {}): Promise<Trial> {
    const { api, volume, command, withinMs } = this.#parts;
    return tryOnView(api, { volume, point, isNearest, command, withinMs }, steps);
  }

  #tell({ seq, time }: ViewFacts, isBad: boolean, more: string): void {
    process.stderr.write(`seq:${seq} (${time}) is ${isBad ? "bad" : "good"}; ${more}\n`);
  }
}

function pointOf({ seq, time }: ViewFacts): FoundPoint {
  return { seq, time };
}

function isBadEnding({ view, ending }: Trial): boolean {
  const status = ending?.status;
  if (status === undefined || status === cannotTell) {
    throw new Error(`at seq:${view.seq} the command cannot tell: ${ending?.why ?? "it was not run"}`);
  }
  return status !== 0;
}
