/** Brings a group's order into the epoch that its state names, before anything else is added to it. True: one has begun. */
import { assert } from "#src/core/assert.ts";
import type { Log } from "#src/host/log.ts";
import { whenDone } from "#src/host/when-done.ts";
import type { GroupStateFile, GroupVolume } from "./group-state.ts";
import type { Order } from "./order.ts";
import type { Spool } from "./spool.ts";

export async function beginEpoch(order: Order, spool: Spool, state: GroupStateFile, log: Log): Promise<boolean> {
  const { epoch, epochSeq } = state.state;
  if (epochSeq !== null) {
    await noteDoubt(state, order.lastTimeMicros);
    order.beginEpoch(epoch, epochSeq);
    await whenDone((done) => spool.sync(done));
    // At once: an epoch that has begun in a spool that may have no file yet would begin anew with numbers that were given.
    await state.update({ epochSeq: null, isSpoolNew: false });
    log.warn("what the spool had was lost: a new epoch begins", { epoch, seq: epochSeq });
  }
  assert(order.epoch === epoch || spool.lastSeq === 0, "the order is in the epoch that the state names");
  return epochSeq !== null;
}

/** What a volume was lost from on stays so, however many epochs begin before its interceptor comes. */
async function noteDoubt(state: GroupStateFile, lastMicros: number): Promise<void> {
  const { volumes } = state.state;
  const isNews = ({ inDoubt, doubtMicros = null }: GroupVolume) => inDoubt && doubtMicros === null;
  if (!volumes.some(isNews)) return;
  await state.update({ volumes: volumes.map((one) => (isNews(one) ? { ...one, doubtMicros: lastMicros } : one)) });
}
