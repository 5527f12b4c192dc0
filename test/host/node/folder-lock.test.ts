import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { lockFolder } from "#src/host/node/folder-lock.ts";
import { projectRoot } from "#test/tidy/project-files.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const script = `
  const { lockFolder } = await import("#src/host/node/folder-lock.ts");
  lockFolder(process.argv[1]);
  console.log("locked");
  setInterval(() => {}, 60_000);
`;

async function holder(folder: string, environment: Readonly<Record<string, string>>) {
  const options = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", script, folder];
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, options, { cwd: projectRoot, env, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}

const ways = [
  ["a system call", "a system call"],
  ["a system call", "a program"],
  ["a program", "a system call"],
  ["a program", "a program"],
] as const;

test.each(ways)(
  "fault 38: what another process locked by %s is not ours by %s, until it is killed",
  async (theirs, ours) => {
    const folder = temporaryFolder();
    const child = await holder(folder, theirs === "a program" ? { TIDEMARK_NO_FFI: "1" } : {});
    const lock = () => (ours === "a program" ? lockFolder(folder, null) : lockFolder(folder));
    expect(lock).toThrow(`in use by process ${child.pid}`);
    child.kill("SIGKILL");
    await once(child, "exit");
    lock().release();
  },
);

test("a file system without locks is said to be one", () => {
  expect(() => lockFolder(temporaryFolder(), { lock: () => -38 })).toThrow("does not lock files (error 38)");
});
