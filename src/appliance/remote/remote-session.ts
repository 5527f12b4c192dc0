/** One connection of a group's local appliance: what it brings goes to the group, what the group has to say goes to it. */

import { ReconnectError, RefuseError } from "#src/core/errors.ts";
import { remoteCreditPortionBytes } from "#src/core/limits.ts";
import { recallMs } from "#src/core/recall-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { JournalReader } from "#src/journals/journal-reader.ts";
import type { GroupSession, GroupSessionOwner, RecalledBlocks, WantedBlock, Watermarks } from "#src/wire/group-link.ts";
import { FetchPump } from "./fetch-pump.ts";

/** The group as a connection sees it. What is thrown ends the connection. */
export interface SessionGroup {
  readonly marks: Watermarks;
  /** False: too much has landed and is not durable. */
  readonly mayLandMore: boolean;
  land(bytes: Buffer, start: number, end: number): void;
  commit(): void;
  askDurable(seq: number): void;
  openReader(): JournalReader;
  fetchFailed(error: Error): void;
  beforeAck(): void;
  left(session: RemoteSession): void;
}

export class RemoteSession implements GroupSessionOwner {
  readonly #group: SessionGroup;
  readonly #session: GroupSession;
  readonly #clock: Clock;
  readonly #portionBytes: number;
  /** Landed, and not given as credit again. */
  #owedBytes = 0;
  #said: Watermarks;
  #fetch: FetchPump | undefined;
  #isRecalling = false;
  #endedWhy: string | undefined;

  constructor(group: SessionGroup, session: GroupSession, clock: Clock, creditBytes: number) {
    this.#group = group;
    this.#session = session;
    this.#clock = clock;
    this.#portionBytes = Math.min(remoteCreditPortionBytes, creditBytes / 8);
    this.#said = group.marks;
    session.giveCredit(creditBytes);
  }

  get peer(): string {
    return this.#session.peer;
  }

  batches(buffer: Buffer, start: number, end: number): void {
    this.#assertGoesOn();
    this.#owedBytes += end - start;
    this.#group.land(buffer, start, end);
  }

  endOfRead(): void {
    if (this.#endedWhy !== undefined) return;
    this.#group.commit();
    if (this.#group.marks.received !== this.#said.received) this.#group.beforeAck();
    this.sayMarks();
  }

  /** The group has more, or more of it is durable. */
  sayMarks(): void {
    if (this.#owedBytes >= this.#portionBytes && this.#group.mayLandMore) {
      this.#session.giveCredit(this.#owedBytes);
      this.#owedBytes = 0;
    }
    const marks = this.#group.marks;
    const said = this.#said;
    if (marks.received === said.received && marks.durable === said.durable && marks.stored === said.stored) return;
    this.#said = marks;
    this.#session.sendWatermarks(marks);
  }

  askDurable(seq: number): void {
    this.#assertGoesOn();
    if (seq <= this.#group.marks.durable) this.#session.sendWatermarks(this.#group.marks);
    else this.#group.askDurable(seq);
  }

  fetch(afterSeq: number): void {
    this.#assertGoesOn();
    if (this.#fetch !== undefined) throw new RefuseError("one fetch at a time");
    this.#fetch = new FetchPump({
      clock: this.#clock,
      session: this.#session,
      reader: this.#group.openReader(),
      afterSeq,
      lastSeq: this.#group.marks.received,
      ended: (error) => {
        this.#fetch = undefined;
        if (error === null) return;
        this.#group.fetchFailed(error);
        this.#session.close(error.message);
      },
    });
    this.#fetch.start();
  }

  /** Nothing comes of it where there is one under way, or the answer takes too long: then that is waited for first. */
  async recall(wanted: readonly WantedBlock[]): Promise<RecalledBlocks> {
    if (this.#isRecalling || this.#endedWhy !== undefined) return [];
    this.#isRecalling = true;
    const { promise, resolve } = Promise.withResolvers<RecalledBlocks>();
    const timer = this.#clock.timer(recallMs, () => resolve([]));
    void this.#session.recall(wanted).then((blocks) => {
      this.#isRecalling = false;
      timer.cancel();
      resolve(blocks);
    });
    return await promise;
  }

  drained(): void {
    this.#fetch?.drained();
  }

  closed(): void {
    if (this.#endedWhy !== undefined) return;
    this.#detach("the connection is closed");
    this.#group.left(this);
  }

  /** The group lets go of the connection: nothing that still comes over it counts. */
  end(why: string): void {
    if (this.#endedWhy !== undefined) return;
    this.#detach(why);
    this.#session.close(why);
  }

  #detach(why: string): void {
    this.#endedWhy = why;
    this.#fetch?.stop();
    this.#fetch = undefined;
  }

  #assertGoesOn(): void {
    if (this.#endedWhy !== undefined) throw new ReconnectError(this.#endedWhy);
  }
}
