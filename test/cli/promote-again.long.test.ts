/** `tidemark view promote` typed again when it has ended: of a view that is still there, or of another one of its name, and of its copy. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import type { JobReport } from "#src/control/job.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { protectedSmallDisk } from "./small-disk.ts";

const MiB = 2 ** 20;

test.each(["by a job", "by itself"])("a view that is kept becomes a volume once, copied %s", async (how) => {
  const { folder, up } = await protectedSmallDisk();
  const open = async () => (await up.asked("view", "open", "disk@now", "--writable", "--name", "mine")) as ViewFacts;
  const view = await open();
  const source = join(folder, "second.img");
  const at = how === "by a job" ? [] : ["--at", up.api];
  const line = ["view", "promote", "mine", "second", "--source", source, ...at];
  const volume = { name: "second", source, ofView: { name: "mine", opened: view.opened } };
  expect(await up.asked(...line, "--keep-view")).toMatchObject(volume);
  const client = await openVolume(view.uri);
  await client.write(4 * MiB, Buffer.alloc(MiB, 7));
  await client.disconnect();
  expect(await up.asked(...line, "--keep-view")).toMatchObject(volume);
  // What was written behind the copy would be lost.
  const refused = await up.typed(...line);
  expect([refused.exitCode, refused.stderr]).toEqual([
    1,
    expect.stringContaining("it was made of view 'mine', which is open"),
  ]);
  await up.asked("view", "close", "mine", "--keep");
  const putAway = await up.typed(...line);
  expect([putAway.exitCode, putAway.stderr]).toEqual([1, expect.stringMatching(/name another|is put away/)]);
  await up.asked("view", "close", "mine", "--discard");
  expect(await up.asked(...line)).toMatchObject(volume);
  await open();
  for (const keep of [[], ["--keep-view"]]) {
    const other = await up.typed(...line, ...keep);
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining("an earlier view of that name")]);
  }
  expect((await up.status()).volumes).toHaveLength(2);
});

test("no volume is made of a copy that was replaced before that, and one that was removed is made again", async () => {
  const { folder, up } = await protectedSmallDisk();
  await up.asked("view", "open", "disk@now", "--writable", "--name", "mine");
  const target = join(folder, "second.img");
  const line = ["view", "promote", "mine", "second", "--source", target];
  const { id } = (await up.sent("POST", "/api/v1/views/mine/copies", { target })) as JobReport;
  await up.asked("job", "show", String(id), "--wait");
  const whole = readFileSync(target);
  const other = Buffer.alloc(whole.length, 3);
  writeFileSync(target, other);
  const refused = await up.typed(...line);
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("has not put there")]);
  expect(readFileSync(target).equals(other)).toBe(true);
  rmSync(target);
  expect(await up.asked(...line)).toMatchObject({ name: "second", source: target });
  expect(readFileSync(target).equals(whole)).toBe(true);
  expect((await up.typed("view", "ls")).stdout).toBe("no views\n");
});

/** The API, with something that is done as soon as a volume is added, and before whoever asked for that hears of it. */
async function meddled(api: string, behindAdding: () => Promise<unknown>): Promise<string> {
  const server = http.createServer(async (request, reply) => {
    const { method = "GET", url = "/", headers } = request;
    const body = await text(request);
    const type = headers["content-type"];
    const order = method === "GET" || body === "" ? {} : { body, headers: { "content-type": type ?? "" } };
    const answer = await fetch(`${api}${url}`, { method, ...order });
    const content = await answer.text();
    if (method === "POST" && url === "/api/v1/volumes") await behindAdding();
    reply.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a view that somebody opens behind its copy is not thrown away with what he writes to it", async () => {
  const { folder, up } = await protectedSmallDisk();
  const view = (await up.asked("view", "open", "disk@now", "--writable", "--name", "mine")) as ViewFacts;
  const api = await meddled(up.api, async () => {
    await up.asked("view", "open", "mine");
    const client = await openVolume(view.uri);
    await client.write(4 * MiB, Buffer.alloc(MiB, 7));
    await client.disconnect();
    await up.asked("view", "close", "mine", "--keep");
  });
  const line = ["view", "promote", "mine", "second", "--source", join(folder, "second.img"), "--api", api];
  const { exitCode, stderr } = await up.typed(...line);
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("it was made of view 'mine', which is put away")]);
  const { views } = (await up.asked("view", "ls")) as { readonly views: readonly ViewFacts[] };
  expect(views).toMatchObject([{ name: "mine", state: "put away" }]);
});
