/** What happens, as those who listen hear of it. */

export const eventKinds = [
  "mode",
  "link",
  "mark",
  "lag",
  "snapshot",
  "alarm",
  "audit",
  "volume",
  "job",
  "program",
] as const;
export type EventKind = (typeof eventKinds)[number];

export type EventFacts = Readonly<Record<string, string | number | boolean | undefined>>;

export interface ApiEvent {
  /** Grows, also over starts of the program: `?after=ID` goes on behind it. */
  readonly id: number;
  readonly time: string;
  readonly kind: EventKind;
  readonly facts: EventFacts;
}

export interface EventDraft {
  readonly kind: EventKind;
  readonly facts: EventFacts;
}
