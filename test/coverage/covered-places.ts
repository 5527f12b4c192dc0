/** The places of a file that tests can reach: lines on which a statement begins, and the ways that a decision can go. */
import type { SourceFile } from "#test/tidy/source-file.ts";
import { isNode, type SyntaxNode, walk } from "#test/tidy/syntax.ts";

export interface CoveredPlaces {
  readonly lines: readonly Place[];
  readonly branches: readonly Place[];
}

export interface Place {
  readonly line: number;
  readonly isCovered: boolean;
}

/** A way is taken where its first character is run; one that has none, as often as the decision was made and the other not taken. */
interface Way {
  readonly at: number;
  readonly unless?: number;
}

const statements = /^(?!Block|Empty|Labeled|TS).*Statement$|^VariableDeclaration$/;

export function coveredPlaces(file: SourceFile, counts: Float64Array): CoveredPlaces {
  const count = (at: number) => counts[at] ?? 0;
  const lineAt = lineFinder(file.text);
  const lines = new Map<number, boolean>();
  const branches: Place[] = [];
  walk(file, (node, ancestors) => {
    if (ancestors.some(({ declare }) => declare === true) || node.declare === true) return;
    for (const { start } of statementsOf(node)) {
      const line = lineAt(start);
      lines.set(line, lines.get(line) === true || count(start) > 0);
    }
    for (const { at, unless } of waysOf(node)) {
      const isCovered = unless === undefined ? count(at) > 0 : count(at) > count(unless);
      branches.push({ line: lineAt(at), isCovered });
    }
  });
  return { lines: [...lines].map(([line, isCovered]) => ({ line, isCovered })), branches };
}

/** The body of a function without braces is one too. */
function statementsOf(node: SyntaxNode): SyntaxNode[] {
  if (statements.test(node.type)) return [node];
  const { body } = node;
  return node.type === "ArrowFunctionExpression" && isNode(body) && body.type !== "BlockStatement" ? [body] : [];
}

function waysOf(node: SyntaxNode): Way[] {
  const { type, start, consequent, alternate, right } = node;
  if (type === "IfStatement" && isNode(consequent)) {
    const other = isNode(alternate) ? { at: alternate.start } : { at: start, unless: consequent.start };
    return [{ at: consequent.start }, other];
  }
  if (type === "ConditionalExpression" && isNode(consequent) && isNode(alternate)) {
    return [{ at: consequent.start }, { at: alternate.start }];
  }
  if (type === "LogicalExpression" && isNode(right)) return [{ at: right.start }];
  const [first] = Array.isArray(consequent) ? consequent : [];
  return type === "SwitchCase" && isNode(first) ? [{ at: first.start }] : [];
}

function lineFinder(text: string): (at: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (at) => starts.findLastIndex((start) => start <= at) + 1;
}
