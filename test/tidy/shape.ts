/** How long files, lines and functions may be, and what files are called. */
import { basename } from "node:path";
import { finding, isCode, isDocument, type SourceFile } from "./source-file.ts";
import { isNode, type SyntaxNode, walk } from "./syntax.ts";

const fileLinesMax = 400;
const lineColumnsMax = 140;
/** Addresses, and long lists in commands. */
const unbreakable = /https?:\/\/\S+|\S{80,}/g;
const functionLinesMax = 70;

export function fileLengthFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isCode(file) && lineCount(file.text) > fileLinesMax)
    .map((file) => `${file.path}: ${lineCount(file.text)} lines, ${fileLinesMax} are the limit`);
}

function lineCount(text: string): number {
  return text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
}

/** Addresses cannot be broken, and neither can the rows of a document's table, nor what a benchmark has written down. */
export function lineLengthFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.text.split("\n").flatMap((line, index) => {
      const isRow = isDocument(file) && line.startsWith("|");
      const isFigure = file.path.startsWith("docs/benchmarks/");
      const columns = line.replace(unbreakable, "").length;
      if (isRow || isFigure || columns <= lineColumnsMax) return [];
      return [`${file.path}:${index + 1}: ${columns} columns, ${lineColumnsMax} are the limit`];
    }),
  );
}

export function functionLengthFindings(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => {
    const found: string[] = [];
    walk(file, (node) => {
      const lines = isFunction(node) ? file.text.slice(node.start, node.end).split("\n").length : 0;
      if (lines <= functionLinesMax || isGroupOfTests(file, node)) return;
      found.push(finding(file, node.start, `a function of ${lines} lines, ${functionLinesMax} are the limit`));
    });
    return found;
  });
}

function isFunction(node: SyntaxNode): boolean {
  return ["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"].includes(node.type);
}

/** What `describe` is given, and a contract's suite, are functions only to put tests together. */
function isGroupOfTests(file: SourceFile, node: SyntaxNode): boolean {
  const statements = isNode(node.body) ? node.body.body : undefined;
  if (!file.path.startsWith("test/") || !Array.isArray(statements)) return false;
  return statements.some((statement: SyntaxNode) =>
    /^(test|describe)\b/.test(file.text.slice(statement.start, statement.end)),
  );
}

export function fileNameFindings(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path }) => {
    const name = basename(path);
    if (!path.includes("/") || name === "README.md") return [];
    // A template of systemd's ends in an at sign.
    if (!/^[a-z0-9]+(-[a-z0-9]+)*(@(?=\.service$))?(\.[a-z0-9]+)*$/.test(name))
      return [`${path}: the name is not in kebab-case`];
    if (/^(utils?|helpers?|misc|common)\./.test(name))
      return [`${path}: the name says nothing of what the file is for`];
    if (name === "index.ts" && path !== "src/nbd/index.ts") return [`${path}: a barrel; import the files themselves`];
    return [];
  });
}

export function defaultExportFindings(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => isCode(file) && file.path.includes("/"))
    .flatMap((file) => {
      const found: string[] = [];
      walk(file, (node) => {
        if (node.type === "ExportDefaultDeclaration")
          found.push(finding(file, node.start, "a default export; name it"));
      });
      return found;
    });
}
