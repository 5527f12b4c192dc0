/** `tidemark timeline VOLUME`. */
import { wordsOfLevel } from "#src/control/level-words.ts";
import type { TimelineReport } from "#src/control/volume-history.ts";
import { recordTimeText } from "#src/core/record-time.ts";
import { isLevel } from "#src/records/level-record.ts";
import { ApiClient, apiHelp } from "./api-client.ts";
import { type Command, parseCommandLine } from "./command.ts";
import { noPointAnyMore, rangeInWords, spanOptions } from "./points.ts";
import { table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark timeline VOLUME [OPTION ...]

Tells what happened to a volume, in its order: where ranges with points begin and end, marks, snapshots, changes of mode, level and
size, new epochs, gaps.

  --from POINT       nothing before it
  --to POINT         nothing behind it

${apiHelp}
Example:
  tidemark timeline disk --from -1d
`;

export const timelineCommand: Command = {
  name: "timeline",
  summary: "show what happened to a volume, in its order",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, spanOptions);
    const volume = onlyName("timeline", positionals, "VOLUME");
    const { from, to } = values;
    const report = (await new ApiClient(values).ask("GET", ["volumes", volume, "timeline"], {
      query: { from, to },
    })) as TimelineReport;
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : timelineText(report));
    return 0;
  },
};

interface Line {
  readonly seq: number;
  readonly time: string;
  readonly what: string;
}

export function timelineText(report: TimelineReport): string {
  const lines = [
    ...report.ranges.map(({ firstSeq: seq, from: time, ...range }) => ({ seq, time, what: rangeInWords(range) })),
    ...report.events.map(({ seq, time, type, says }) => ({ seq, time, what: eventInWords(type, says) })),
    ...report.marks.map(({ seq, time, name, quiesced, point }) => ({
      ...{ seq, time },
      what: `mark ${name}${quiesced ? ", with applications at rest" : ""}${point ? "" : ", no point"}`,
    })),
    ...report.snapshots.map(({ seq, time }) => ({ seq, time: time ?? "damaged", what: `snapshot snap:${seq}` })),
    ...report.drills.map(({ seq, time, outcome, command, point }) => ({
      ...{ seq, time },
      what: `${outcome} by '${command}'${point ? "" : `, ${noPointAnyMore}`}`,
    })),
  ].sort((a, b) => a.seq - b.seq);
  if (lines.length === 0) return `nothing of volume ${report.volume} there\n`;
  const damaged = report.damaged.map(
    ({ firstSeq, lastSeq, finding }) => `DAMAGED: records ${firstSeq} to ${lastSeq}: ${finding}\n`,
  );
  const cut = report.cut ? "there is more of before: --from and --to choose\n" : "";
  const columns = [
    { title: "TIME", text: ({ time }: Line) => time },
    { title: "SEQ", isNumber: true, text: ({ seq }: Line) => String(seq) },
    { title: "WHAT", text: ({ what }: Line) => what },
  ];
  return table<Line>(lines, columns) + damaged.join("") + cut;
}

/** One that says what was is a group that has started anew. */
function levelInWords({ seconds, previousSeconds }: Readonly<Record<string, unknown>>): string {
  if (!isLevel(seconds)) return "a level that nobody knows";
  const before =
    isLevel(previousSeconds) && previousSeconds !== seconds ? `, before ${wordsOfLevel(previousSeconds)}` : "";
  return `level ${wordsOfLevel(seconds)}${before}`;
}

function eventInWords(type: string, says: Readonly<Record<string, unknown>>): string {
  switch (type) {
    case "mode":
      return `mode ${String(says.to)}, before ${String(says.from)}: ${String(says.why)}`;
    case "level":
      return levelInWords(says);
    case "resize":
      return `size ${String(says.sizeBytes)} bytes`;
    case "volume":
      return `volume ${String(says.name)} of ${String(says.sizeBytes)} bytes joins`;
    case "epoch":
      return "a new epoch begins, after an unclean start";
    case "clock":
      return "the clock was set";
    case "resyncBegin":
      return `a resync begins${sinceInWords(says)}`;
    case "resyncEnd":
      return "the resync ends";
    case "initialComplete":
      return "the first copy is complete";
    default:
      return `${type} ${JSON.stringify(says)}`;
  }
}

function sinceInWords({ sinceMicros }: Readonly<Record<string, unknown>>): string {
  if (typeof sinceMicros !== "number") return "";
  return `, for what was written without protection since ${recordTimeText(sinceMicros)}`;
}
