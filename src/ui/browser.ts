/** The browser as the page's decisions see it: time, chance, requests, sockets, what is remembered. */

export interface BrowserSocket {
  send(text: string): void;
  close(): void;
}

export interface SocketEars {
  opened(): void;
  message(text: string): void;
  /** Also where it never was open. */
  closed(code: number, reason: string): void;
}

export interface Browser {
  nowMs(): number;
  /** From 0 to 1. */
  chance(): number;
  /** Answers what takes it back. */
  after(ms: number, act: () => void): () => void;
  request(path: string, options: RequestInit): Promise<Response>;
  /** Of a path of this very server. */
  openSocket(path: string, protocols: readonly string[], ears: SocketEars): BrowserSocket;
  remembered(name: string): string | undefined;
  /** Until the tab is closed; undefined: it is forgotten. */
  remember(name: string, value: string | undefined): void;
  /** Also when the page comes again. */
  keep(name: string, value: string | undefined): void;
  kept(name: string): string | undefined;
}
