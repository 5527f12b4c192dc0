/** Who keeps the pins of groups' histories: the store, which one asks across processes. */
import type { HistoryPin } from "#src/synth/history-document.ts";

export interface PinKeeper {
  /** Durable when it resolves. */
  pin(group: string, pin: HistoryPin): Promise<void>;
  unpin(group: string, id: string): Promise<void>;
  pins(group: string): Promise<readonly HistoryPin[]>;
}
