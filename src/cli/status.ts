/** `tidemark status [--watch]`. */
import type { StatusReport } from "#src/control/control-plane.ts";
import type { HistoryWindow } from "#src/control/kept-histories.ts";
import { windowSeconds } from "#src/control/protection-window.ts";
import type { GroupReport } from "#src/control/readiness.ts";
import type { RemoteGroupFacts, StoreFacts } from "#src/control/role.ts";
import type { StoreState } from "#src/control/store-state.ts";
import { keptVolumesLine } from "#src/control/volume-quotas.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { counted, listed } from "#src/core/counted.ts";
import { formatDuration, roundedDuration } from "#src/core/duration.ts";
import { watchEveryMs } from "#src/core/limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import type { LevelCost, ReachForecast } from "#src/synth/reach-forecast.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { endingSignal } from "./ending-signal.ts";
import { progressLine } from "./progress-line.ts";
import { type Column, table } from "./table.ts";
import { volumeTable } from "./volume.ts";

const help = `Usage: tidemark status [OPTION ...]

Shows volumes and groups: what state they are in, how they acknowledge writes, how far the remote appliance is.

  --watch            go on, once a second, until Ctrl-C, also over a restart of the program
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
    if (!isEnded) await show().catch(noteSilence);
  }
}

/** Whoever watches a bad day wants to see its end. */
function noteSilence(error: Error): void {
  const clear = process.stdout.isTTY ? clearScreen : "";
  process.stderr.write(`${clear}tidemark: ${error.message}; trying again\n`);
}

function statusText(report: StatusReport): string {
  const readiness = readinessText(report);
  const parts = [`tidemark ${report.version} (${report.roles.join(", ")}): ${readiness}\n`];
  for (const { side, seconds } of report.silent) {
    parts.push(`what is shown of the ${side} side is ${seconds} s old: it may be held up by a disk\n`);
  }
  if (report.roles.includes("interceptor")) parts.push(volumeTable(report.volumes, readiness));
  if (report.groups.length > 0) parts.push(groupTable(report.groups));
  if (report.remoteGroups.length > 0) parts.push(remoteTable(report.remoteGroups, report.store?.state?.windows));
  if (report.store !== undefined) {
    const nameOf = (id: string) => report.remoteGroups.find((group) => group.id === id)?.name ?? id;
    parts.push(storeText(report.store, nameOf));
  }
  return parts.join("\n");
}

/** `nameOf` a group, by its id. */
export function storeText({ segmentCount, sealed, state, job }: StoreFacts, nameOf = (group: string) => group): string {
  const lines = [`the store has ${counted(segmentCount, "sealed segment")}${sizesText(state)}`];
  if (sealed.segmentCount > 0) lines.push(sealedText(sealed));
  if (state !== undefined) lines.push(...careLines(state, nameOf));
  if (job !== undefined) {
    const far = job.progress === undefined ? "begins" : progressLine(job.progress, 100);
    lines.push(`job ${job.id} (${job.kind}) is under way: ${far}`);
  }
  return `${lines.join("\n")}\n`;
}

function sizesText(state: StoreState | undefined): string {
  if (state?.sizes === undefined) return "";
  const { sizes, sizesMs, counts } = state;
  const { segmentCount, logicalBytes, uniqueBytes, physicalBytes } = sizes;
  const [all, unique, stored] = [logicalBytes, uniqueBytes, physicalBytes].map(roundedByteSize);
  const asOf = sizesMs === undefined ? "" : `; counted ${dayOf(sizesMs)}: ${counted(segmentCount, "segment")}`;
  const free = counts?.freeBytes === undefined ? "" : `, with ${roundedByteSize(counts.freeBytes)} free beside it`;
  return `${asOf}, ${all} of blocks, ${unique} of them different, in ${stored}${free}`;
}

function sealedText({ logicalBytes, uniqueBytes, physicalBytes, damagedBlocks }: StoreFacts["sealed"]): string {
  const [all, unique, stored] = [logicalBytes, uniqueBytes, physicalBytes].map(roundedByteSize);
  const damaged = damagedBlocks === 0 ? "" : `, ${counted(damagedBlocks, "block")} of it damaged`;
  return `since the start ${all} were sealed${damaged}, ${unique} of them new, in ${stored}`;
}

/** What was looked after, and when. */
function careLines(state: StoreState, nameOf: (group: string) => string): string[] {
  const { windows, synthesis, scrub, collection } = state;
  const { lastEndedMs, isUnderWay, findings } = scrub;
  const scrubbed =
    lastEndedMs === undefined ? "not all of it was read and checked yet" : `checked ${dayOf(lastEndedMs)}`;
  const found = findings === 0 ? "" : `, ${counted(findings, "finding")}: 'tidemark scrub' tells more`;
  const lines = windows
    .filter(({ fromSeq }) => fromSeq > 0)
    .map(({ group, fromSeq }) => `of group ${nameOf(group)} the history begins with record ${fromSeq}`);
  const forecast = windows.find((window) => window.forecast !== undefined)?.forecast;
  if (forecast !== undefined) lines.push(forecastLine(forecast));
  const { made, lastSeconds, writtenBytes } = synthesis;
  if (made > 0) {
    const last = `the last one in ${lastSeconds.toFixed(2)} s, ${roundedByteSize(writtenBytes)} in all`;
    lines.push(`${counted(made, "snapshot")} made since its process began, ${last}`);
  }
  const keptLine = keptVolumesLine(state.kept);
  if (keptLine !== undefined) lines.push(keptLine);
  lines.push(`${scrubbed}${isUnderWay ? " (a round is under way)" : ""}${found}`);
  if (collection.lastMs !== undefined) {
    lines.push(`collected ${dayOf(collection.lastMs)}, ${roundedByteSize(collection.freedBytes)} freed by that`);
  }
  return lines;
}

function forecastLine({ spanSeconds, roomSeconds, isShort, isAtLeast, costs }: ReachForecast): string {
  const [span, room] = [spanSeconds, roomSeconds].map(roundedDuration);
  const least = isAtLeast ? " at least" : "";
  const short = isShort ? ", less than store.retention.keepSeconds wants" : "";
  const each = costs.filter(({ isMeasured }) => isMeasured).map(costWords);
  const reach = `it reaches ${span} back, and with what is written now its room is enough for ${room}`;
  return `${reach}${least}${short}${each.length === 0 ? "" : ` (a day of ${each.join(", of ")})`}`;
}

function costWords({ level, bytesPerDay }: LevelCost): string {
  const what = level === 0 ? "every write" : `one point in ${formatDuration(level)}`;
  return `${what} takes ${roundedByteSize(bytesPerDay)}`;
}

function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().replace(/\.\d+Z$/, "Z");
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
  const moves = groups.filter(({ wantedMode }) => wantedMode === "auto").map(lastMove);
  const isShared = (volume: string): boolean =>
    groups.filter(({ volumeNames }) => volumeNames.includes(volume)).length > 1;
  const levels = groups.flatMap(({ name, levels = [] }) =>
    levels.map(({ volume, seconds }) => levelLine(isShared(volume) ? `${name}/${volume}` : volume, seconds)),
  );
  const columns = isCounted ? groupColumns : groupColumns.filter(({ title }) => title !== volumesTitle);
  const absences = groups.filter(({ volumes }) => volumes === undefined).flatMap(absenceLines);
  return table(groups, columns) + remarks.join("") + absences.join("") + moves.join("") + levels.join("");
}

/** Of a local appliance that runs alone; elsewhere the volumes are told themselves. */
function absenceLines({ name, missingVolumes = [] }: GroupReport): string[] {
  if (missingVolumes.length === 0) return [];
  const which = listed(missingVolumes).join(", ");
  const lost = `one that is lost is let go of by 'tidemark group forget ${name} VOLUME'`;
  return [
    `${name}: no interceptor has ${which} now; 'tidemark interceptor' on the machine of the source does, and ${lost}\n`,
  ];
}

function lastMove({ name, lastSwitches = [] }: GroupReport): string {
  const last = lastSwitches.at(-1);
  return last === undefined ? "" : `${name}: from ${last.from} to ${last.to} at seq ${last.seq} (${last.why})\n`;
}

function levelLine(volume: string, seconds: number): string {
  return `${volume}: its points are ${formatDuration(seconds)} from each other\n`;
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
export function remoteTable(groups: readonly RemoteGroupFacts[], windows: readonly HistoryWindow[] = []): string {
  const isUnique = ({ name }: RemoteGroupFacts): boolean => groups.filter((one) => one.name === name).length === 1;
  const named = groups.map((group) => ({
    ...group,
    name: isUnique(group) ? group.name : `${group.name} (${group.id})`,
    window: windows.find((one) => one.group === group.id),
  }));
  return table(named, remoteColumns);
}

type RemoteRow = RemoteGroupFacts & { readonly window: HistoryWindow | undefined };

function windowText({ window, ...group }: RemoteRow): string {
  const seconds = window === undefined ? undefined : windowSeconds(window, group);
  return seconds === undefined ? "" : roundedDuration(seconds);
}

const remoteColumns: readonly Column<RemoteRow>[] = [
  { title: "AT THE REMOTE", text: (group) => group.name },
  { title: "STATE", text: (group) => group.state },
  { title: "RECEIVED", isNumber: true, text: (group) => String(group.received) },
  { title: "DURABLE", isNumber: true, text: (group) => String(group.durable) },
  { title: "STORED", isNumber: true, text: (group) => String(group.stored) },
  { title: "WINDOW", isNumber: true, text: windowText },
  { title: "WAITS", isNumber: true, text: (group) => roundedByteSize(group.unsealedBytes) },
  { title: "JOURNALS", isNumber: true, text: (group) => roundedByteSize(group.journalBytes) },
  { title: "FROM", text: (group) => group.peer ?? "nobody" },
];
