/** How the stream of events is asked for, and what comes on it. */
import { isText, type PageEvent } from "./event-log.ts";

export type StreamMessage =
  | { readonly kind: "event"; readonly event: PageEvent }
  /** The first; `isMissed`: not all since the event that was seen last is kept. */
  | { readonly kind: "hello"; readonly isMissed: boolean };

export function streamAddress(afterId: number | undefined): string {
  return `/api/v1/events${afterId === undefined ? "" : `?after=${afterId}`}`;
}

/** A browser can show a token to a WebSocket in no other way. */
export function streamProtocols(token: string | undefined): readonly string[] {
  return token === undefined ? ["tidemark"] : ["tidemark", `token.${token}`];
}

/** Undefined: that is none that this page knows. */
export function streamMessage(text: string): StreamMessage | undefined {
  const value = parsed(text);
  if (value?.type === "hello") return { kind: "hello", isMissed: value.missed === true };
  if (value?.type !== "event") return undefined;
  const { id, time, kind, facts } = value;
  if (!Number.isSafeInteger(id) || !isText(time) || !isText(kind)) return undefined;
  return { kind: "event", event: { id: id as number, time, kind, facts: isObject(facts) ? facts : {} } };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
