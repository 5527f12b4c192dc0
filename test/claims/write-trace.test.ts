/** The life of single writes as the program itself tells it, step by step: what comes before what, in each mode. */
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Mode } from "#src/appliance/local/mode-machine.ts";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { TraceEntry } from "#src/control/role.ts";
import { RunningProgram } from "#test/cli/running-program.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { type Outlast, onceForFile } from "#test/once-for-file.ts";
import { stampedBytes } from "#test/oracle/block-stamp.ts";
import { typeNumber } from "#test/oracle/log-file-reader.ts";
import { readLogs } from "#test/oracle/log-records.ts";
import { whenSeen } from "#test/patience.ts";
import { Connections } from "./connections.ts";

needPrograms("setpriv");

const blockCount = 256;
/** Fewer than the trace remembers, so that none is missed between two looks. */
const writesPerLook = 128;
const lanes = 16;

async function startedFor(outlast: Outlast) {
  const folder = temporaryFolder(outlast);
  return { folder, up: await RunningProgram.startFor(outlast, "up", join(folder, "data")) };
}

/** For volumes that are looked at one after the other. */
const shared = onceForFile(startedFor);

class TracedVolume {
  readonly #up: RunningProgram;
  readonly #name: string;
  readonly #host: Connections;
  readonly #seen = new Map<number, TraceEntry>();
  #written = 0;

  private constructor(up: RunningProgram, name: string, host: Connections) {
    this.#up = up;
    this.#name = name;
    this.#host = host;
  }

  static async open({ up, folder }: Awaited<ReturnType<typeof startedFor>>, name: string): Promise<TracedVolume> {
    const size = String(blockCount * stampedBytes);
    const source = join(folder, name);
    const volume = (await up.asked("volume", "add", name, "--source", source, "--size", size)) as VolumeReport;
    await up.got(`/api/v1/volumes/${name}/trace`);
    return new TracedVolume(up, name, await Connections.open(volume.uris[0] as string, 3));
  }

  async reach(mode: Mode): Promise<void> {
    await this.#up.asked("mode", this.#name, mode);
    await whenSeen(async () => expect(await this.#group()).toMatchObject({ mode }));
  }

  async #group() {
    return (await this.#up.status()).groups.find(({ name }) => name === this.#name);
  }

  /** Many at a time; then what became of them is looked at. */
  async write(count: number): Promise<void> {
    for (let left = count; left > 0; left -= writesPerLook) {
      await Promise.all(Array.from({ length: lanes }, () => this.#lane(Math.min(left, writesPerLook) / lanes)));
      await this.look();
    }
  }

  async #lane(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      const number = ++this.#written;
      await this.#host.write((number % blockCount) * stampedBytes, Buffer.alloc(stampedBytes, number));
    }
  }

  async look(): Promise<void> {
    const { body } = await this.#up.got(`/api/v1/volumes/${this.#name}/trace`);
    for (const entry of (body as { readonly entries: readonly TraceEntry[] }).entries) {
      this.#seen.set(entry.ordinal, entry);
    }
  }

  get entries(): readonly TraceEntry[] {
    return [...this.#seen.values()];
  }

  /** Lets everything come to its end, also at the remote. */
  async finish(): Promise<void> {
    await this.#host.flush();
    await whenSeen(async () => expect(await this.#group()).toMatchObject({ lagRecords: 0 }));
    await this.#host.disconnect();
  }
}

function step({ steps }: TraceEntry, name: keyof TraceEntry["steps"]): number {
  return steps[name] ?? Number.POSITIVE_INFINITY;
}

/** The interceptor's steps are in whole microseconds, the appliance's are not. */
function isReceivedFirst(entry: TraceEntry): boolean {
  return Math.floor(step(entry, "received")) <= step(entry, "acknowledged");
}

test.each(["async", "sync", "aggregated"] as const)(
  "claim A2: in %s each of two thousand writes is acknowledged by the appliance, then in the source, then answered",
  async (mode) => {
    const volume = await TracedVolume.open(await shared(), mode);
    await volume.reach(mode);
    await volume.write(2048);
    expect(volume.entries).toHaveLength(2048);
    for (const entry of volume.entries) {
      expect(entry.kind).toBe("write");
      expect(step(entry, "acknowledged")).toBeLessThanOrEqual(step(entry, "sourceWritten"));
      expect(step(entry, "sourceWritten")).toBeLessThanOrEqual(step(entry, "replied"));
      expect(entry.steps.replied).toBeDefined();
      // Claim A3 is about the first of these two, A4 about the second.
      if (mode === "sync") expect(isReceivedFirst(entry)).toBe(true);
    }
    if (mode === "async") expect(volume.entries.some((entry) => !isReceivedFirst(entry))).toBe(true);
    await volume.finish();
  },
);

test("claim A6: each write is acknowledged the way that the mode record before it in the journal says", async () => {
  const { folder, up } = await startedFor(onTestFinished);
  const volume = await TracedVolume.open({ folder, up }, "disk");
  for (let round = 0; round < 12; round++) {
    // The switch comes in the middle of writes.
    await Promise.all([volume.write(2 * writesPerLook), volume.reach(round % 2 === 0 ? "sync" : "async")]);
  }
  await volume.finish();
  await up.program.stop();
  const [journal] = readLogs(join(folder, "data/remote"), "metadata");
  const switches = journal?.records.filter(({ type }) => type === typeNumber.mode) ?? [];
  expect(switches.map(({ extra }) => extra?.to)).toEqual(
    Array.from({ length: 12 }, (_, round) => (round % 2 === 0 ? "sync" : "async")),
  );
  let underSync = 0;
  for (const entry of volume.entries) {
    const before = switches.findLast(({ seq }) => seq < (entry.seq as number));
    if (before?.extra?.to !== "sync") continue;
    underSync++;
    expect(isReceivedFirst(entry)).toBe(true);
  }
  expect(underSync).toBeGreaterThan(0);
  expect(underSync).toBeLessThan(volume.entries.length);
});
