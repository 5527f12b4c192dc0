/** `tidemark diff`. */
import type { DifferenceReport, DifferentRange } from "#src/control/difference.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine } from "./command.ts";
import { pointPair } from "./point-pair.ts";
import { type Column, table } from "./table.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark diff VOLUME@A..B [OPTION ...]

Lists the ranges of a volume that were written between two points, in either order: what a backup of B needs that has A. What was
written with what it held before is among them. It costs what has changed, and not how large the volume is.

POINT: now (the last record durable at the remote appliance), seq:123, an ISO time, -5m, mark:NAME, snap:SEQ.

${apiHelp}
Example:
  tidemark diff disk@mark:monday..now
`;

export const diffCommand: Command = {
  name: "diff",
  summary: "list what differs between two points of a volume",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, apiOptions);
    const { volume, from, to } = pointPair(onlyName("diff", positionals, "VOLUME@A..B"));
    const api = new ApiClient(values);
    const ranges: DifferentRange[] = [];
    let report: DifferenceReport | undefined;
    for (let next: number | undefined = 0; next !== undefined; next = report.next) {
      // What a word like 'now' means does not change from part to part.
      const known =
        report === undefined ? { from, to } : { from: `seq:${report.from.seq}`, to: `seq:${report.to.seq}` };
      const query = { ...known, start: String(next) };
      report = (await api.ask("GET", ["volumes", volume, "diff"], { query })) as DifferenceReport;
      ranges.push(...report.ranges);
    }
    if (report === undefined) return 1;
    const { next: _, ...whole } = { ...report, ranges };
    process.stdout.write(values.json === true ? `${JSON.stringify(whole)}\n` : text(whole));
    return 0;
  },
};

const columns: readonly Column<DifferentRange>[] = [
  { title: "OFFSET", isNumber: true, text: ({ offset }) => String(offset) },
  { title: "LENGTH", isNumber: true, text: ({ length }) => String(length) },
  { title: "KIND", text: ({ kind }) => kind },
];

function text({ volume, from, to, ranges }: DifferenceReport): string {
  const bytes = ranges.reduce((sum, { length }) => sum + length, 0);
  const between = `${volume} between seq:${from.seq} (${from.time}) and seq:${to.seq} (${to.time})`;
  if (ranges.length === 0) return `nothing was written to ${between}\n`;
  const sum = `${roundedByteSize(bytes)} in ${ranges.length} ranges differ in ${between}`;
  const sizes = from.sizeBytes === to.sizeBytes ? "" : `; it had ${from.sizeBytes} bytes, and then ${to.sizeBytes}`;
  return `${table(ranges, columns)}${sum}${sizes}\n`;
}
