/** What the tests of a file share, and leave as they find it: made by the first one that asks, and ended behind the last one. */
import { afterAll } from "vitest";

/** Is given what ends something. */
export type Outlast = (end: () => void | Promise<void>) => void;

/** For a file of tests, outside of all of them. */
export function onceForFile<Made>(make: (outlast: Outlast) => Promise<Made>): () => Promise<Made> {
  const ends: (() => void | Promise<void>)[] = [];
  let made: Promise<Made> | undefined;
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });
  return () => {
    made ??= make((end) => ends.push(end));
    return made;
  };
}
