/** Documents have one title, and their links lead somewhere. */
import { posix } from "node:path";
import { isDocument, type SourceFile } from "./source-file.ts";

export function titleFindings(files: readonly SourceFile[]): string[] {
  return files.filter(isDocument).flatMap(({ path, text }) => {
    const titles = withoutCode(text).match(/^# .+$/gm) ?? [];
    if (titles.length !== 1) return [`${path}: ${titles.length} titles, where one belongs`];
    return text.startsWith("# ") ? [] : [`${path}: does not begin with its title`];
  });
}

/** `exists` is asked for paths from the project's root on; a link into a document must name one of its headings. */
export function linkFindings(files: readonly SourceFile[], exists: (path: string) => boolean): string[] {
  const documents = new Map(files.filter(isDocument).map((file) => [file.path, file.text]));
  return [...documents].flatMap(([path, text]) =>
    linksOf(text).flatMap((link) => {
      const [target = "", anchor] = link.split("#");
      const targetPath = target === "" ? path : posix.join(posix.dirname(path), target);
      if (!exists(targetPath)) return [`${path}: links to ${link}, which is not there`];
      const headings = anchorsOf(documents.get(targetPath) ?? "");
      return anchor === undefined || headings.has(anchor) ? [] : [`${path}: ${link} names no heading there`];
    }),
  );
}

function linksOf(text: string): string[] {
  const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|(?:src|href)="([^"]+)"/g)];
  return targets.map((match) => match[1] ?? match[2] ?? "").filter((target) => !/^[a-z]+:/.test(target));
}

function anchorsOf(text: string): Set<string> {
  const headings = withoutCode(text).match(/^#+ .+$/gm) ?? [];
  return new Set(headings.map((heading) => anchorOf(heading.replace(/^#+ /, ""))));
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, "");
}
