/** What the program that works with objects puts into them: noise that follows from their numbers. */
import { noise } from "#test/clients/image.ts";

export const storeDocumentName = "catalogue.json";

/** A new folder now and then, whose name has to be durable too. */
export function objectNameOf(number: number): string {
  return `objects-${Math.floor(number / 7)}/${number}`;
}

export function numberOf(objectName: string): number {
  return Number(objectName.slice(objectName.indexOf("/") + 1));
}

export function contentOfObject(number: number): Buffer {
  return noise(100 + ((number * 7919) % 60_000), number);
}
