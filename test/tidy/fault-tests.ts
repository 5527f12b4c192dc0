/** The tests that say by their names which faults they are about: a name begins with `fault 7: …`, and groups may have one. */
import { isCode, type SourceFile } from "./source-file.ts";
import { isNode, nameOf, type SyntaxNode, walk } from "./syntax.ts";

export interface FaultTest {
  readonly path: string;
  /** With the names of the groups that it is in, without the numbers. A group with numbers is listed, its tests are not. */
  readonly title: string;
  readonly faults: readonly number[];
}

const named = /^faults? (\d+(?:(?:, | and )\d+)*): (.+)$/s;

export function faultTests(files: readonly SourceFile[]): FaultTest[] {
  return files
    .filter((file) => isCode(file) && file.path.endsWith(".test.ts"))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap((file) => {
      const found: FaultTest[] = [];
      walk(file, (node, ancestors) => {
        const match = named.exec(titleOf(node) ?? "");
        if (match === null) return;
        const groups = ancestors.flatMap((one) => titleOf(one)?.replace(named, "$2") ?? []);
        const title = [...groups, match[2]].join(" ");
        const numbers = (match[1] as string).match(/\d+/g) as string[];
        found.push({ path: file.path, title: oneLine(title), faults: numbers.map(Number) });
      });
      return found;
    });
}

/** Of `test("…")`, `describe("…")`, `test.each(…)("…")` and their like. */
function titleOf(node: SyntaxNode): string | undefined {
  if (node.type !== "CallExpression" || !["test", "describe"].includes(rootName(node.callee) ?? "")) return undefined;
  const [title] = node.arguments as unknown[];
  if (!isNode(title)) return undefined;
  if (title.type === "Literal" && typeof title.value === "string") return title.value;
  return title.type === "TemplateLiteral" ? textOf(title) : undefined;
}

function rootName(callee: unknown): string | undefined {
  if (!isNode(callee)) return undefined;
  if (callee.type === "CallExpression") return rootName(callee.callee);
  return callee.type === "MemberExpression" ? rootName(callee.object) : nameOf(callee);
}

/** What is filled in only when it runs is shown as an ellipsis. */
function textOf(template: SyntaxNode): string {
  const pieces = template.quasis as readonly { readonly value: { readonly cooked: string } }[];
  return pieces.map((piece) => piece.value.cooked).join("…");
}

function oneLine(title: string): string {
  return title.replace(/%[a-z]|\$[a-z]\w*/g, "…").replace(/\s+/g, " ");
}
