import { parseAst } from "vitest/node";
import type { SourceFile } from "./source-file.ts";

/** A node of the syntax tree; what else it has depends on its type. */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [property: string]: unknown;
}

export type Visitor = (node: SyntaxNode, ancestors: readonly SyntaxNode[]) => void;

const trees = new WeakMap<SourceFile, SyntaxNode>();

export function walk(file: SourceFile, visit: Visitor): void {
  visitNode(parse(file), [], visit);
}

function parse(file: SourceFile): SyntaxNode {
  let tree = trees.get(file);
  if (tree === undefined) {
    tree = parseAst(file.text, { lang: file.path.endsWith(".ts") ? "ts" : "js" }) as unknown as SyntaxNode;
    trees.set(file, tree);
  }
  return tree;
}

/** `ancestors` is one list for all of the tree, which has millions of nodes: whoever visits keeps none of it. */
function visitNode(node: SyntaxNode, ancestors: SyntaxNode[], visit: Visitor): void {
  visit(node, ancestors);
  ancestors.push(node);
  for (const name in node) {
    const value = node[name];
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) visitNode(item, ancestors, visit);
    } else if (isNode(value)) visitNode(value, ancestors, visit);
  }
  ancestors.pop();
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === "object" && value !== null && typeof (value as SyntaxNode).type === "string";
}

/** The name of an identifier, or of the property that a member expression ends in. */
export function nameOf(value: unknown): string | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "Identifier") return value.name as string;
  return value.type === "MemberExpression" && value.computed === false ? nameOf(value.property) : undefined;
}

export interface Import {
  readonly specifier: string;
  readonly offset: number;
  /** Named for a worker, where only a path will do. */
  readonly byUrl: boolean;
}

const imports = new WeakMap<SourceFile, readonly Import[]>();

export function importsOf(file: SourceFile): readonly Import[] {
  let found = imports.get(file);
  if (found === undefined) {
    found = findImports(file);
    imports.set(file, found);
  }
  return found;
}

/** Of every kind: static, of types alone, dynamic, re-exports, and files named for a worker by `new URL(…, import.meta.url)`. */
function findImports(file: SourceFile): readonly Import[] {
  const found: Import[] = [];
  walk(file, (node) => {
    const byUrl = isUrlOfModule(node);
    const source = byUrl ? (node.arguments as unknown[])[0] : node.source;
    if (isNode(source) && source.type === "Literal" && typeof source.value === "string") {
      found.push({ specifier: source.value, offset: node.start, byUrl });
    }
  });
  return found;
}

function isUrlOfModule(node: SyntaxNode): boolean {
  return node.type === "NewExpression" && nameOf(node.callee) === "URL" && (node.arguments as unknown[]).length === 2;
}
