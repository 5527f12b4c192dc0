/** The npm package as a user gets it: packed, installed into an empty folder, and run there, without any step in between. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run, succeed } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

needPrograms("mkfs.ext4", "debugfs");

const npmMs = 120_000;

interface Installed {
  readonly folder: string;
  readonly package: string;
  readonly launcher: string;
}

let installed: Installed;
/** Of all tests together. */
const folder = mkdtempSync(join(tmpdir(), "tidemark-package-"));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  await succeed("bash", ["-c", `cd "${projectRoot}" && npm pack --pack-destination "${folder}"`], { timeoutMs: npmMs });
  const [tarball = ""] = readdirSync(folder).filter((name) => name.endsWith(".tgz"));
  const place = join(folder, "empty");
  mkdirSync(place);
  writeFileSync(join(place, "package.json"), '{ "private": true, "type": "module" }');
  const install = `cd "${place}" && npm install --ignore-scripts --prefer-offline --no-audit --no-fund "../${tarball}"`;
  await succeed("bash", ["-c", install], { timeoutMs: npmMs });
  installed = {
    folder: place,
    package: join(place, "node_modules/tidemark"),
    launcher: join(place, "node_modules/.bin/tidemark"),
  };
}, 2 * npmMs);

function filesOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" });
}

async function typed(...line: readonly string[]) {
  return run(process.execPath, [installed.launcher, ...line]);
}

test("it has JavaScript, types of the library, documents and what is deployed, and nothing of the checkout besides", () => {
  const files = filesOf(installed.package);
  expect(files.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))).toEqual([]);
  expect(files.filter((path) => path.startsWith("test") || path === "deploy/setup.js")).toEqual([]);
  expect(files).toEqual(
    expect.arrayContaining([
      ...["dist/cli/main.js", "dist/nbd/index.d.ts", "docs/operations.md", "LICENSE"],
      ...["deploy/systemd/tidemark.service", "deploy/sample/tidemark.yaml", "deploy/container/compose.yaml"],
    ]),
  );
  // The pinned Node is for checkouts; it would be four times as large as all the rest.
  expect(existsSync(join(installed.folder, "node_modules/node"))).toBe(false);
  expect(existsSync(join(projectRoot, "dist"))).toBe(false);
});

test("a secret that lies beside what is deployed in containers is not in it", async () => {
  const checkout = temporaryFolder();
  for (const path of ["package.json", "deploy"])
    cpSync(join(projectRoot, path), join(checkout, path), { recursive: true });
  writeFileSync(join(checkout, "deploy/container/token"), "ab".repeat(32));
  const list = await succeed("bash", ["-c", `cd "${checkout}" && npm pack --dry-run --json --ignore-scripts`]);
  expect(list.stdout).toContain('"deploy/container/grafana/datasource.yaml"');
  expect(list.stdout).toContain('"deploy/container/prometheus.yml"');
  expect(list.stdout).not.toContain("deploy/container/token");
});

test("every module names others as they are called there", () => {
  const modules = filesOf(join(installed.package, "dist")).filter((path) => path.endsWith(".js"));
  expect(modules.length).toBeGreaterThan(300);
  for (const path of modules) {
    const text = readFileSync(join(installed.package, "dist", path), "utf8");
    expect(text, path).not.toMatch(/(from|import\(|new URL\()\s*["'](#|\.[^"']*\.ts["'])/);
  }
});

test("it tells its version and its commands", async () => {
  const { version } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
    readonly version: string;
  };
  expect(await typed("--version")).toMatchObject({ exitCode: 0, stdout: `tidemark ${version}\n`, stderr: "" });
  expect((await typed("--help")).stdout).toContain("story");
});

/** Its document, and all modules that this names. */
async function expectPage(api: string): Promise<void> {
  const document = await (await fetch(`${api}/`)).text();
  const modules = [...document.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, path = ""]) => path);
  expect(modules.length).toBeGreaterThan(0);
  for (const path of modules) {
    const answer = await fetch(new URL(path, `${api}/`));
    expect([path, answer.status, (await answer.text()).length > 0]).toEqual([path, 200, true]);
  }
}

test("its demo protects a volume, and brings a deleted file back", async () => {
  const data = join(temporaryFolder(), "data");
  const ports = ["--set", "http.port=0", "--set", "nbd.port=0"];
  const line = [process.execPath, installed.launcher, "demo", "--data", data, ...ports, "--json"] as const;
  const demo = new Program("demo", line);
  const { api } = JSON.parse(await demo.line((text) => text.startsWith("{"))) as { readonly api: string };
  await expectPage(api);
  const told = await typed("story", "--api", api);
  expect(told.exitCode, told.stderr).toBe(0);
  expect(told.stdout).toMatch(/It is deleted.*: lost\+found\n.*ten seconds ago.*letter\.txt/s);
  expect((await typed("status", "--api", api)).stdout).toContain("ready");
  await demo.stop();
});

test("the library is found by its name", async () => {
  const program =
    'import { parseNbdUri } from "tidemark/nbd"; console.log(parseNbdUri("nbd://far.example/disk").exportName)';
  writeFileSync(join(installed.folder, "use.js"), program);
  expect((await succeed(process.execPath, [join(installed.folder, "use.js")])).stdout).toBe("disk\n");
});

test("the machine's own Node runs it, or is told which one could", async () => {
  const places = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const own = places.map((folder) => join(folder, "node")).find((path) => existsSync(path));
  if (own === undefined) return;
  const [major = 0, minor = 0] = (await succeed(own, ["--version"])).stdout.slice(1).split(".").map(Number);
  const ending = await run(own, [installed.launcher, "--version"]);
  if (major > 22 || (major === 22 && minor >= 15)) expect(ending.exitCode).toBe(0);
  else expect(ending).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("it takes Node 22.15 or newer") });
});
