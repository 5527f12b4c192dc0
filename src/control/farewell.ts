/** What is said at the end of a program, when it has done all that it could for what it was given. */
import { roundedByteSize } from "#src/core/byte-size.ts";

export interface Farewell {
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

export const noFarewell: Farewell = { volumes: [], groups: [], remoteGroups: [] };

/** Where the remote appliance was here too, it has the last word on what it has. */
export function joinFarewells(parts: readonly Farewell[]): Farewell {
  const remoteGroups = parts.flatMap((part) => part.remoteGroups);
  const groups = parts
    .flatMap((part) => part.groups)
    .map((group) => ({ ...group, ...remoteGroups.find(({ id }) => id === group.id) }))
    .map((group) => (group.durable < group.lastSeq ? group : { ...group, lagBytes: 0 }));
  return { volumes: parts.flatMap((part) => part.volumes), groups, remoteGroups };
}

/** One line. */
export function farewellText({ volumes, groups, remoteGroups }: Farewell): string {
  const parts = [
    ...(volumes.length === 0 ? [] : [sourceText(volumes)]),
    ...(groups.length === 0 ? [] : [shippedText(groups)]),
    ...(groups.length > 0 || remoteGroups.length === 0 ? [] : [journaledText(remoteGroups)]),
  ];
  return `stopped${parts.length === 0 ? "" : `: ${parts.join("; ")}`}`;
}

function sourceText(volumes: readonly VolumeFarewell[]): string {
  const count = sum(volumes, "writes");
  const writes = count === 0 ? "no writes" : counted(count, "write");
  const doubtful = volumes.filter(({ isDurable }) => !isDurable).map(({ name }) => name);
  if (doubtful.length === 0) return `${writes} since the start${count === 0 ? "" : ", all durable at the source"}`;
  return `${writes} since the start; what the source of ${doubtful.join(", ")} may lack, the next start brings there`;
}

function shippedText(groups: readonly GroupFarewell[]): string {
  const total = sum(groups, "lastSeq");
  const durable = groups.reduce((so, group) => so + Math.min(group.durable, group.lastSeq), 0);
  if (durable === total) return `all ${counted(total, "record")} durable at the remote appliance`;
  const toSend = groups.reduce((so, group) => so + Math.max(0, group.lastSeq - group.received), 0);
  const lag = roundedByteSize(sum(groups, "lagBytes"));
  return `${durable} of ${counted(total, "record")} durable at the remote appliance, ${toSend} to send (it lacks ${lag})`;
}

function journaledText(groups: readonly RemoteFarewell[]): string {
  return `${counted(sum(groups, "durable"), "record")} of ${counted(groups.length, "group")} durable in the journals`;
}

function sum<Key extends string>(items: readonly Readonly<Record<Key, number>>[], key: Key): number {
  return items.reduce((so, item) => so + item[key], 0);
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
