/** `tidemark points VOLUME`. */
import type { HistoryRange, PointsReport } from "#src/control/volume-history.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine } from "./command.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark points VOLUME [OPTION ...]

Tells what can be opened and restored of a volume: the ranges in which it has points, and how close they are there; its marks and
snapshots; which points a drill has proven; gaps as gaps, and what is damaged.

  --from POINT       nothing before it
  --to POINT         nothing behind it

POINT: now, seq:123, an ISO time, -5m, mark:NAME, snap:SEQ.

${apiHelp}
Example:
  tidemark points disk --from -1h
`;

export const spanOptions = { ...apiOptions, from: { type: "string" }, to: { type: "string" } } as const;

export const pointsCommand: Command = {
  name: "points",
  summary: "show what can be restored of a volume",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, spanOptions);
    const volume = onlyName("points", positionals, "VOLUME");
    const { from, to } = values;
    const report = (await new ApiClient(values).ask("GET", ["volumes", volume, "points"], {
      query: { from, to },
    })) as PointsReport;
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : pointsText(report));
    return 0;
  },
};

export function pointsText(report: PointsReport): string {
  const { ranges, marks, snapshots, drills, damaged, newest, cut } = report;
  if (newest === null) return `volume ${report.volume} has no points yet: nothing of it is durable here\n`;
  const parts = [
    ranges.length === 0 ? "no points there\n" : table(ranges, rangeColumns),
    marks.length === 0 ? "" : `\n${table(marks, markColumns)}`,
    snapshots.length === 0 ? "" : `\n${table(snapshots, snapshotColumns)}`,
    drills.length === 0 ? "" : `\n${table(drills, drillColumns)}`,
    damaged
      .map(({ firstSeq, lastSeq, finding }) => `DAMAGED: records ${firstSeq} to ${lastSeq}: ${finding}\n`)
      .join(""),
    cut ? "there is more of before: --from and --to choose\n" : "",
    earlierText(report),
    `\nthe newest is seq:${newest.seq}, ${newest.time}\n`,
  ];
  return parts.join("");
}

/** A volume that was removed and added again is another one. */
function earlierText({ volume, earlier = [] }: Pick<PointsReport, "volume" | "earlier">): string {
  return earlier.length === 0
    ? ""
    : `what ${volume} was before it was removed and added again: ${earlier.join(", ")}\n`;
}

const words: Readonly<Record<string, string>> = {
  resync: "GAP, no points: regions are journaled anew",
  "first-copy": "no points: the first copy is under way",
  joined: "no points: the volume has just joined",
};

/** For people. */
export function rangeInWords({ kind, granularity }: Pick<HistoryRange, "kind" | "granularity">): string {
  if (kind !== "points") return words[kind] ?? kind;
  if (granularity === "every-write") return "every write";
  return granularity === "aggregate" ? "every aggregate" : `one in ${granularity ?? "?"}`;
}

const rangeColumns: readonly Column<HistoryRange>[] = [
  { title: "FROM", text: ({ from }) => from },
  { title: "TO", text: ({ to }) => to },
  { title: "FIRST SEQ", isNumber: true, text: ({ firstSeq }) => String(firstSeq) },
  { title: "LAST SEQ", isNumber: true, text: ({ lastSeq }) => String(lastSeq) },
  { title: "POINTS", text: rangeInWords },
];

const markColumns: readonly Column<PointsReport["marks"][number]>[] = [
  { title: "MARK", text: ({ name }) => name },
  { title: "SEQ", isNumber: true, text: ({ seq }) => String(seq) },
  { title: "TIME", text: ({ time }) => time },
  { title: "", text: ({ quiesced, point }) => `${quiesced ? "applications at rest" : ""}${point ? "" : " no point"}` },
];

/** Of one that was proven, or has failed. */
export const noPointAnyMore = "no point any more";

const drillColumns: readonly Column<PointsReport["drills"][number]>[] = [
  { title: "TESTED", isNumber: true, text: ({ seq }) => `seq:${seq}` },
  { title: "TIME", text: ({ time }) => time },
  { title: "OUTCOME", text: ({ outcome, why }) => (why === undefined ? outcome : `${outcome}: ${why}`) },
  { title: "COMMAND", text: ({ command }) => command },
  { title: "", text: ({ point }) => (point ? "" : noPointAnyMore) },
];

const snapshotColumns: readonly Column<PointsReport["snapshots"][number]>[] = [
  { title: "SNAPSHOT", text: ({ seq }) => `snap:${seq}` },
  { title: "TIME", text: ({ time }) => time ?? "damaged" },
];
