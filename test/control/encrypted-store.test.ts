import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { temporaryPlaces } from "#test/kill/rounds.ts";
import { filesUnder } from "#test/oracle/log-file-reader.ts";
import { Sites } from "#test/oracle/sites.ts";
import { patience } from "#test/patience.ts";

needPrograms("setpriv");

const mark = Buffer.from("written by the host of this test");

test("an encrypted store shows nothing of what was written, is opened again with its key, and refuses another in words", async () => {
  const places = await temporaryPlaces();
  const keyFile = join(places.folder, "store.key");
  writeFileSync(keyFile, "ab".repeat(32));
  const settings = { store: { sealAfterSeconds: 1, keyFile } };
  const sites = await Sites.make({ mode: "async", sizeBytes: MiB, places, settings });
  const write = async (first: number): Promise<void> => {
    const client = await sites.connect();
    for (let block = first; block < first + 20; block++) {
      const bytes = Buffer.alloc(4096, block);
      mark.copy(bytes);
      await client.write(block * 4096, bytes);
    }
    await client.flush();
    await client.disconnect();
    await sites.calm();
  };
  const remote = join(places.data.remote, "remote");
  const unsealed = () => filesUnder(join(remote, "groups")).filter((path) => path.endsWith(".data"));
  const sealed = () => filesUnder(join(remote, "objects/segments"));
  await write(0);
  await vi.waitFor(() => expect(unsealed()).toEqual([]), patience);
  // One segment, or several where writing took longer than one is open.
  const before = sealed().length;
  expect(before).toBeGreaterThan(0);
  await sites.stop("remote");
  await sites.start("remote");
  await write(20);
  await vi.waitFor(() => expect(unsealed()).toEqual([]), patience);
  expect(sealed().length).toBeGreaterThan(before);
  for (const path of filesUnder(join(remote, "objects"))) expect(readFileSync(path).includes(mark)).toBe(false);
  await sites.stop("remote");
  writeFileSync(keyFile, "cd".repeat(32));
  await expect(sites.start("remote")).rejects.toThrow("the store does not open with this key");
});
