/** `tidemark events [--follow]`. */
import type { ApiEvent } from "#src/control/http/events/event.ts";
import { watchEveryMs } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { endingSignal } from "./ending-signal.ts";
import { EventListening } from "./event-listening.ts";

const help = `Usage: tidemark events [OPTION ...]

Shows what has happened, also before the last start, as far as it is kept (the last thousand or so): modes, links, lag, marks, snapshots,
alarms, volumes, long works, orders, and when the program was started and ended; a start without an end before it: it was killed.

  --follow           go on, until Ctrl-C; a connection that is lost is made again, and what was missed comes first
  --after ID         only what came behind this event
${apiHelp}
Example:
  tidemark events --follow
`;

interface EventsReport {
  readonly missed: boolean;
  readonly events: readonly ApiEvent[];
}

export const eventsCommand: Command = {
  name: "events",
  summary: "show what happens",
  help,
  run: async (args) => {
    const options = { ...apiOptions, follow: { type: "boolean" }, after: { type: "string" } } as const;
    const { values, positionals } = parseCommandLine(args, options);
    if (positionals.length > 0) throw new UsageError(`events takes no '${positionals[0]}'`);
    const range = { min: 0, max: Number.MAX_SAFE_INTEGER };
    const after = values.after === undefined ? undefined : wholeNumber(values.after, "--after", range);
    const api = new ApiClient(values);
    const asJson = values.json === true;
    if (values.follow === true) return follow(api, after, asJson);
    const report = (await api.ask("GET", ["events"], { query: { after: after?.toString() } })) as EventsReport;
    if (asJson) process.stdout.write(`${JSON.stringify(report)}\n`);
    else process.stdout.write(`${report.missed ? missedText : ""}${report.events.map(eventText).join("")}`);
    return 0;
  },
};

const missedText = "(some that came before are not kept)\n";

/** Fails only where it never began: what is lost later comes back. */
async function follow(api: ApiClient, after: number | undefined, asJson: boolean): Promise<number> {
  const signal = endingSignal();
  const listening = new EventListening(api, after, {
    event: (event) => process.stdout.write(asJson ? `${JSON.stringify(event)}\n` : eventText(event)),
    missed: () => process.stderr.write(missedText),
  });
  let isOver = false;
  void signal.then(() => {
    isOver = true;
    listening.end();
  });
  while (!isOver) {
    const error = await listening.listen();
    if (isOver) break;
    if (!listening.hasBegun || error.isFinal) throw error.cause;
    process.stderr.write(`tidemark: ${error.cause.message}; trying again\n`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = nodeClock.timer(watchEveryMs, resolve);
    await Promise.race([promise, signal]);
    timer.cancel();
  }
  return 0;
}

function eventText({ time, kind, facts }: ApiEvent): string {
  const parts = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === "string" && /\s/.test(value) ? JSON.stringify(value) : value}`,
  );
  return `${time}  ${kind.padEnd(8)}  ${parts.join(" ")}\n`;
}
