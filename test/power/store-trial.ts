/** One life of the program that works with objects, ended by a cut of the power; and what is found after it. */
import { join } from "node:path";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { Program } from "#test/oracle/program.ts";
import { SeededRandom } from "#test/sim/seeded-random.ts";
import type { FileSystemKind } from "./disk-commands.ts";
import { PowerDisk } from "./power-disk.ts";
import { contentOfObject, numberOf, storeDocumentName } from "./store-content.ts";

const program = join(import.meta.dirname, "store-program.ts");

export interface StoreRemains {
  /** Objects that were promised to be there, and are not. */
  readonly lost: readonly number[];
  /** That were promised to be gone, and are there. */
  readonly returned: readonly number[];
  /** That are there, and not whole. */
  readonly broken: readonly number[];
  readonly leftovers: readonly string[];
  readonly foundCount: number;
  readonly documentSaid: number;
  readonly documentFound: number;
}

export async function cutStoreAtWork(seed: number, kind: FileSystemKind): Promise<StoreRemains> {
  const disk = await PowerDisk.make(kind);
  const folder = join(disk.path, "store");
  const writer = new Program("writer", [process.execPath, program, folder]);
  await writer.line((line) => line.startsWith("document"));
  await disk.cutAfter(new SeededRandom(seed).between(1, 80), seed);
  await disk.whenCut;
  await writer.kill();
  await disk.powerDown();
  await disk.powerUp();
  const remains = await remainsOf(folder, writer.lines);
  await disk.remove();
  return remains;
}

function said(lines: readonly string[], word: string): Set<number> {
  return new Set(
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.slice(word.length + 1))),
  );
}

async function remainsOf(folder: string, lines: readonly string[]): Promise<StoreRemains> {
  const objects = await FolderObjects.open({ files: nodeFiles, clock: nodeClock }, folder);
  const found = new Set<number>();
  const broken: number[] = [];
  for await (const { name, sizeBytes } of objects.list("")) {
    const number = numberOf(name);
    const bytes = Buffer.alloc(sizeBytes);
    await objects.read(name, bytes, 0);
    found.add(number);
    if (!bytes.equals(contentOfObject(number))) broken.push(number);
  }
  const document = await objects.readDocument(storeDocumentName);
  await objects.close();
  const removing = said(lines, "removing");
  return {
    lost: [...said(lines, "there")].filter((number) => !removing.has(number) && !found.has(number)),
    returned: [...said(lines, "gone")].filter((number) => found.has(number)),
    broken,
    leftovers: leftoversIn(folder),
    foundCount: found.size,
    documentSaid: Math.max(...said(lines, "document")),
    documentFound: Number(document?.bytes.toString() ?? -1),
  };
}

function leftoversIn(folder: string): string[] {
  return nodeFiles.entries(folder).flatMap(({ name, isFolder }) => {
    const path = join(folder, name);
    if (isFolder) return leftoversIn(path);
    return name.endsWith(".unpublished") ? [path] : [];
  });
}
