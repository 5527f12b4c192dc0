/**
 * What comes between the spool as it was found and the group's first new record: after a loss of power the remote may
 * have records that the spool lost. They come back into the spool, to be redone like the rest.
 */
import { ReconnectError } from "#src/core/errors.ts";
import type { Clock } from "#src/host/clock.ts";
import {
  batchMagic,
  batchRecords,
  batchSpanBytes,
  getBatchHeader,
  hasSoundHeads,
  hasSoundPayload,
  lastSeqOf,
  rebindBatch,
} from "#src/records/batch.ts";
import type {
  GroupHello,
  GroupLink,
  GroupLinkOwner,
  GroupWelcome,
  RecalledBlocks,
  WantedBlock,
  Watermarks,
} from "#src/wire/group-link.ts";
import type { SpoolSite } from "./group-spool.ts";
import type { Spool } from "./spool.ts";

/** Stands for the group at the link until there is one. */
export class LinkRelay implements GroupLinkOwner {
  readonly #hello: () => GroupHello;
  #target: GroupLinkOwner | undefined;
  #welcome: GroupWelcome | undefined;
  #welcomed: (() => void) | undefined;

  constructor(hello: () => GroupHello) {
    this.#hello = hello;
  }

  /** What the remote said when it let this side in, if it has and the connection stands. */
  get welcome(): GroupWelcome | undefined {
    return this.#welcome;
  }

  handOver(target: GroupLinkOwner): void {
    this.#target = target;
  }

  /** Resolves when the remote is there, or the time is over. */
  waitForRemote(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#welcome !== undefined || timeoutMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = clock.timer(timeoutMs, resolve);
      this.#welcomed = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  hello(): GroupHello {
    return this.#target?.hello() ?? this.#hello();
  }

  up(welcome: GroupWelcome): void {
    this.#welcome = welcome;
    this.#welcomed?.();
    this.#welcomed = undefined;
    this.#target?.up(welcome);
  }

  down(why: string): void {
    this.#welcome = undefined;
    this.#target?.down(why);
  }

  watermarks(marks: Watermarks): void {
    if (this.#welcome !== undefined) this.#welcome = { ...this.#welcome, ...marks };
    this.#target?.watermarks(marks);
  }

  mayShip(): void {
    this.#target?.mayShip();
  }

  refused(error: Error): void {
    this.#target?.refused(error);
  }

  recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks> {
    return this.#target?.recall(wanted) ?? Promise.resolve(wanted.map(() => undefined));
  }
}

/** What cannot be had in time, or not at all, stays lost. */
export async function recoverLost(
  { machine, policy }: SpoolSite,
  relay: LinkRelay,
  link: GroupLink,
  spool: Spool,
): Promise<void> {
  const before = spool.lastSeq;
  await relay.waitForRemote(machine.clock, policy.remoteAfterPowerLossMs);
  try {
    await fetchLost(link, relay.welcome, spool);
  } catch (error) {
    machine.log.warn("what the spool lost with the power could not be fetched whole", { error });
  }
  if (spool.lastSeq > before) machine.log.info("fetched what the spool lost", { from: before + 1, to: spool.lastSeq });
}

/** Fetches what the remote has beyond the spool. What came before a fault stays: each batch is one more that is not lost. */
async function fetchLost(link: GroupLink, welcome: GroupWelcome | undefined, spool: Spool): Promise<void> {
  if (welcome === undefined || !link.isUp || welcome.received <= spool.lastSeq) return;
  await link.fetch(spool.lastSeq, (batch) => adopt(batch, spool));
}

function adopt(batch: Buffer, spool: Spool): void {
  const header = getBatchHeader(batch, 0, batchMagic.records);
  const records = header !== undefined && hasSoundHeads(batch, 0, header) ? batchRecords(batch, 0, header) : undefined;
  if (header === undefined || records === undefined || !records.every((record) => hasSoundPayload(batch, record))) {
    throw new ReconnectError("the remote sent a batch that is not sound");
  }
  if (header.firstSeq <= spool.lastSeq) throw new ReconnectError("the remote sent what was not asked for");
  const spanBytes = batchSpanBytes(header);
  const position = spool.nextPosition(spanBytes);
  rebindBatch(batch, 0, spool.incarnation, position, spool.durableSeq);
  const timeMicros = records.at(-1)?.timeMicros ?? 0;
  spool.append(batch, 0, spanBytes, { firstSeq: header.firstSeq, lastSeq: lastSeqOf(header), timeMicros });
}
