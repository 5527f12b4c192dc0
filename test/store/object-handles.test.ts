import { expect, test } from "vitest";
import { objectHandleCountMax } from "#src/core/store-limits.ts";
import type { FileHandle, Files } from "#src/host/files.ts";
import { ObjectHandles } from "#src/store/object-handles.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { systemError } from "#test/sim/system-error.ts";

/** Files that can be opened as long as there are descriptors. */
class ScarceFiles {
  readonly open = new Set<string>();
  readonly #descriptorCount: number;

  constructor(descriptorCount: number) {
    this.#descriptorCount = descriptorCount;
  }

  get files(): Files {
    return { open: (path: string) => this.#opened(path) } as Partial<Files> as Files;
  }

  #opened(path: string): FileHandle {
    if (this.open.size >= this.#descriptorCount) throw systemError("EMFILE", path);
    this.open.add(path);
    return { path, close: () => this.open.delete(path) } as Partial<FileHandle> as FileHandle;
  }
}

const clock = () => new Simulation(1).host("a").clock;

test("what was removed meanwhile gives back its room after a while, read or not", async () => {
  const simulation = new Simulation(1);
  const scarce = new ScarceFiles(10);
  const handles = new ObjectHandles(scarce.files, simulation.host("a").clock);
  handles.at("1");
  handles.at("2");
  await simulation.clock.settle();
  expect(scarce.open.size).toBe(0);
  handles.at("1");
  expect([...scarce.open]).toEqual(["1"]);
  handles.closeAll();
  handles.closeAll();
  expect(scarce.open.size).toBe(0);
});

test("a bounded number of files is kept open, and the one unused longest is closed", () => {
  const scarce = new ScarceFiles(Number.MAX_SAFE_INTEGER);
  const handles = new ObjectHandles(scarce.files, clock());
  const first = handles.at("0");
  for (let index = 1; index < objectHandleCountMax; index++) handles.at(String(index));
  expect(handles.at("0")).toBe(first);
  handles.at("one more");
  expect(scarce.open.size).toBe(objectHandleCountMax);
  expect([scarce.open.has("0"), scarce.open.has("1")]).toEqual([true, false]);
  handles.closeAll();
  expect(scarce.open.size).toBe(0);
});

test("fault 37: where descriptors are scarce, files that are kept for later make way", () => {
  const scarce = new ScarceFiles(3);
  const handles = new ObjectHandles(scarce.files, clock());
  for (const path of ["a", "b", "c", "a", "d"]) expect(handles.at(path).path).toBe(path);
  expect([...scarce.open].sort()).toEqual(["a", "c", "d"]);
});

test("fault 37: without any descriptor it is an error that says so", () => {
  const handles = new ObjectHandles(new ScarceFiles(0).files, clock());
  expect(() => handles.at("a")).toThrow("EMFILE");
});
