/** A chunk of block status while its extents arrive, one metadata context's answer to one request. */
import { get32 } from "#src/core/big-endian.ts";
import { nbdClientExtentsKeptMax } from "#src/core/nbd-limits.ts";
import { commandFlag } from "../constants.ts";
import { decodeStatusExtent, statusExtentCount } from "./chunk-payload.ts";
import { NbdProtocolError } from "./errors.ts";
import type { MetaContext } from "./handshake.ts";
import type { ReportedExtent } from "./operation.ts";
import { describeSlot } from "./request-name.ts";
import type { Slot } from "./request-table.ts";

export class StatusChunk {
  readonly contextId: number;
  readonly extents: ReportedExtent[] = [];
  readonly #slot: Slot;
  readonly #extended: boolean;
  #countLeft: number;
  #coveredBytes = 0;

  constructor(slot: Slot, contexts: readonly MetaContext[], head: Uint8Array, payloadBytes: number, extended: boolean) {
    this.#slot = slot;
    this.#extended = extended;
    this.#countLeft = statusExtentCount(extended, payloadBytes) ?? 0;
    this.contextId = get32(head, 0);
    if (!contexts.some(({ id }) => id === this.contextId)) {
      throw this.#wrong(`its reply is about the metadata context ${this.contextId}, which was not agreed upon`);
    }
    if (slot.statuses.has(this.contextId)) throw this.#wrong("its reply tells of a metadata context twice");
    if (extended && get32(head, 4) !== this.#countLeft) throw this.#wrong("a number of extents that is not there");
    if ((slot.flags & commandFlag.requestOne) !== 0 && this.#countLeft !== 1) {
      throw this.#wrong("its reply has several extents, but one was asked for");
    }
  }

  get isComplete(): boolean {
    return this.#countLeft === 0;
  }

  /** Takes the next extent in. Past the bound they are only checked: a shorter answer is an answer, too. */
  add(bytes: Uint8Array, at: number): void {
    const extent = decodeStatusExtent(this.#extended, bytes, at);
    if (extent.lengthBytes === 0) throw this.#wrong("its reply has an empty extent");
    if (this.#coveredBytes >= this.#slot.lengthBytes) throw this.#wrong("its reply goes on after all is said");
    const isOne = (this.#slot.flags & commandFlag.requestOne) !== 0;
    if (isOne && extent.lengthBytes > this.#slot.lengthBytes) throw this.#wrong("the one extent is too long");
    this.#coveredBytes += extent.lengthBytes;
    this.#countLeft--;
    if (this.extents.length < nbdClientExtentsKeptMax) this.extents.push(extent);
  }

  #wrong(what: string): NbdProtocolError {
    return new NbdProtocolError(`${describeSlot(this.#slot)}: ${what}`);
  }
}
