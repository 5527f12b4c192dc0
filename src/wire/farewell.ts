/** The last frame of a side that leaves: why, for people, and what the other had better do about it, for the program. */
import { OverflowError, ReconnectError, RefuseError, ResyncError, RetryError, StopError } from "#src/core/errors.ts";
import { wireTextCharactersMax } from "#src/core/limits.ts";
import { encodeJson, JsonFields } from "./json-fields.ts";

/** What is a case of another stands before it. */
const errorsByKind = {
  overflow: OverflowError,
  retry: RetryError,
  reconnect: ReconnectError,
  resync: ResyncError,
  refuse: RefuseError,
  stop: StopError,
} as const;

export function encodeFarewell(error: Error): Buffer {
  const kind = Object.entries(errorsByKind).find(([, type]) => error instanceof type)?.[0] ?? "reconnect";
  return encodeJson({ kind, why: printable(error.message) });
}

export function decodeFarewell(body: Buffer): Error {
  const fields = JsonFields.parse(body, "farewell");
  const kind = fields.text("kind", wireTextCharactersMax);
  const why = printable(fields.text("why", wireTextCharactersMax));
  // A kind that is not known yet is no reason to do more than connect again.
  const type = Object.hasOwn(errorsByKind, kind) ? errorsByKind[kind as keyof typeof errorsByKind] : ReconnectError;
  return new type(why);
}

/** What comes from outside ends up in logs and terminals. */
function printable(text: string): string {
  return text.slice(0, wireTextCharactersMax).replace(/\p{C}/gu, "?");
}
