/** Names of volumes and groups: they appear in addresses, tables and file names, so they are made of few characters. */
import { RefuseError } from "#src/core/errors.ts";
import { nameCharactersMax } from "#src/core/limits.ts";

export function isName(text: string): boolean {
  // Not of dots alone: `..` means something else to too many.
  return text.length <= nameCharactersMax && /^(?!\.+$)[A-Za-z0-9._-]+$/.test(text);
}

export function checkName(text: string, what: string): string {
  if (isName(text)) return text;
  throw new RefuseError(`${what} has 1 to ${nameCharactersMax} letters, digits, '.', '_' or '-', unlike '${text}'`);
}
