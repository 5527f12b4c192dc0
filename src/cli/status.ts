/** `tidemark status [--watch]`. */
import type { StatusReport } from "#src/control/control-plane.ts";
import type { GroupReport } from "#src/control/readiness.ts";
import type { RemoteGroupFacts, StoreFacts } from "#src/control/role.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { watchEveryMs } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { endingSignal } from "./ending-signal.ts";
import { type Column, table } from "./table.ts";
import { volumeTable } from "./volume.ts";

const help = `Usage: tidemark status [OPTION ...]

Shows volumes and groups: what state they are in, how they acknowledge writes, how far the remote appliance is.

  --watch            go on, once a second, until Ctrl-C
${apiHelp}
Example:
  tidemark status --watch
`;

export const statusCommand: Command = {
  name: "status",
  summary: "show volumes, groups and their lag",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, { ...apiOptions, watch: { type: "boolean" } });
    if (positionals.length > 0) throw new UsageError(`status takes no '${positionals[0]}'`);
    const api = new ApiClient(values);
    const show = async (): Promise<void> => {
      const report = (await api.ask("GET", ["status"])) as StatusReport;
      const text = values.json === true ? `${JSON.stringify(report)}\n` : statusText(report);
      process.stdout.write(values.watch === true && process.stdout.isTTY ? `${clearScreen}${text}` : text);
    };
    await show();
    if (values.watch === true) await again(show);
    return 0;
  },
};

const clearScreen = "\x1b[H\x1b[2J";

async function again(show: () => Promise<void>): Promise<void> {
  let isEnded = false;
  const signal = endingSignal().then(() => {
    isEnded = true;
  });
  while (!isEnded) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = nodeClock.timer(watchEveryMs, resolve);
    await Promise.race([promise, signal]);
    timer.cancel();
    if (!isEnded) await show();
  }
}

function statusText(report: StatusReport): string {
  const readiness = readinessText(report);
  const parts = [`tidemark ${report.version} (${report.roles.join(", ")}): ${readiness}\n`];
  for (const { side, seconds } of report.silent) {
    parts.push(`what is shown of the ${side} side is ${seconds} s old: it may be held up by a disk\n`);
  }
  if (report.roles.includes("interceptor")) parts.push(volumeTable(report.volumes, readiness));
  if (report.groups.length > 0) parts.push(groupTable(report.groups));
  if (report.remoteGroups.length > 0) parts.push(remoteTable(report.remoteGroups));
  if (report.store !== undefined) parts.push(storeText(report.store));
  return parts.join("\n");
}

export function storeText({ segmentCount, sealed }: StoreFacts): string {
  const [all, unique, stored] = [sealed.logicalBytes, sealed.uniqueBytes, sealed.physicalBytes].map(roundedByteSize);
  const now = `the store has ${segmentCount} sealed segments`;
  if (sealed.segmentCount === 0) return `${now}\n`;
  const damaged = sealed.damagedBlocks === 0 ? "" : `, ${sealed.damagedBlocks} blocks of it damaged`;
  return `${now}; lately ${all} were sealed${damaged}, ${unique} of them new, in ${stored}\n`;
}

function readinessText({ why, problems }: StatusReport): string {
  const [first, ...more] = why === undefined ? problems : [why, ...problems];
  if (first === undefined) return "ready";
  return [`${why === undefined ? "ready, but" : "not ready:"} ${first}`, ...more.map((one) => `  and ${one}`)].join(
    "\n",
  );
}

export function groupTable(groups: readonly GroupReport[]): string {
  const isCounted = groups.every((group) => group.volumes !== undefined);
  const remarks = groups
    .filter((group) => group.volumes === 0)
    .map(
      ({ name }) =>
        `${name}: has no volumes any more; what it journaled is kept; 'tidemark group rm ${name}' ends it\n`,
    );
  const columns = isCounted ? groupColumns : groupColumns.filter(({ title }) => title !== volumesTitle);
  return table(groups, columns) + remarks.join("");
}

const volumesTitle = "VOLUMES";

const groupColumns: readonly Column<GroupReport>[] = [
  { title: "GROUP", text: (group) => group.name },
  { title: volumesTitle, isNumber: true, text: ({ volumes }) => (volumes === undefined ? "" : String(volumes)) },
  {
    title: "MODE",
    text: ({ mode, wantedMode }) =>
      mode === wantedMode ? mode : `${mode} (${wantedMode === "auto" ? "auto" : `to ${wantedMode}`})`,
  },
  { title: "STATE", text: (group) => group.state },
  { title: "LINK", text: (group) => (group.linkUp ? "up" : "down") },
  { title: "LAST SEQ", isNumber: true, text: (group) => String(group.lastSeq) },
  { title: "LAG", isNumber: true, text: (group) => String(group.lagRecords) },
  { title: "", isNumber: true, text: (group) => roundedByteSize(group.lagBytes) },
  { title: "", isNumber: true, text: (group) => `${group.lagSeconds.toFixed(1)} s` },
  {
    title: "SPOOL",
    isNumber: true,
    text: (group) => `${roundedByteSize(group.spoolBytes)} of ${roundedByteSize(group.spoolLimitBytes)}`,
  },
];

/** A group that has ended stays there, and another one may have its name. */
export function remoteTable(groups: readonly RemoteGroupFacts[]): string {
  const isUnique = ({ name }: RemoteGroupFacts): boolean => groups.filter((one) => one.name === name).length === 1;
  const named = groups.map((group) => (isUnique(group) ? group : { ...group, name: `${group.name} (${group.id})` }));
  return table(named, remoteColumns);
}

const remoteColumns: readonly Column<RemoteGroupFacts>[] = [
  { title: "AT THE REMOTE", text: (group) => group.name },
  { title: "STATE", text: (group) => group.state },
  { title: "RECEIVED", isNumber: true, text: (group) => String(group.received) },
  { title: "DURABLE", isNumber: true, text: (group) => String(group.durable) },
  { title: "STORED", isNumber: true, text: (group) => String(group.stored) },
  { title: "JOURNALS", isNumber: true, text: (group) => roundedByteSize(group.journalBytes) },
  { title: "FROM", text: (group) => group.peer ?? "nobody" },
];
