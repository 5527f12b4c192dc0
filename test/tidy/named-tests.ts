/**
 * The tests that say by their names what they are about: `fault 7: …`, `claim A7: …`, `faults 7 and 8: …`, also one behind the
 * other. Groups may have such a name too.
 */
import { isCode, type SourceFile } from "./source-file.ts";
import { isNode, nameOf, type SyntaxNode, walk } from "./syntax.ts";

export type Kind = "fault" | "claim";

export interface NamedTest {
  readonly path: string;
  /** With the names of the groups that it is in, without what it is about. A group that says so is listed, its tests are not. */
  readonly title: string;
  /** In the order of its name; at least one. */
  readonly about: readonly string[];
}

const ids: Readonly<Record<Kind, string>> = { fault: "\\d+", claim: "[A-Z]\\d+" };
const prefixes = Object.entries(ids).map(([kind, id]) => `(?<${kind}>${kind}s? ${id}(?:(?:, | and )${id})*): `);
const prefix = new RegExp(`^(?:${prefixes.join("|")})`);

export function namedTests(files: readonly SourceFile[], kind: Kind): NamedTest[] {
  return files
    .filter((file) => isCode(file) && file.path.endsWith(".test.ts"))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
    .flatMap((file) => {
      const found: NamedTest[] = [];
      walk(file, (node, ancestors) => {
        const { about, rest } = cut(titleOf(node) ?? "");
        if (about[kind].length === 0) return;
        const groups = ancestors.flatMap((one) => cut(titleOf(one) ?? "").rest || []);
        found.push({ path: file.path, title: oneLine([...groups, rest].join(" ")), about: about[kind] });
      });
      return found;
    });
}

interface Cut {
  readonly about: Readonly<Record<Kind, string[]>>;
  readonly rest: string;
}

function cut(title: string): Cut {
  const about: Cut["about"] = { fault: [], claim: [] };
  let rest = title;
  for (let match = prefix.exec(rest); match !== null; match = prefix.exec(rest)) {
    for (const kind of Object.keys(ids) as Kind[]) {
      about[kind].push(...(match.groups?.[kind]?.match(new RegExp(ids[kind], "g")) ?? []));
    }
    rest = rest.slice(match[0].length);
  }
  return { about, rest };
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

/** What these tests are, file by file, as a list of a document in `docs`. */
export function listOfTests(tests: readonly Pick<NamedTest, "path" | "title">[]): string[] {
  const paths = [...new Set(tests.map((test) => test.path))];
  return paths.flatMap((path) => [
    `- [${path}](../${path})`,
    ...tests.filter((test) => test.path === path).map((test) => `  - ${asMarkdown(test.title)}`),
  ]);
}

function asMarkdown(text: string): string {
  return text.replace(/[\\`*_<[\]]/g, "\\$&");
}
