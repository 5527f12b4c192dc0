/** What commands load: those that only ask a program do not carry it. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

const script = `
import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
await import(process.argv[1]);
console.log(JSON.stringify(urls));`;

const commands = join(projectRoot, "src/cli/commands.ts");

async function loaded(...options: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [...options, "--input-type=module", "--eval", script, commands]);
  return JSON.parse(stdout) as readonly string[];
}

test("all commands together load neither the program nor its server", async () => {
  const urls = await loaded();
  expect(urls.some((url) => url.endsWith("/src/cli/api-client.ts"))).toBe(true);
  const heavy = /node_modules\/(fastify|ajv|ws|prom-client|lmdb)\/|\/src\/control\/(program|http\/server)\.ts/;
  expect(urls.filter((url) => heavy.test(url))).toEqual([]);
});

test("names of modules that are found by their text alone are found where Node finds them", async () => {
  expect(await loaded("--import", join(projectRoot, "src/host/node/own-modules.js"))).toEqual(
    expect.arrayContaining([...(await loaded())]),
  );
});
