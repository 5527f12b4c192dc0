/**
 * Which folder of src may import which. A folder imports what stands below it, never what stands beside or above.
 */
import { posix } from "node:path";
import { finding, folderOf, isCode, isProduct, type SourceFile } from "./source-file.ts";
import { type Import, importsOf } from "./syntax.ts";

/** From the top down. */
const layers = [
  ["cli", "ui"],
  ["control"],
  ["interceptor", "appliance"],
  ["synth"],
  ["journals"],
  ["store", "wire", "nbd"],
  ["records"],
  ["host"],
  ["core"],
];

const depths = new Map(layers.flatMap((folders, depth) => folders.map((folder) => [folder, depth] as const)));

export function layerFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter(isCode)
    .flatMap((file) => [
      ...(isProduct(file) ? unknownFolder(file) : []),
      ...importsOf(file).flatMap((item) => judge(file, item).map((message) => finding(file, item.offset, message))),
    ]);
}

function unknownFolder(file: SourceFile): string[] {
  const known = depths.has(folderOf(file.path) ?? "");
  return known ? [] : [finding(file, 0, "its folder has no place among the layers")];
}

function judge(file: SourceFile, { specifier, byUrl }: Import): string[] {
  if (byUrl && !isProduct(file)) return [];
  if (specifier.startsWith(".")) return judgeRelative(file, specifier);
  const target = specifier.startsWith("#") ? specifier.slice(1) : undefined;
  if (target !== undefined && root(target) === root(file.path) && folderOf(target) === folderOf(file.path)) {
    return [`${specifier} is in its own folder: import it by a relative path`];
  }
  if (!isProduct(file)) return [];
  if (target !== undefined) return judgeLayer(file, target);
  return folderOf(file.path) === "core" ? [`core imports nothing from outside, here ${specifier}`] : [];
}

function judgeRelative(file: SourceFile, specifier: string): string[] {
  const target = posix.join(posix.dirname(file.path), specifier);
  const stays = root(target) === root(file.path) && folderOf(target) === folderOf(file.path);
  return stays ? [] : [`${specifier} is in another folder: import it as #${target}`];
}

function judgeLayer(file: SourceFile, target: string): string[] {
  if (root(target) === "test") return ["the product imports nothing of the tests"];
  const from = depths.get(folderOf(file.path) ?? "");
  const to = depths.get(folderOf(target) ?? "");
  if (from === undefined || to === undefined || from < to) return [];
  return [
    `${folderOf(file.path)} may not import ${folderOf(target)}, which stands ${from === to ? "beside" : "above"} it`,
  ];
}

function root(path: string): string | undefined {
  return path.split("/")[0];
}
