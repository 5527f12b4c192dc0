/**
 * What pgbench noted, outside of the database, of the commits that it made: when each was begun, and when it had returned. From that
 * follows what a database must hold that is as it was at a moment, and what it cannot.
 */

export interface NotedCommit {
  /** By round, client, and its count there. */
  readonly name: string;
  readonly begunMicros: number;
  readonly returnedMicros: number;
}

export function commitName(round: number, client: number, count: number): string {
  return `${round}/${client}/${count}`;
}

/** A file of `pgbench --log`: client, transaction, duration, script, and when it had returned, in seconds and microseconds. */
export function readCommitLog(round: number, text: string): NotedCommit[] {
  return text.split("\n").flatMap((line) => {
    if (line === "") return [];
    const [client, count, duration, , seconds, micros] = line.split(" ").map(Number) as number[];
    const returnedMicros = (seconds as number) * 1e6 + (micros as number);
    const name = commitName(round, client as number, count as number);
    const begunMicros = returnedMicros - (duration as number);
    if (!Number.isSafeInteger(begunMicros)) throw new Error(`not a line of pgbench: ${line}`);
    return [{ name, begunMicros, returnedMicros }];
  });
}

export interface Verdict {
  /** That had returned before the moment, and are not there. */
  readonly lost: readonly string[];
  /** That were begun after it, or never, and are there. */
  readonly early: readonly string[];
  /** How many had returned. */
  readonly promisedCount: number;
}

/** `momentMs`: the time of the last record that counts, in the milliseconds that records have. */
export function judge(commits: readonly NotedCommit[], held: ReadonlySet<string>, momentMs: number): Verdict {
  const promised = commits.filter(({ returnedMicros }) => returnedMicros < momentMs * 1000);
  const begun = commits.filter(({ begunMicros }) => Math.floor(begunMicros / 1000) <= momentMs);
  const begunNames = new Set(begun.map(({ name }) => name));
  return {
    lost: promised.flatMap(({ name }) => (held.has(name) ? [] : [name])),
    early: [...held].filter((name) => !begunNames.has(name)),
    promisedCount: promised.length,
  };
}
