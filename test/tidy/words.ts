/** Words that must not stand in the project: promises of later work, and paths of the machine it was written on. */
import { finding, type SourceFile } from "./source-file.ts";

// Put together here, so that this file does not hold what it forbids.
const unfinished = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b`, "g");
const homes = new RegExp(`/(${["home/[a-z]", "root/", "Users/[A-Za-z]"].join("|")})`, "g");

export function unfinishedFindings(files: readonly SourceFile[]): string[] {
  return matches(files, unfinished, "says that something is unfinished");
}

/** `checkout` is where the project lies on this machine; a folder of the file system's root is too short to tell. */
export function machinePathFindings(files: readonly SourceFile[], checkout: string): string[] {
  const found = matches(files, homes, "names somebody's home");
  if (checkout.split("/").length <= 2) return found;
  const here = new RegExp(`(?<![\\w.-])${checkout.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`, "g");
  return [...found, ...matches(files, here, "names a path of this machine")];
}

function matches(files: readonly SourceFile[], pattern: RegExp, message: string): string[] {
  return files.flatMap((file) =>
    [...file.text.matchAll(pattern)].map((match) => finding(file, match.index, `${match[0]} ${message}`)),
  );
}
