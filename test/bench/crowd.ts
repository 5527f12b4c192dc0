/**
 * A thousand clients at once: how much memory does the server need for them? They ask for more than they fetch, then send
 * less than they announced, and in the end each of them gets what is its own.
 */
import { setTimeout as wait } from "node:timers/promises";
import { CrowdMember, replyHeaderBytes, requestHeader } from "./crowd-member.ts";
import type { ProcessUsage } from "./process-usage.ts";

const KiB = 1024;
const connectionCount = 1000;
/** Within what servers let wait at their door. */
const joiningAtOnce = 50;
const readBytes = 256 * KiB;
const readsEach = 4;
const writeBytes = 1024 * KiB;
const settleMs = 2000;

export interface CrowdFigures {
  readonly connections: number;
  /** Bytes that all of them have asked for and not fetched at a time. */
  readonly unfetchedBytes: number;
  /** Bytes of writes that have begun and not ended at a time. */
  readonly unfinishedBytes: number;
  readonly memoryIdleBytes: number;
  /** The most up to the end of the reads, and then of the writes. */
  readonly memoryPeakReadsBytes: number;
  readonly memoryPeakBytes: number;
  /** Where these figures are of a run of their own. */
  readonly measuredAlone?: { readonly commit: string; readonly date: string };
}

export interface CrowdTarget {
  readonly socketPath: string;
  readonly sizeBytes: number;
  readonly usage: () => Promise<ProcessUsage>;
}

export async function measureCrowd(target: CrowdTarget): Promise<CrowdFigures> {
  const members: CrowdMember[] = [];
  try {
    while (members.length < connectionCount) {
      const joining = Array.from({ length: joiningAtOnce }, () => CrowdMember.join(target.socketPath));
      members.push(...(await Promise.all(joining)));
    }
    const { memoryBytes: memoryIdleBytes } = await target.usage();
    await readWithoutFetching(members, target.sizeBytes);
    const { memoryPeakBytes: memoryPeakReadsBytes } = await target.usage();
    await writeByHalves(members, target.sizeBytes);
    const { memoryPeakBytes } = await target.usage();
    return {
      connections: members.length,
      unfetchedBytes: members.length * readsEach * readBytes,
      unfinishedBytes: members.length * writeBytes,
      memoryIdleBytes,
      memoryPeakReadsBytes,
      memoryPeakBytes,
    };
  } finally {
    for (const member of members) member.leave();
  }
}

async function readWithoutFetching(members: readonly CrowdMember[], sizeBytes: number): Promise<void> {
  for (const [index, member] of members.entries()) {
    member.stopFetching();
    const request = requestHeader("read", placeOf(index, readBytes, sizeBytes), readBytes);
    member.send(Buffer.concat(Array.from({ length: readsEach }, () => request)));
  }
  await wait(settleMs);
  await Promise.all(members.map((member) => member.receive(readsEach * (replyHeaderBytes + readBytes))));
}

async function writeByHalves(members: readonly CrowdMember[], sizeBytes: number): Promise<void> {
  const half = Buffer.alloc(writeBytes / 2, "tidemark");
  for (const [index, member] of members.entries()) {
    member.send(requestHeader("write", placeOf(index, writeBytes, sizeBytes), writeBytes));
    member.send(half);
  }
  await wait(settleMs);
  for (const member of members) member.send(half);
  await Promise.all(members.map((member) => member.receive(replyHeaderBytes)));
}

function placeOf(index: number, lengthBytes: number, sizeBytes: number): number {
  return (index * lengthBytes) % sizeBytes;
}
