/**
 * `npm run bench -- holes`: the ways of giving a file's blocks back, which Node cannot: the foreign function interface,
 * a process of fallocate(1), and writing zeros, which gives nothing back but reads the same.
 */
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import type { BlockDevice } from "#src/host/block-device.ts";
import { openBlockDevice } from "#src/host/node/block-device.ts";
import type { Bench } from "./bench.ts";
import { describeCommand, describeCommit, describeMachine, fileSystemOf, type Machine } from "./machine.ts";
import { table } from "./markdown.ts";
import { createProgress } from "./progress.ts";
import { publishFigures } from "./publication.ts";
import { interleave, median } from "./rounds.ts";
import { createScratch, writeNoiseFile } from "./scratch.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const fileBytes = 64 * MiB;
const pieceSizes = [4 * KiB, 64 * KiB, 1 * MiB] as const;
const folders = ["/dev/shm", tmpdir()] as const;
const schedule = { rounds: 7, warmUpRounds: 1 };

const help = `Usage: npm run bench -- holes

Times one piece of a file, full of data, being cleared in each of three ways, and writes docs/benchmarks.md.
`;

type WayName = "foreign function" | "fallocate process" | "written zeros";

interface Way {
  readonly name: WayName;
  /** Pieces cleared in one turn, for a time that can be measured. */
  readonly count: number;
  clear(device: BlockDevice, position: number, lengthBytes: number): void;
}

const zeros = Buffer.alloc(MiB);

const ways: readonly Way[] = [
  {
    name: "foreign function",
    count: 16,
    clear(device, position, lengthBytes) {
      if (!device.punchHoleNow(position, lengthBytes)) throw new Error(`${device.path}: no holes can be punched here`);
    },
  },
  {
    name: "fallocate process",
    count: 4,
    clear(device, position, lengthBytes) {
      const range = ["--offset", String(position), "--length", String(lengthBytes)];
      execFileSync("fallocate", ["--punch-hole", ...range, device.path]);
    },
  },
  {
    name: "written zeros",
    count: 16,
    clear: (device, position, lengthBytes) => device.writeNow(zeros, 0, lengthBytes, position),
  },
];

interface Figures {
  readonly fileSystem: string;
  readonly pieceBytes: number;
  readonly way: WayName;
  readonly medianMicroseconds: number;
  readonly lowestMicroseconds: number;
  readonly highestMicroseconds: number;
}

interface Results {
  readonly date: string;
  readonly commit: string;
  readonly command: string;
  readonly machine: Machine;
  readonly figures: readonly Figures[];
}

export const holesBench: Bench = {
  name: "holes",
  summary: "ways of punching holes into files",
  help,
  run: runHoles,
  format: (json) => formatHoles(JSON.parse(json)),
};

async function runHoles(programArguments: readonly string[]): Promise<void> {
  const progress = createProgress(process.stderr);
  const figures: Figures[] = [];
  for (const folder of folders) {
    for (const pieceBytes of pieceSizes) {
      progress.show(`holes of ${pieceBytes / KiB} KiB in ${folder}`);
      figures.push(...(await measurePlace(folder, pieceBytes)));
    }
  }
  progress.clear();
  const results: Results = {
    date: new Date().toISOString(),
    commit: await describeCommit(),
    command: describeCommand("holes", programArguments),
    machine: await describeMachine(["fallocate"]),
    figures,
  };
  process.stdout.write(`${formatHoles(results)}\n`);
  await publishFigures(holesBench, results);
}

async function measurePlace(folder: string, pieceBytes: number): Promise<Figures[]> {
  using scratch = createScratch(folder);
  const fileSystem = await fileSystemOf(folder);
  let turns = 0;
  const series = await interleave(ways, schedule, async (way) => {
    // Every turn has a file of its own: a hole can be punched once.
    const file = scratch.file(`turn-${turns++}`);
    await writeNoiseFile(file, Math.min(fileBytes, 2 * way.count * pieceBytes));
    return microsecondsPerPiece(way, file, pieceBytes);
  });
  return [...series].map(([way, values]) => ({
    fileSystem,
    pieceBytes,
    way: way.name,
    medianMicroseconds: round(median(values)),
    lowestMicroseconds: round(Math.min(...values)),
    highestMicroseconds: round(Math.max(...values)),
  }));
}

function microsecondsPerPiece(way: Way, file: string, pieceBytes: number): number {
  const device = openBlockDevice(file, { readOnly: false });
  try {
    const began = performance.now();
    for (let index = 0; index < way.count; index++) way.clear(device, 2 * index * pieceBytes, pieceBytes);
    return ((performance.now() - began) * 1000) / way.count;
  } finally {
    device.close();
  }
}

function round(microseconds: number): number {
  return Number(microseconds.toPrecision(3));
}

function formatHoles(results: Results): string {
  const rows = results.figures.map((one) => [
    `${one.way}, ${one.pieceBytes / KiB} KiB, ${one.fileSystem}`,
    String(one.medianMicroseconds),
    `${one.lowestMicroseconds} to ${one.highestMicroseconds}`,
  ]);
  const { processor, processorCount, kernel } = results.machine;
  const machine = `${processor}, ${processorCount} cores, ${kernel}`;
  return `${table(["way, piece, file system", "µs per piece", "lowest to highest"], rows)}

Measured with \`${results.command}\` at commit ${results.commit} on ${results.date.slice(0, 10)}: ${machine}.`;
}
