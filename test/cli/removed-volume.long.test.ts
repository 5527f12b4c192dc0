/** A volume is removed where the roles are apart: the local appliance is another program, and may be away. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { patience } from "#test/patience.ts";
import { RunningProgram } from "./running-program.ts";

test("the local appliance hears of it, also when it was away", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  const remote = ["--set", `remote.address=${join(folder, "nobody")}`];
  mkdirSync(data);
  writeFileSync(join(data, "wire.token"), "ab".repeat(32), { mode: 0o600 });
  const local = await RunningProgram.start("local", data, ...remote);
  const interceptor = await RunningProgram.start("interceptor", data);
  for (const name of ["a", "b", "c"]) {
    const source = ["--source", join(folder, `${name}.img`), "--size", "1M"];
    await interceptor.asked("volume", "add", name, "--group", "g", ...source);
  }
  await interceptor.asked("volume", "rm", "b", "--confirm", "b");
  await vi.waitFor(async () => {
    expect((await local.status()).groups).toMatchObject([{ volumeNames: ["a", "c"] }]);
  }, patience);
  await local.program.stop();
  await interceptor.asked("volume", "rm", "c", "--confirm", "c");
  const back = await RunningProgram.start("local", data, ...remote);
  await vi.waitFor(() => back.asked("mark", "g", "--name", "m"), patience);
});
