/**
 * Rounds of killing: a writer is at work, something is killed or frozen at a random moment and comes back, the writer goes
 * on; when all is calm, everything that was ever promised is looked for.
 */
import { mkdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { expect } from "vitest";
import type { NbdClient } from "#src/nbd/client/client.ts";
import { temporaryFolder } from "#test/clients/harness.ts";
import { HistoryWriter, settleAll } from "#test/oracle/history-writer.ts";
import { type RoleName, roleNames, type SitePlaces, Sites, type SitesOptions, volumeName } from "#test/oracle/sites.ts";
import { differences, strangers } from "#test/oracle/source-comparison.ts";
import { WriteHistory } from "#test/oracle/write-history.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";

export type Accident =
  | { readonly kind: "kill"; readonly roles: readonly RoleName[] }
  | { readonly kind: "freeze"; readonly role: RoleName };

/** What dies together. */
const killed: readonly (readonly RoleName[])[] = [
  ["interceptor"],
  ["local"],
  ["remote"],
  ["interceptor", "local"],
  ["local", "remote"],
  roleNames,
];

const frozenMs = 300;

export async function temporaryPlaces(): Promise<SitePlaces> {
  const folder = await temporaryFolder();
  const data = { interceptor: folder.file("interceptor"), local: folder.file("local"), remote: folder.file("remote") };
  for (const role of roleNames) await mkdir(data[role]);
  return { folder: folder.path, data, source: folder.file("source") };
}

export interface Rounds {
  readonly sites: Sites;
  readonly history: WriteHistory;
  readonly random: SeededRandom;
  /** Of the host's writes; few unless told. */
  readonly blocksPerWriteMax?: number;
  /** Where things stood when all was calm: the last seq, and the last number written. */
  calm: { readonly seq: number; readonly number: number };
}

export async function beginRounds(options: Omit<SitesOptions, "places">, seed: number): Promise<Rounds> {
  return roundsOf(await Sites.make({ ...options, places: await temporaryPlaces() }), seed);
}

export function roundsOf(sites: Sites, seed: number): Rounds {
  const history = new WriteHistory(1, sites.blockCount);
  return { sites, history, random: new SeededRandom(seed), calm: { seq: 0, number: 0 } };
}

/** So many kills, no one of them a second time before all others have come, and in every turn of them a role that is frozen. */
export function* drawnAccidents(random: SeededRandom, kills: number): Generator<Accident> {
  for (let count = 0; count < kills; ) {
    yield { kind: "freeze", role: random.pick(["remote", "local"] as const) };
    for (const roles of random.shuffled(killed).slice(0, kills - count)) {
      yield { kind: "kill", roles };
      count++;
    }
  }
}

/** A host at work, which attaches again when the export has gone. */
export class Host {
  readonly #rounds: Rounds;
  #client: NbdClient | undefined;
  #writer: HistoryWriter | undefined;
  #work: Promise<void> = Promise.resolve();
  readonly #seedOfWork: SeededRandom;

  constructor(rounds: Rounds) {
    this.#rounds = rounds;
    this.#seedOfWork = rounds.random.fork(`host ${rounds.history.count}`);
  }

  async attach(): Promise<void> {
    const { sites, history, blocksPerWriteMax = 8 } = this.#rounds;
    const client = await sites.connect();
    this.#client = client;
    expect(await settleAll(client, history)).toEqual([]);
    this.#writer = new HistoryWriter({ client, history, random: this.#seedOfWork, blocksPerWriteMax });
    this.#work = this.#writer.run();
  }

  /** Resolves when so many more requests were answered, or none will be any more. */
  async answered(count: number): Promise<void> {
    const writer = this.#writer as HistoryWriter;
    await writer.whenAnswered(writer.requests + count);
  }

  /** The export is gone. What was answered is still there when it is back: nobody has cut the power. */
  async lost(): Promise<void> {
    await this.#work;
    this.#rounds.history.promiseAnswered();
  }

  async detach(): Promise<void> {
    const writer = this.#writer as HistoryWriter;
    writer.end();
    await this.#work;
    expect(writer.complaints).toEqual([]);
    expect(writer.failure).toBeUndefined();
    await this.#client?.disconnect();
  }
}

/** One accident in the middle of work. */
export function playRound(rounds: Rounds, accident: Accident): Promise<void> {
  return disturb(rounds, async (host) => {
    if (accident.kind === "kill") await killAndStart(rounds.sites, host, accident.roles);
    else await freezeAndThaw(rounds.sites, accident.role);
  });
}

/** Has a host at work before, while and after something happens; all must be whole when it is calm again. */
export async function disturb(rounds: Rounds, act: (host: Host) => Promise<void>): Promise<void> {
  const { sites, random } = rounds;
  const host = new Host(rounds);
  await host.attach();
  await host.answered(random.between(5, 250));
  await act(host);
  await host.answered(random.between(10, 60));
  await host.detach();
  await sites.calm();
  expectWhole(rounds);
}

async function killAndStart(sites: Sites, host: Host, roles: readonly RoleName[]): Promise<void> {
  await sites.kill(...roles);
  if (roles.length === roleNames.length) expectNoStrangers(sites);
  const isGone = roles.includes("interceptor");
  if (isGone) await host.lost();
  await sites.start(...roles);
  if (isGone) await host.attach();
}

/** Long enough for others to notice; writers may have to wait for so long. */
export async function freezeAndThaw(sites: Sites, role: RoleName): Promise<void> {
  const program = sites.program(role);
  program.freeze();
  await pause(frozenMs);
  program.thaw();
}

function expectNoStrangers(sites: Sites): void {
  using replay = sites.replay();
  expect(strangers(sites.source, replay, replay.volumeNumber(volumeName))).toEqual([]);
}

/** Nothing is under way: source, spool and remote say the same, and what came since the last time came in order. */
function expectWhole(rounds: Rounds): void {
  const { sites, history, calm } = rounds;
  using replay = sites.replay();
  const volume = replay.volumeNumber(volumeName);
  expect(differences(sites.source, replay, volume)).toEqual([]);
  expect(replay.remoteLastSeq).toBe(replay.records.at(-1)?.seq);
  // A kill in the midst of a write to the spool leaves an end that nobody can tell from damage: the volume is copied anew.
  const amidCopies = replay.numbersAmidCopies(volume, calm.seq);
  expect(history.judgePrefix(replay.remoteNumbers(volume, calm.seq), calm.number, amidCopies)).toBeUndefined();
  rounds.calm = { seq: replay.remoteLastSeq, number: history.count };
}
