/** Changed blocks between two points, as programs for backup ask for them. */
import { expect, test } from "vitest";
import type { ViewFacts } from "#src/control/view.ts";
import { MiB } from "#src/core/limits.ts";
import { blockBytes, withHistory } from "#test/cli/volume-with-history.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { succeed } from "./command.ts";
import { needPrograms } from "./harness.ts";

needPrograms("nbdinfo", "qemu-img");

test("a view tells tools for backup what was written since another point, and to itself", async () => {
  const { up } = await withHistory();
  const line = ["view", "open", "disk@mark:late", "--writable", "--since", "mark:early", "--since", "first=mark:early"];
  const { uri, name } = (await up.asked(...line)) as ViewFacts;
  const client = await openVolume(uri);
  await client.write(6 * MiB, Buffer.alloc(blockBytes, 9));
  await client.disconnect();
  const dirty = async (context: string) => {
    const { stdout } = await succeed("nbdinfo", ["--json", `--map=qemu:dirty-bitmap:${context}`, uri]);
    const extents = JSON.parse(stdout) as { readonly offset: number; readonly length: number; readonly type: number }[];
    return extents.filter(({ type }) => type === 1).map(({ offset, length }) => [offset, length]);
  };
  const wanted = [
    [0, blockBytes],
    [32_768, 8192],
    [4 * MiB, blockBytes],
    [6 * MiB, blockBytes],
  ];
  expect(await dirty("early")).toEqual(wanted);
  expect(await dirty("first")).toEqual(wanted);
  // Its reading of the context: what is dirty is no data.
  const options = `driver=nbd,server.type=unix,server.path=${new URL(uri).searchParams.get("socket")},export=${name}`;
  const bitmap = `${options},x-dirty-bitmap=qemu:dirty-bitmap:early`;
  const { stdout } = await succeed("qemu-img", ["map", "--output=json", "--image-opts", bitmap]);
  const extents = JSON.parse(stdout) as { readonly start: number; readonly length: number; readonly data: boolean }[];
  expect(extents.filter(({ data }) => !data).map(({ start, length }) => [start, length])).toEqual(wanted);
  expect((await up.typed("view", "open", "disk@now", "--since", "mark:never")).stderr).toContain("never");
  expect((await up.typed("view", "close", name, "--discard")).exitCode).toBe(0);
});
