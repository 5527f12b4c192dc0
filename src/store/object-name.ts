/**
 * The names of objects and of documents. A name is checked before anything is done with it: one that passes can be a path
 * below a folder as it is, and a key of a service for objects, and never leads out of either.
 */
import { assert } from "#src/core/assert.ts";
import { objectNameCharactersMax } from "#src/core/store-limits.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import type { ObjectName } from "./objects.ts";

/** What tells a document from an object, wherever they lie. */
const documentEnding = ".json";
/** A file of this name in a folder of objects belongs to whoever locks the folder. */
const lockName = "lock";
const part = /^[a-z0-9-][a-z0-9.-]*$/;

export function isObjectName(name: string): boolean {
  return isName(name) && !name.endsWith(documentEnding);
}

export function checkObjectName(name: ObjectName): void {
  assert(isObjectName(name), `"${name}" is no name of an object`);
}

export function checkDocumentName(name: ObjectName): void {
  assert(isName(name) && name.endsWith(documentEnding), `"${name}" is no name of a document`);
}

/** All names begin with the empty prefix; any other is the beginning of a name that could be. */
export function checkPrefix(prefix: string): void {
  const isBeginning = prefix === "" || isName(prefix) || isName(`${prefix}a`);
  assert(isBeginning, `"${prefix}" is no beginning of a name`);
}

/** Whether something of this name in a folder can be an object, or a folder of objects. */
export function isNamePart(text: string): boolean {
  return part.test(text) && !text.endsWith(unpublishedEnding);
}

function isName(name: string): boolean {
  const parts = name.split("/");
  return name.length <= objectNameCharactersMax && parts[0] !== lockName && parts.every(isNamePart);
}
