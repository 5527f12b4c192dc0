import { expect, test } from "vitest";
import { Violation } from "./violation.ts";
import { VolumeModel } from "./volume-model.ts";

const cells = 16;

class Disk {
  readonly model = new VolumeModel(1, 16, false);

  /** A write of all cells that is replied to. */
  write(number: number, fua = false): void {
    this.model.endWrite(this.model.submitWrite("write", number, 0, cells, fua), true);
  }

  flush(): void {
    this.model.endFlush(this.model.submitFlush());
  }

  read(value: number): void {
    this.model.endRead(this.model.submitRead(0, cells), all(value));
  }
}

function all(value: number): number[] {
  return Array.from({ length: cells }, () => value);
}

test("a read finds the last write that was replied to", () => {
  const disk = new Disk();
  disk.read(0);
  disk.write(1);
  disk.write(2);
  disk.read(2);
  expect(() => disk.read(1)).toThrow(Violation);
  expect(() => disk.read(0)).toThrow(Violation);
  expect(() => disk.read(-1)).toThrow(/^truth/);
});

test("of two writes under way at the same time either may be the last", () => {
  const { model } = new Disk();
  const one = model.submitWrite("write", 1, 0, cells, false);
  const two = model.submitWrite("write", 2, 0, cells, false);
  model.endWrite(two, true);
  model.endWrite(one, true);
  model.endRead(model.submitRead(0, 2), [1, 2]);
  expect(() => model.endRead(model.submitRead(0, 1), [0])).toThrow(Violation);
});

test("a read that is under way while a write is may find both contents", () => {
  const { model } = new Disk();
  const reads = [0, 1].map(() => model.submitRead(0, cells));
  model.endWrite(model.submitWrite("write", 1, 0, cells, true), true);
  reads.forEach((read, value) => {
    model.endRead(read, all(value));
  });
});

test("a write that failed may be there or not", () => {
  const { model } = new Disk();
  model.endWrite(model.submitWrite("write", 1, 0, cells, false), false);
  model.endRead(model.submitRead(0, 2), [0, 1]);
});

test("a trim counts for whole blocks, zeros for every cell", () => {
  const disk = new Disk();
  disk.write(1);
  disk.model.endWrite(disk.model.submitWrite("trim", 2, 4, 12, false), true);
  disk.model.endRead(disk.model.submitRead(0, cells), [...Array(8).fill(1), ...Array(8).fill(0)]);
  disk.model.endWrite(disk.model.submitWrite("zero", 3, 1, 2, false), true);
  disk.model.endRead(disk.model.submitRead(0, 4), [1, 0, 0, 1]);
});

test("killed processes lose no write that was replied to", () => {
  const disk = new Disk();
  disk.write(1);
  disk.write(2);
  disk.model.crash();
  expect(() => disk.model.recovered(all(1), true)).toThrow(Violation);
  disk.model.recovered(all(2), true);
  disk.read(2);
});

test("without power only what was flushed must be there", () => {
  const lose = (): Disk => {
    const disk = new Disk();
    disk.write(1);
    disk.flush();
    disk.write(2);
    disk.model.crash();
    return disk;
  };
  for (const value of [1, 2]) {
    const disk = lose();
    disk.model.recovered(all(value), false);
    disk.read(value);
    expect(() => disk.read(3 - value)).toThrow(Violation);
  }
  expect(() => lose().model.recovered(all(0), false)).toThrow(Violation);
});

test("FUA is a flush of its own write", () => {
  const disk = new Disk();
  disk.write(1, true);
  disk.model.crash();
  expect(() => disk.model.recovered(all(0), false)).toThrow(Violation);
});

test("a flush covers only what was replied to before it", () => {
  const { model } = new Disk();
  const write = model.submitWrite("write", 1, 0, cells, false);
  const flush = model.submitFlush();
  model.endWrite(write, true);
  model.endFlush(flush);
  model.crash();
  model.recovered(all(0), false);
});

test("what survived a kill can still be lost with the power, back to what was flushed", () => {
  const disk = new Disk();
  disk.write(1);
  disk.flush();
  disk.write(2);
  disk.model.crash();
  disk.model.recovered(all(2), true);
  disk.model.crash();
  disk.model.recovered(all(1), false);
});

test("what was seen to be lost does not come back", () => {
  const { model } = new Disk();
  model.submitWrite("write", 1, 0, cells, false);
  model.crash();
  model.recovered(all(0), true);
  model.crash();
  expect(() => model.recovered(all(1), false)).toThrow(Violation);
});

test("what a power cut could leave is known at the moment of a flush", () => {
  const disk = new Disk();
  disk.write(1);
  disk.model.demandDurable(0, all(0), "the disk");
  disk.flush();
  disk.model.demandDurable(0, all(1), "the disk");
  expect(() => disk.model.demandDurable(0, all(0), "the disk")).toThrow(/^promise: the disk/);
});
