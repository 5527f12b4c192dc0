/** Where the files of a benchmark lie. */
import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { UsageError } from "#src/cli/command.ts";
import { fileSystemOf } from "./machine.ts";
import { availableBytes } from "./warm-memory.ts";

const GiB = 1024 ** 3;

export interface PlaceDescription {
  readonly name: string;
  readonly fileSystem: string;
  readonly fileBytes: number;
}

/** Makes the folder, and refuses one that is not what the place's name says. */
export async function describePlace(name: string, folder: string, fileBytes: number): Promise<PlaceDescription> {
  mkdirSync(folder, { recursive: true });
  const fileSystem = await fileSystemOf(folder);
  const isInMemory = fileSystem === "tmpfs";
  if (isInMemory !== (name === "tmpfs")) {
    throw new UsageError(`${folder} is on ${fileSystem}: no place for '${name}'; see --disk and --only`);
  }
  return { name, fileSystem, fileBytes };
}

/** Better refused at the start than a file system that is full in the middle. `advice`: what helps besides room. */
export async function requireRoom(folder: string, neededBytes: number, advice?: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  // It may be larger than the memory that it lies in.
  const isInMemory = (await fileSystemOf(folder)) === "tmpfs";
  const freeBytes = Math.min(bavail * bsize, isInMemory ? await availableBytes() : Number.POSITIVE_INFINITY);
  if (freeBytes >= neededBytes) return;
  const gibibytes = (bytes: number) => (bytes / GiB).toFixed(1);
  const words = `${folder} has ${gibibytes(freeBytes)} GiB free, and ${gibibytes(neededBytes)} are needed`;
  throw new UsageError(advice === undefined ? words : `${words}: ${advice}`);
}
