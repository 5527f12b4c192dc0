/** What a handshake comes to. */
import type { NbdExport } from "./export.ts";
import type { ReplyStyle } from "./reply-codec.ts";

/** What a connection and its server settled in the handshake. */
export interface Agreement {
  readonly target: NbdExport;
  readonly style: ReplyStyle;
  readonly contexts: readonly AgreedContext[];
}

export interface AgreedContext {
  readonly id: number;
  readonly name: string;
}
