/** What is said at the end of a program, when it has done all that it could for what it was given. */
import { roundedByteSize } from "#src/core/byte-size.ts";

export interface Farewell {
  /** Since the program was started, also those to volumes that are not protected any more. */
  readonly writes: number;
  readonly volumes: readonly VolumeFarewell[];
  readonly groups: readonly GroupFarewell[];
  readonly remoteGroups: readonly RemoteFarewell[];
}

export interface VolumeFarewell {
  readonly name: string;
  /** Since the program was started. */
  readonly writes: number;
  /** The source is known to have all of them durably. */
  readonly isDurable: boolean;
}

/** `durable`, `received`: up to there the remote appliance has the records. */
interface RemoteFarewell {
  readonly id: string;
  readonly durable: number;
  readonly received: number;
}

export interface GroupFarewell extends RemoteFarewell {
  readonly name: string;
  readonly lastSeq: number;
  /** Of what the remote appliance does not have durably. */
  readonly lagBytes: number;
}

export const noFarewell: Farewell = { writes: 0, volumes: [], groups: [], remoteGroups: [] };

/** Where the remote appliance was here too, it has the last word on what it has. */
export function joinFarewells(parts: readonly Farewell[]): Farewell {
  const remoteGroups = parts.flatMap((part) => part.remoteGroups);
  const groups = parts
    .flatMap((part) => part.groups)
    .map((group) => ({ ...group, ...remoteGroups.find(({ id }) => id === group.id) }))
    .map((group) => (group.durable < group.lastSeq ? group : { ...group, lagBytes: 0 }));
  const writes = sum(parts, "writes");
  return { writes, volumes: parts.flatMap((part) => part.volumes), groups, remoteGroups };
}

/** One line. How many records there are is not said: seqs are left out where an order begins anew. */
export function farewellText({ writes, volumes, groups, remoteGroups }: Farewell): string {
  const parts = [
    ...(volumes.length === 0 ? [] : [sourceText(writes, volumes)]),
    ...(groups.length === 0 ? [] : [shippedText(groups)]),
    ...(groups.length > 0 || remoteGroups.length === 0 ? [] : [journaledText(remoteGroups)]),
  ];
  return `stopped${parts.length === 0 ? "" : `: ${parts.join("; ")}`}`;
}

function sourceText(count: number, volumes: readonly VolumeFarewell[]): string {
  const writes = count === 0 ? "no writes" : counted(count, "write");
  const doubtful = volumes.filter(({ isDurable }) => !isDurable).map(({ name }) => name);
  if (doubtful.length === 0) return `${writes} since the start${count === 0 ? "" : ", all durable at the source"}`;
  return `${writes} since the start; what the source of ${doubtful.join(", ")} may lack, the next start brings there`;
}

function shippedText(groups: readonly GroupFarewell[]): string {
  const total = sum(groups, "lastSeq");
  const durable = groups.reduce((so, group) => so + Math.min(group.durable, group.lastSeq), 0);
  if (durable === total) return "all that was journaled is durable at the remote appliance";
  const toSend = groups.reduce((so, group) => so + Math.max(0, group.lastSeq - group.received), 0);
  const lag = roundedByteSize(sum(groups, "lagBytes"));
  const missing = counted(total - durable, "record");
  return `${missing} not durable at the remote appliance yet, ${toSend} of them to send (it lacks ${lag})`;
}

function journaledText(groups: readonly RemoteFarewell[]): string {
  const missing = sum(groups, "received") - sum(groups, "durable");
  const what = missing === 0 ? "all that was received" : `all but ${counted(missing, "record")}`;
  return `${what} of ${counted(groups.length, "group")} durable in the journals`;
}

function sum<Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return items.reduce((so, item) => so + item[key], 0);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
