/**
 * Time, chance and the machine come in through the ports of src/host. What would reach for them directly is refused
 * everywhere else in src, since no simulation could then stand in for it.
 */
import { finding, folderOf, isCode, isProduct, type SourceFile } from "./source-file.ts";
import { importsOf, isNode, nameOf, type SyntaxNode, walk } from "./syntax.ts";

const modules = new Set(
  ["fs", "net", "tls", "dgram", "http", "https", "child_process", "worker_threads", "ffi", "timers", "process"].flatMap(
    (name) => [name, `node:${name}`],
  ),
);
const members = new Set(["Date.now", "Math.random", "performance.now", "process.env"]);
const timers = new Set(["setTimeout", "setInterval", "setImmediate"]);
const random = new Set(["randomBytes", "randomFillSync", "randomInt", "randomUUID", "getRandomValues"]);
/** What a command may touch of its process; nothing else in src touches it. */
const processOfCommands = new Set(["argv", "exit", "exitCode", "off", "on", "once", "stderr", "stdin", "stdout"]);

export function bannedCallFindings(files: readonly SourceFile[]): string[] {
  return files.filter((file) => isProduct(file) && !isExempt(file)).flatMap(inspect);
}

function isExempt(file: SourceFile): boolean {
  // The page has a machine of its own, which this file alone touches.
  return folderOf(file.path) === "host" || file.path === "src/cli/launch.js" || file.path === "src/ui/this-browser.ts";
}

function inspect(file: SourceFile): string[] {
  const found = importsOf(file)
    .filter(({ specifier }) => modules.has(specifier.replace(/(?<=^(node:)?\w+)\/.*/, "")))
    .map(({ specifier, offset }) => finding(file, offset, `imports ${specifier}; go through a port of src/host`));
  walk(file, (node) => {
    const name = bannedName(node, folderOf(file.path) === "cli");
    if (name !== undefined) found.push(finding(file, node.start, `uses ${name}; go through a port of src/host`));
  });
  return found;
}

function bannedName(node: SyntaxNode, isCommand: boolean): string | undefined {
  if (node.type === "MemberExpression") return bannedMember(node, isCommand);
  if (node.type === "NewExpression" || node.type === "CallExpression") return bannedCall(node);
  return undefined;
}

function bannedMember(node: SyntaxNode, isCommand: boolean): string | undefined {
  const object = nameOf(node.object);
  const name = `${object}.${nameOf(node.property)}`;
  if (members.has(name)) return name;
  if (object === "console" && !isCommand) return name;
  const isProcess = object === "process" && isNode(node.object) && node.object.type === "Identifier";
  return isProcess && !(isCommand && processOfCommands.has(nameOf(node.property) ?? "")) ? name : undefined;
}

function bannedCall(node: SyntaxNode): string | undefined {
  const name = nameOf(node.callee) ?? "";
  if (name === "Date" && (node.arguments as unknown[]).length === 0) return "Date() for the present time";
  const isBare =
    isNode(node.callee) && (node.callee.type === "Identifier" || nameOf(node.callee.object) === "globalThis");
  return (timers.has(name) && isBare) || random.has(name) ? name : undefined;
}

/** Tests that are switched off or narrowed. A condition (`skipIf`) is another thing: it says why. */
export function switchedOffFindings(files: readonly SourceFile[]): string[] {
  return files.filter(isCode).flatMap((file) => {
    const found: string[] = [];
    walk(file, (node) => {
      const property = node.type === "MemberExpression" ? nameOf(node.property) : undefined;
      if (property === undefined || !["only", "skip", "todo"].includes(property)) return;
      if (/^(test|it|describe|suite)\b/.test(file.text.slice(node.start, node.end))) {
        found.push(finding(file, node.start, `leaves .${property} at a test`));
      }
    });
    return found;
  });
}
