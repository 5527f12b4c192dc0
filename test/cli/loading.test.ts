/** What is loaded, and what is not: commands that only ask a program do not carry it, nor does a role carry another one. */
import { join, posix } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { projectRoot, readProject } from "#test/tidy/project-files.ts";

const script = `
import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
await import(process.argv[1]);
console.log(JSON.stringify(urls));`;

async function loaded(module: string, ...options: readonly string[]): Promise<readonly string[]> {
  const path = join(projectRoot, "src", module);
  const { stdout } = await run(process.execPath, [...options, "--input-type=module", "--eval", script, path]);
  return JSON.parse(stdout) as readonly string[];
}

test("all commands together load neither the program nor its server, nor TLS", async () => {
  const urls = await loaded("cli/commands.ts");
  expect(urls.some((url) => url.endsWith("/src/cli/api-client.ts"))).toBe(true);
  const heavy =
    /node_modules\/(fastify|ajv|ws|prom-client|lmdb)\/|\/src\/control\/(program|http\/server)\.ts|^node:(tls|https)$/;
  expect(urls.filter((url) => heavy.test(url))).toEqual([]);
});

test("names of modules that are found by their text alone are found where Node finds them", async () => {
  const hooks = join(projectRoot, "src/host/node/own-modules.js");
  expect(await loaded("cli/commands.ts", "--import", hooks)).toEqual(
    expect.arrayContaining([...(await loaded("cli/commands.ts"))]),
  );
});

test("the program is loaded without what only some requests need, and a side without its parts", async () => {
  const modules = ["control/program.ts", "control/local-side.ts", "cli/roles.ts"] as const;
  const [program, side, roles] = (await Promise.all(modules.map((one) => loaded(one)))) as [
    string[],
    string[],
    string[],
  ];
  expect(program.some((url) => /node_modules\/fastify\//.test(url))).toBe(true);
  const rarelyUsed = /node_modules\/(ajv|prom-client|ws|yaml)\//;
  expect([...program, ...roles].filter((url) => rarelyUsed.test(url))).toEqual([]);
  const parts = /\/src\/(appliance\/local\/local-appliance|nbd\/server|interceptor\/write-path)\.ts|^node:tls$/;
  expect(side.filter((url) => parts.test(url))).toEqual([]);
});

test("whatever is loaded later than its importer is compiled beforehand with the rest", () => {
  const named = (text: string) =>
    [...text.matchAll(/\bimport\("([^"]+\.ts)"\)(?!\.)/g)].map(([, specifier = ""]) => specifier);
  const absolute = (path: string, specifier: string) =>
    specifier.startsWith("#src/") ? specifier.slice(1) : posix.join(posix.dirname(path), specifier);
  const sources = readProject().filter(({ path }) => path.startsWith("src/"));
  const later = (path: string, text: string) => named(text).map((specifier) => absolute(path, specifier));
  const launcher = sources.find(({ path }) => path === "src/cli/launch.js");
  const compiled = new Set(later("src/cli/launch.js", launcher?.text ?? ""));
  // Commands are all in the list of them.
  const importers = sources.filter(({ path }) => path.endsWith(".ts") && path !== "src/cli/command-alone.ts");
  expect(importers.flatMap(({ path, text }) => later(path, text)).filter((path) => !compiled.has(path))).toEqual([]);
});
