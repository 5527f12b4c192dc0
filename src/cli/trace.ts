/** `tidemark trace VOLUME`: the life of single writes. */
import type { StatusReport } from "#src/control/control-plane.ts";
import { type TraceEntry, type TraceStep, traceSteps } from "#src/control/role.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { tracedWritesMax, traceLookMs, traceSecondsMax } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, wholeNumber } from "./command.ts";
import { endingSignal } from "./ending-signal.ts";
import { type Column, table } from "./table.ts";
import { TraceCollector } from "./trace-collector.ts";
import { onlyName } from "./volume.ts";

const secondsDefault = 10;
const countDefault = 20;

const help = `Usage: tidemark trace VOLUME [OPTION ...]

Waits for the next writes, and shows the life of each: after how many microseconds the appliance had acknowledged it, it
was in the source, the host was replied to, and the remote appliance had received it, had it durably, had it in its store.
What had not come by then is left out; so is what the remote appliance did, unless the local one is in the same process.

  --seconds N        waits so long, unless it is done before (${secondsDefault})
  --count N          writes that are shown (${countDefault}, ${tracedWritesMax} at most)
${apiHelp}
Example:
  tidemark trace disk --seconds 60
`;

const titles: Readonly<Record<TraceStep, string>> = {
  acknowledged: "ACKNOWLEDGED",
  sourceWritten: "IN SOURCE",
  replied: "REPLIED",
  received: "RECEIVED",
  durable: "DURABLE",
  stored: "STORED",
};

const columns: readonly Column<TraceEntry>[] = [
  { title: "TIME", text: (entry) => new Date(entry.atWallMs).toISOString() },
  { title: "SEQ", isNumber: true, text: (entry) => String(entry.seq ?? "") },
  { title: "KIND", text: (entry) => entry.kind },
  { title: "AT", isNumber: true, text: (entry) => String(entry.offsetBytes) },
  { title: "LENGTH", isNumber: true, text: (entry) => roundedByteSize(entry.lengthBytes) },
  ...traceSteps.map((step) => ({
    title: titles[step],
    isNumber: true,
    text: ({ steps }: TraceEntry) => (steps[step] === undefined ? "" : String(Math.round(steps[step]))),
  })),
];

export const traceCommand: Command = { name: "trace", summary: "show the life of single writes", help, run: trace };

async function trace(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, {
    ...apiOptions,
    seconds: { type: "string", default: String(secondsDefault) },
    count: { type: "string", default: String(countDefault) },
  });
  const name = onlyName("trace", positionals);
  const seconds = wholeNumber(values.seconds, "--seconds", { min: 1, max: traceSecondsMax });
  const count = wholeNumber(values.count, "--count", { min: 1, max: tracedWritesMax });
  const api = new ApiClient(values);
  const look = async () => (await api.ask("GET", ["volumes", name, "trace"])) as { entries: readonly TraceEntry[] };
  const { roles } = (await api.ask("GET", ["status"])) as StatusReport;
  // What comes to be stored does so minutes later.
  const lastStep = roles.includes("local") ? "durable" : "replied";
  const before = (await look()).entries;
  if (values.json !== true)
    process.stderr.write(
      `waiting for writes to ${name}, ${seconds} s at most; times are microseconds since a write came\n`,
    );
  const endsAtMs = nodeClock.monotonicMs() + seconds * 1000;
  const collector = new TraceCollector(before, { count, lastStep, endsAtMs });
  const signal = endingSignal().then(() => true);
  const isOver = () => collector.isOver(nodeClock.monotonicMs());
  for (let isEnded = false; !isEnded && !isOver(); ) {
    isEnded = await Promise.race([signal, pause()]);
    collector.take((await look()).entries, nodeClock.monotonicMs());
  }
  process.stdout.write(traceText(name, collector.entries, values.json === true));
  return 0;
}

function pause(): Promise<false> {
  return new Promise((resolve) => nodeClock.timer(traceLookMs, () => resolve(false)));
}

function traceText(name: string, entries: readonly TraceEntry[], asJson: boolean): string {
  if (asJson) return `${JSON.stringify({ entries })}\n`;
  return entries.length === 0 ? `no write to ${name} was seen\n` : table(entries, columns);
}
