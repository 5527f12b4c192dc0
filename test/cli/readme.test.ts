/** What the README has its readers type works, as it stands there. */
import { closeSync, copyFileSync, openSync, readSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { whenSeen } from "#test/patience.ts";
import { blocksBelow, freePorts, ReaderMachine } from "./readme.ts";

needPrograms("qemu-img", "qemu-io", "openssl", "setpriv");

const ports = ["7878", "7879", "7880", "7881", "10809"] as const;

async function writeTo(machine: ReaderMachine): Promise<void> {
  const client = await openVolume(`nbd://127.0.0.1:${machine.port("10809")}/disk`);
  await client.write(0, Buffer.alloc(4096, 1));
  await client.flush();
  await client.disconnect();
}

/** `local`, `remote`: the ports where they are asked. */
async function expectInSync(local: [ReaderMachine, string], remote: [ReaderMachine, string]): Promise<void> {
  await whenSeen(async () => {
    const groups = [{ name: "disk", mode: "sync", linkUp: true, lagRecords: 0 }];
    expect(await local[0].status(local[1])).toMatchObject({ ready: true, problems: [], groups });
  });
  const { groups } = (await local[0].status(local[1])) as { readonly groups: readonly { readonly lastSeq: number }[] };
  expect(await remote[0].status(remote[1])).toMatchObject({ remoteGroups: [{ durable: groups[0]?.lastSeq }] });
}

test("the demo, and what to try with it", async () => {
  const machine = new ReaderMachine(temporaryFolder(), await freePorts(...ports));
  const [commands, , , tries] = blocksBelow("Two commands");
  expect(commands?.text).toMatch(/^npm start .*\nnpm test /);
  const demo = await machine.start("npx tidemark demo");
  const said = await machine.type(tries?.text ?? "");
  expect(said).toMatch(/ready\n\nVOLUME .*\ndemo/);
  expect(said).toMatch(/^TIME .* STORED$/m);
  expect(said).toMatch(/\d{4}-\d\d-\d\dT\S+ +\d+ +write +\d+ +4\.0 KiB( +\d+){5}( +-)?$/m);
  await demo.stop();
  expect(demo.lines.at(-1)).toMatch(
    /^stopped: 60000 writes since the start, all durable at the source; all that was journaled is/,
  );
});

test("a disk is protected", async () => {
  const machine = new ReaderMachine(temporaryFolder(), await freePorts(...ports));
  const [start, commands] = blocksBelow("Protect a disk");
  const up = await machine.start(start?.text ?? "");
  await machine.type(commands?.text ?? "");
  await writeTo(machine);
  await expectInSync([machine, "7878"], [machine, "7878"]);
  await up.stop();
});

test("any moment of a disk comes back", async () => {
  const machine = new ReaderMachine(temporaryFolder(), await freePorts(...ports));
  const [start, commands] = blocksBelow("Protect a disk");
  const up = await machine.start(start?.text ?? "");
  await machine.type(commands?.text ?? "");
  await writeTo(machine);
  await machine.type("npx tidemark mark disk --name before-upgrade");
  const client = await openVolume(`nbd://127.0.0.1:${machine.port("10809")}/disk`);
  for (let block = 1; block < 4; block++) await client.write(block * 4096, Buffer.alloc(4096, block));
  await client.disconnect();
  const look = 'qemu-io -r -f raw "$TIDEMARK_URI" -c "read -P 0 8k 4k" 2>&1';
  const check = `#!/bin/sh\nif ${look} | grep -q failed; then exit 1; fi\n`;
  writeFileSync(join(machine.folder, "check"), check, { mode: 0o755 });
  const said = await machine.type(blocksBelow("Any moment of it")[0]?.text ?? "");
  expect(said).toMatch(/ 4096 +12288 +data\n12\.0 KiB in 1 ranges differ/);
  expect(said).toMatch(/is proven/);
  expect(said).toMatch(/the first bad point is seq:\d+/);
  const copy = Buffer.alloc(8192);
  const file = openSync(join(machine.folder, "srv/old.img"), "r");
  readSync(file, copy, 0, copy.length, 0);
  closeSync(file);
  expect([copy[0], copy[4096]]).toEqual([1, 0]);
  await up.stop();
});

test("the roles run apart on one machine, and any of them comes back", async () => {
  const machine = new ReaderMachine(temporaryFolder(), await freePorts(...ports));
  const [remote, local, interceptor, commands] = blocksBelow("The roles apart");
  const programs = [];
  for (const block of [remote, local, interceptor]) programs.push(await machine.start(block?.text ?? ""));
  await machine.type(commands?.text ?? "");
  await writeTo(machine);
  await expectInSync([machine, "7880"], [machine, "7881"]);
  for (const [index, block] of [remote, local, interceptor].entries()) {
    await programs[index]?.kill();
    programs[index] = await machine.start(block?.text ?? "");
    await whenSeen(async () => expect(await machine.status("7878")).toMatchObject({ ready: true }));
    await writeTo(machine);
    await expectInSync([machine, "7880"], [machine, "7881"]);
  }
  for (const program of programs.toReversed()) await program.stop();
});

test("the roles run on two machines, with TLS and a token", async () => {
  const shared = await freePorts(...ports);
  const [there, here] = [new ReaderMachine(temporaryFolder(), shared), new ReaderMachine(temporaryFolder(), shared)];
  const [certificates, remoteFile, remote, siteFile, local, interceptor] = blocksBelow("The roles apart").slice(4);
  for (const block of [certificates, remoteFile, remote]) await there.follow(block ?? { language: "none", text: "" });
  for (const name of ["token", "remote-cert.pem"]) copyFileSync(join(there.folder, name), join(here.folder, name));
  for (const block of [siteFile, local, interceptor]) await here.follow(block ?? { language: "none", text: "" });
  await here.type("npx tidemark volume add disk --source disk.img --size 16M");
  await here.type("npx tidemark mode disk sync --api http://127.0.0.1:7880");
  await writeTo(here);
  await expectInSync([here, "7880"], [there, "7881"]);
});
