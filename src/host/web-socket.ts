/** The port of WebSockets that are only spoken on: texts out, and nothing in. */

export interface WebSocketPeer {
  send(text: string): void;
  /** What the peer has not taken yet. */
  readonly unsentBytes: number;
  /** Asks whether it is still there: `alive` tells. */
  ping(): void;
  /** Says why, and waits for the other side to close as well. */
  close(code: number, why: string): void;
  /** Without a word. */
  drop(): void;
}

export interface WebSocketEars {
  /** It has answered. */
  alive(): void;
  /** It has said something. */
  spoke(): void;
  closed(): void;
}
