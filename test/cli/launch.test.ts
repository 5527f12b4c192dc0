/** The launcher under a Node that is not the pinned one: the program is a child of its own then, and ends with it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { RunningProgram } from "./running-program.ts";

const launcher = join(import.meta.dirname, "../../src/cli/launch.js");
/** What the launcher asks to know which Node it runs on. */
const otherNode =
  "data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.0.0'}})";

/** A launcher with its program, whose standard output only the program holds open once the launcher is gone. */
async function launched(data: string) {
  const line = ["--import", otherNode, launcher, "up", "--data", data, "--json"];
  const ports = ["--set", "http.port=0", "--set", "nbd.port=0"];
  const child = spawn(process.execPath, [...line, ...ports], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGTERM"));
  const [text] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return { child, api: (JSON.parse(text) as { readonly api: string }).api };
}

test("a launcher that is killed takes its program with it, in order", async () => {
  const data = join(temporaryFolder(), "data");
  const { child, api } = await launched(data);
  expect((await fetch(`${api}/healthz`)).status).toBe(200);
  child.kill("SIGKILL");
  await once(child.stdout.resume(), "end");
  await expect(fetch(`${api}/healthz`)).rejects.toThrow();
  // Nobody has its folders any more.
  const next = await RunningProgram.start("up", data);
  await next.program.stop();
});

test("a launcher that is asked to end passes that on, and ends as its program does", async () => {
  const { child } = await launched(join(temporaryFolder(), "data"));
  child.stdout.resume();
  child.kill("SIGTERM");
  expect(await once(child, "exit")).toEqual([0, null]);
});
