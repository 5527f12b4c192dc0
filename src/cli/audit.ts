/** `tidemark audit`. */
import type { AuditLineReport, AuditReport } from "#src/control/http/audit-report.ts";
import { auditEntriesMax, auditEntriesUsual } from "#src/core/http-limits.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { type Column, table } from "./table.ts";

const help = `Usage: tidemark audit [OPTION ...]

Shows who ordered what over the control API, when, and what came of it; the newest is last. An order without an outcome is under
way, or the program ended during it.

  --last N           so many entries (${auditEntriesUsual}), at most ${auditEntriesMax}
  --before NUMBER    only those before this one
${apiHelp}
Example:
  tidemark audit --last 20
`;

export const auditCommand: Command = {
  name: "audit",
  summary: "show who ordered what, and what came of it",
  help,
  run: async (args) => {
    const options = { ...apiOptions, last: { type: "string" }, before: { type: "string" } } as const;
    const { values, positionals } = parseCommandLine(args, options);
    if (positionals.length > 0) throw new UsageError(`audit takes no '${positionals[0]}'`);
    const range = { min: 1, max: Number.MAX_SAFE_INTEGER };
    const limit =
      values.last === undefined ? undefined : wholeNumber(values.last, "--last", { min: 1, max: auditEntriesMax });
    const before = values.before === undefined ? undefined : wholeNumber(values.before, "--before", range);
    const query = { limit: limit?.toString(), before: before?.toString() };
    const report = (await new ApiClient(values).ask("GET", ["audit"], { query })) as AuditReport;
    process.stdout.write(values.json === true ? `${JSON.stringify(report)}\n` : auditText(report));
    return 0;
  },
};

function auditText({ entries, trouble }: AuditReport): string {
  const lines = entries.length === 0 ? "nothing was ordered yet\n" : table(entries, columns);
  return trouble === undefined ? lines : `${lines}entries are being lost: ${trouble}\n`;
}

const columns: readonly Column<AuditLineReport>[] = [
  { title: "NUMBER", isNumber: true, text: ({ number }) => String(number) },
  { title: "TIME", text: ({ time }) => time },
  { title: "WHO", text: ({ who }) => who ?? "" },
  { title: "FROM", text: ({ from }) => from ?? "" },
  { title: "WHAT", text: whatText },
  {
    title: "STATUS",
    isNumber: true,
    text: ({ kind, status }) => (kind === "order" ? String(status ?? "?") : String(status ?? "")),
  },
  { title: "", text: ({ why }) => why ?? "" },
];

function whatText({ kind, does, order, version, unlisted = 0 }: AuditLineReport): string {
  if (kind === "start") return `tidemark ${version ?? ""} was started`;
  const more = kind === "refusal" && unlisted > 0 ? ` (and ${unlisted} before)` : "";
  return `${does ?? kind}${order === undefined ? "" : ` ${JSON.stringify(order)}`}${more}`;
}
