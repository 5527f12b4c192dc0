/** The README's first screen: a protected volume, and a file that comes back from ten seconds ago, with nothing else typed. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { blocksBelow, freePorts, ReaderMachine } from "./readme.ts";
import { launcher, RunningProgram } from "./running-program.ts";

needPrograms("mkfs.ext4", "debugfs");

/** What differs from time to time. */
const withoutMoments = (text: string): string =>
  text.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME").replaceAll(/\d+\.\d KiB/g, "SIZE");

test("the README's story is what its command tells, and can be told again", async () => {
  const machine = new ReaderMachine(temporaryFolder(), await freePorts("7878", "10809"));
  const [start, story, told] = blocksBelow("Two commands");
  expect(start?.text).toMatch(/^npm start /);
  expect(story?.text).toBe("npx tidemark story\n");
  const demo = await machine.start("npx tidemark demo");
  const said = withoutMoments(await machine.type(story?.text ?? ""));
  expect(said).toContain(withoutMoments(told?.text ?? "nothing"));
  expect(await machine.type(story?.text ?? "")).toContain("It is back on the volume: lost+found letter.txt");
  await demo.stop();
});

test("it is told where holes are not known, as by an older Node", async () => {
  const folder = temporaryFolder();
  const without = { TIDEMARK_NO_FFI: "1" };
  const line = [process.execPath, launcher, "up", "--data", join(folder, "data"), "--set", "http.port=0"] as const;
  const up = new Program("up", [...line, "--set", "nbd.port=0", "--json"], { environment: without });
  const { api } = JSON.parse(await up.line((text) => text.startsWith("{"))) as { readonly api: string };
  const typed = (...words: readonly string[]) =>
    run(process.execPath, [launcher, ...words, "--api", api], { environment: without });
  await typed("volume", "add", "small", "--source", join(folder, "small.img"), "--size", "64M");
  const { stdout, stderr } = await typed("story", "small");
  expect(stdout, stderr).toContain("It is back on the volume: lost+found letter.txt");
  await up.stop();
});

test("a volume that is in use, or holds something else, is left alone", async () => {
  const folder = temporaryFolder();
  const demo = await RunningProgram.start("demo", join(folder, "data"));
  const uri = (await demo.status()).volumes[0]?.uris[0] as string;
  const client = await openVolume(uri);
  await client.write(0, Buffer.alloc(4096, 7));
  await client.flush();
  expect(await demo.typed("story")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("attached by somebody"),
  });
  await client.disconnect();
  expect(await demo.typed("story")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("the story is for an empty volume"),
  });
  expect(await demo.typed("story", "nobody")).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("no volume"),
  });
});
