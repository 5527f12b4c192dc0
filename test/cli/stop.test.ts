/** What a program says when it has ended in order. */
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import type { VolumeReport } from "#src/control/control-plane.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher, RunningProgram } from "./running-program.ts";

const block = Buffer.alloc(4096, 1);

async function lastLine({ program }: RunningProgram): Promise<unknown> {
  await program.stop();
  return JSON.parse(program.lines.at(-1) as string) as unknown;
}

test("all roles in one process have brought everything everywhere", async () => {
  const folder = temporaryFolder();
  const up = await RunningProgram.start("up", join(folder, "data"));
  const line = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M"];
  const client = await openVolume(((await up.asked(...line)) as VolumeReport).uris[0] as string);
  await client.write(0, block);
  await client.write(4096, block);
  await client.disconnect();
  // The volume's own record, and two writes.
  await vi.waitFor(async () => expect((await up.status()).groups).toMatchObject([{ received: 3 }]), {
    timeout: 10_000,
  });
  expect(await lastLine(up)).toMatchObject({
    stopped: {
      volumes: [{ name: "disk", writes: 2, isDurable: true }],
      // And a flush at the end.
      groups: [{ name: "disk", lastSeq: 4, durable: expect.toSatisfy((seq) => seq === 3 || seq === 4) }],
    },
  });
});

test("roles by themselves say what they know, for people in one line", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  await (await RunningProgram.start("remote", data, "--set", "wire.port=0")).program.stop();
  const local = await RunningProgram.start("local", data, "--set", `remote.address=${join(folder, "nobody")}`);
  const interceptor = await RunningProgram.start("interceptor", data);
  const line = ["volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M"];
  const client = await openVolume(((await interceptor.asked(...line)) as VolumeReport).uris[0] as string);
  await client.write(0, block);
  await client.disconnect();
  expect(await lastLine(interceptor)).toEqual({
    stopped: { writes: 1, volumes: [{ name: "disk", writes: 1, isDurable: true }], groups: [], remoteGroups: [] },
  });
  expect(await lastLine(local)).toMatchObject({ stopped: { volumes: [], groups: [{ received: 0, durable: 0 }] } });

  const again = new Program("remote", [
    ...[process.execPath, launcher, "remote", "--data", data],
    ...["--set", "wire.port=0", "--set", "http.port=0"],
  ] as [string, ...string[]]);
  await again.line((text) => text.includes("API"));
  await again.stop();
  expect(again.lines.at(-1)).toBe("stopped");
});

test("a program that is told to stop while it starts does so at once, in order", async () => {
  const folder = temporaryFolder();
  const data = join(folder, "data");
  await (await RunningProgram.start("remote", data, "--set", "wire.port=0")).program.stop();
  const nobody = ["--set", `remote.address=${join(folder, "nobody")}`];
  const local = await RunningProgram.start("local", data, ...nobody);
  const interceptor = await RunningProgram.start("interceptor", data);
  await interceptor.asked("volume", "add", "disk", "--source", join(folder, "disk.img"), "--size", "1M");
  await local.program.kill();
  const bootIdFile = join(folder, "boot-id");
  writeFileSync(bootIdFile, "after-a-loss-of-power");
  // It waits for the remote appliance, which may have what the spool has lost.
  const line = ["local", "--data", data, "--set", "http.port=0", "--json", ...nobody];
  const again = new Program("local", [process.execPath, launcher, ...line], { bootIdFile });
  const groups = join(data, "local", "groups");
  const [group] = readdirSync(groups);
  const state = () => readFileSync(join(groups, group as string, "group.json"), "utf8");
  await whenSeen(() => expect(state()).toContain("after-a-loss-of-power"));
  await again.stop();
  const none = { writes: 0, volumes: [], groups: [], remoteGroups: [] };
  expect(again.lines.map((text) => JSON.parse(text) as unknown)).toEqual([{ stopped: none }]);
});

/** One question after the other on one connection, until nobody answers any more. Resolves with the first answer. */
async function asksWithoutEnd(url: string): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const asked = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = http.get(url, { agent }, (response) => response.resume().once("end", resolve));
      request.once("error", reject);
    });
  await asked();
  void (async () => {
    for (;;) await asked();
  })().catch(() => {});
}

test("clients that ask without end, listen, or have sent half of a request do not hold up the end", async () => {
  const up = await RunningProgram.start("up", join(temporaryFolder(), "data"));
  const { hostname, port, host } = new URL(up.api);
  const listener = new WebSocket(`ws://${host}/api/v1/events`, "tidemark");
  await once(listener, "open");
  const closed = once(listener, "close");
  const half = net.connect(Number(port), hostname);
  const [hungUp] = [once(half, "close"), half.write("GET /healthz HTTP/1.1\r\nhost: local")];
  half.on("error", () => {});
  // The remote side is asked for its jobs each time: it is gone before the one who asks is.
  const paths = [...new Array<string>(4).fill("/api/v1/jobs"), "/api/v1/status", "/metrics", "/readyz"];
  for (const path of paths) await asksWithoutEnd(up.api + path);
  await lastLine(up);
  const [code] = await closed;
  expect(code).toBe(1001);
  await hungUp;
  expect(up.program.stderr).not.toContain("has not answered for");
});
