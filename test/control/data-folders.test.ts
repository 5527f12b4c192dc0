import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { takeFolders } from "#src/control/data-folders.ts";
import { roleNames } from "#src/control/role.ts";
import { wireToken } from "#src/control/wire-token.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { nodeRandomness } from "#src/host/node/randomness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";

function configIn(folder: string) {
  return loadConfig({ environment: {}, assignments: [`data=${folder}/data`], folder }).config;
}

test("fault 38: folders are made, and taken by one alone", async () => {
  const config = configIn(temporaryFolder());
  const locks = await takeFolders(nodeFiles, config, roleNames);
  expect(nodeFiles.list(config.data)).toEqual(["interceptor", "local", "remote"]);
  await expect(takeFolders(nodeFiles, config, ["remote"])).rejects.toThrow(
    `data/remote is in use by process ${process.pid}: two would damage each other's data`,
  );
  for (const lock of locks) lock.release();
  for (const lock of await takeFolders(nodeFiles, config, roleNames)) lock.release();
});

test("who does not get all of them keeps none", async () => {
  const config = configIn(temporaryFolder());
  const [lock] = await takeFolders(nodeFiles, config, ["remote"]);
  await expect(takeFolders(nodeFiles, config, roleNames)).rejects.toThrow("in use");
  for (const other of await takeFolders(nodeFiles, config, ["interceptor", "local"])) other.release();
  lock?.release();
});

test("a folder that cannot be made is named", async () => {
  const config = loadConfig({ environment: {}, assignments: ["data=/proc/nowhere/data"], folder: "/" }).config;
  await expect(takeFolders(nodeFiles, config, ["local"])).rejects.toThrow(
    "the folder /proc/nowhere/data cannot be made",
  );
});

test("the remote side makes a token, and the local side finds it", async () => {
  const config = configIn(temporaryFolder());
  const ports = { files: nodeFiles, randomness: nodeRandomness };
  nodeFiles.makeFolder(config.data);
  await expect(wireToken(config, ["local"], ports)).rejects.toThrow("wire.tokenFile is not set");
  const token = await wireToken(config, ["remote"], ports);
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  expect(await wireToken(config, ["local"], ports)).toBe(token);
  expect(await wireToken(config, ["remote"], ports)).toBe(token);
});

test("a token of the configuration is taken instead", async () => {
  const config = loadConfig({
    environment: { TIDEMARK_WIRE_TOKEN: "0123456789abcdef" },
    assignments: [],
    folder: "/nonexistent",
  }).config;
  expect(await wireToken(config, ["remote"], { files: nodeFiles, randomness: nodeRandomness })).toBe(
    "0123456789abcdef",
  );
});
