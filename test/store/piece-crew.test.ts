import { expect, test } from "vitest";
import { crewIdleMs, crewPieceCountMax } from "#src/core/crew-limits.ts";
import { RetryError, StopError } from "#src/core/errors.ts";
import { type CrewMember, PieceCrew } from "#src/store/piece-crew.ts";
import type { ReadPiece } from "#src/store/read-piece.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

class SlowMember implements CrewMember {
  readonly waiting: { readonly piece: ReadPiece; readonly settle: (error?: Error) => void }[] = [];
  readonly told: number[] = [];
  hasEnded = false;

  read(piece: ReadPiece): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.waiting.push({ piece, settle: (error) => (error === undefined ? resolve() : reject(error)) });
    return promise;
  }

  published({ segment }: { segment: number }): void {
    this.told.push(segment);
  }

  end(): void {
    this.hasEnded = true;
  }
}

function crewOf(memberCount: number) {
  const simulation = new Simulation(1);
  const { clock } = simulation.host("a");
  const driver = simDriver(simulation.clock);
  const started: SlowMember[] = [];
  const start = () => {
    const member = new SlowMember();
    started.push(member);
    return member;
  };
  const crew = new PieceCrew({ clock, memberCount, start });
  const pass = (ms: number) => driven(driver, new Promise<void>((resolve) => void clock.timer(ms, resolve)));
  return { crew, started, pass };
}

test("nobody is there before something is read, and then whoever has least to do reads it", async () => {
  const { crew, started } = crewOf(2);
  const pieces = [await crew.take(), await crew.take(), await crew.take()];
  expect(started).toHaveLength(0);
  const reads = pieces.map((piece) => crew.read(piece));
  const [one, other] = started as [SlowMember, SlowMember];
  expect([one.waiting.length, other.waiting.length]).toEqual([2, 1]);
  other.waiting[0]?.settle();
  await reads[1];
  reads.push(crew.read(pieces[1] as ReadPiece));
  expect([one.waiting.length, other.waiting.length]).toEqual([2, 2]);
  crew.published({ segment: 9, generation: 0 });
  expect([one.told, other.told]).toEqual([[9], [9]]);
  for (const { settle } of [...one.waiting, ...other.waiting]) settle();
  await Promise.all(reads);
  crew.close();
});

test("whoever wants a piece where all are in use gets the next one that comes back, empty", async () => {
  const { crew } = crewOf(1);
  const pieces: ReadPiece[] = [];
  for (let count = 0; count < crewPieceCountMax; count++) pieces.push(await crew.take());
  expect(new Set(pieces).size).toBe(crewPieceCountMax);
  const waiting = crew.take();
  expect(waiting).toBeInstanceOf(Promise);
  const [first] = pieces as [ReadPiece];
  first.add(65_536, 1);
  crew.give(first);
  expect(await waiting).toBe(first);
  expect(first.count).toBe(0);
});

test("who has nothing to read for a while has no threads, and others begin when there is", async () => {
  const { crew, started, pass } = crewOf(1);
  const piece = await crew.take();
  const reading = crew.read(piece);
  await pass(3 * crewIdleMs);
  expect(started[0]?.hasEnded).toBe(false);
  started[0]?.waiting[0]?.settle();
  await reading;
  crew.give(piece);
  await pass(3 * crewIdleMs);
  expect(started[0]?.hasEnded).toBe(true);
  expect(crew.isRunning).toBe(false);
  void crew.read(await crew.take());
  expect(started).toHaveLength(2);
  crew.close();
});

test("a thread that has ended costs the others nothing, and another one takes its place with the next piece", async () => {
  const { crew, started } = crewOf(2);
  const [one, other] = [await crew.take(), await crew.take()];
  const reads = [crew.read(one), crew.read(other)];
  const [first, second] = started as [SlowMember, SlowMember];
  first.hasEnded = true;
  first.waiting[0]?.settle(new RetryError("it has ended"));
  await expect(reads[0]).rejects.toThrow(RetryError);
  expect([started.length, second.hasEnded]).toEqual([2, false]);
  const next = crew.read(one);
  expect(started).toHaveLength(3);
  expect([first, second, started[2]].map((member) => member?.waiting.length)).toEqual([1, 1, 1]);
  started[2]?.waiting[0]?.settle();
  second.waiting[0]?.settle();
  await Promise.all([next, reads[1]]);
  crew.close();
  expect(started.slice(1).map(({ hasEnded }) => hasEnded)).toEqual([true, true]);
});

test("what a thread cannot read is told of that piece alone, and the thread goes on", async () => {
  const { crew, started } = crewOf(1);
  const [one, other] = [await crew.take(), await crew.take()];
  const reads = [crew.read(one), crew.read(other)];
  const [member] = started as [SlowMember];
  member.waiting[0]?.settle(new StopError("its disk gives nothing"));
  await expect(reads[0]).rejects.toThrow("its disk gives nothing");
  member.waiting[1]?.settle();
  await reads[1];
  void crew.read(one);
  expect([started.length, member.waiting.length, member.hasEnded]).toEqual([1, 3, false]);
  crew.close();
});
