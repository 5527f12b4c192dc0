/** docs/runbooks.md, followed as it stands there, each after the accident that it is for. */
import { openSync, readSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { stepsOf, TwoSites } from "./two-sites.ts";

needPrograms("nbdcopy", "qemu-io", "setpriv");

async function follow(sites: TwoSites, heading: string): Promise<string[]> {
  const said: string[] = [];
  for (const step of stepsOf(heading)) said.push(await sites.type(step));
  return said;
}

/** Passes while the first block has the byte of before. */
function writeCheck(sites: TwoSites): void {
  const look = 'qemu-io -r -f raw "$TIDEMARK_URI" -c "read -P 1 0 4k" 2>&1';
  const check = `#!/bin/sh\nif ${look} | grep -q failed; then exit 1; fi\n`;
  writeFileSync(sites.path("backup", "check"), check, { mode: 0o755 });
}

function firstBytes(path: string, count: number): number[] {
  const file = openSync(path, "r");
  const byte = Buffer.alloc(1);
  return Array.from({ length: count }, (_, block) => {
    readSync(file, byte, 0, 1, block * 65_536);
    return byte[0] as number;
  });
}

test("the source is lost, and comes back with all that was answered", async () => {
  const sites = await TwoSites.start();
  await sites.write("disk", 1, 2, 3);
  await sites.calm("disk");
  await sites.killRole("interceptor");
  sites.lose("site", "disk.img");
  await follow(sites, "The source is lost");
  expect(await sites.read("disk", 4)).toEqual([1, 2, 3, 0]);
  await sites.write("disk", 4);
  await sites.calm("disk");
});

test("the local appliance has lost its spool, and the volume is protected again", async () => {
  const sites = await TwoSites.start();
  await sites.write("disk", 1, 2, 3);
  await sites.calm("disk");
  await sites.killRole("local");
  sites.loseSpools();
  await follow(sites, "The local appliance has lost its spool");
  await sites.write("disk", 4);
  await sites.calm("disk");
  await sites.type("# on backup\ntidemark restore disk@now --to /srv/copy.img");
  expect(firstBytes(sites.path("backup", "srv/copy.img"), 4)).toEqual([4, 2, 3, 0]);
});

test("the local appliance has lost all of its data, with what the remote one did not have: both histories are there", async () => {
  const sites = await TwoSites.start();
  await sites.write("disk", 1, 2, 3);
  await sites.calm("disk");
  await sites.stopRole("remote");
  await sites.write("disk", 7, 8, 9);
  await sites.killRole("local");
  sites.lose("site", "tidemark/local");
  await sites.startRole("remote");
  await sites.startRole("local");
  await sites.calm("disk");
  const refused = await sites.type("# on backup\ntidemark points disk 2>&1 || true");
  const names = /say which one, of (\w+\/disk), (\w+\/disk)/.exec(refused)?.slice(1) ?? [];
  const contents: number[][] = [];
  for (const [index, name] of names.entries()) {
    await sites.type(`# on backup\ntidemark restore ${name}@now --to /srv/copy-${index}.img`);
    contents.push(firstBytes(sites.path("backup", `srv/copy-${index}.img`), 4));
  }
  expect(contents.toSorted()).toEqual([
    [1, 2, 3, 0],
    [7, 8, 9, 0],
  ]);
});

test("the interceptor has lost its data, and its volume is protected again in its group", async () => {
  const sites = await TwoSites.start();
  await sites.write("disk", 1, 2, 3);
  await sites.calm("disk");
  await sites.killRole("interceptor");
  sites.lose("site", "tidemark/interceptor");
  const said = await follow(sites, "The interceptor has lost its data");
  expect(said.join("")).toContain("disk does not wait for disk any more");
  await sites.write("disk", 4);
  await sites.calm("disk");
  await sites.type("# on backup\ntidemark restore disk@now --to /srv/copy.img");
  expect(firstBytes(sites.path("backup", "srv/copy.img"), 4)).toEqual([4, 2, 3, 0]);
});

test("the site is lost, and hosts go on where its remote appliance is", async () => {
  const sites = await TwoSites.start();
  await sites.write("disk", 1, 2, 3);
  await sites.calm("disk");
  await sites.killRole("interceptor");
  await sites.killRole("local");
  sites.lose("site", "tidemark");
  sites.lose("site", "disk.img");
  await follow(sites, "The site is lost");
  expect(await sites.read("disk-again", 4)).toEqual([1, 2, 3, 0]);
  await sites.calm("disk-again");
});

test("the remote appliance is lost, and is made anew of its store", async () => {
  const sites = await TwoSites.start();
  await sites.write("disk", 1, 2, 3);
  await sites.calm("disk");
  await sites.stored();
  await sites.killRole("remote");
  sites.lose("backup", "tidemark");
  await sites.write("disk", 4, 5);
  await follow(sites, "The remote appliance is lost");
  await sites.calm("disk");
  await sites.type("# on backup\ntidemark restore disk@now --to /srv/copy.img");
  expect(firstBytes(sites.path("backup", "srv/copy.img"), 4)).toEqual([4, 5, 3, 0]);
});

test("somebody made a mistake, which is found and undone", async () => {
  const sites = await TwoSites.start();
  writeCheck(sites);
  await sites.write("disk", 1, 2, 3);
  await sites.type("# on site\ntidemark mark disk --name before-upgrade --api http://127.0.0.1:7880");
  await sites.write("disk", 9, 9);
  await sites.calm("disk");
  // What the volume holds now has to have a name first.
  const rash = "# on backup\ntidemark restore disk@mark:before-upgrade --to nbd://127.0.0.1/disk --overwrite";
  await expect(sites.type(rash)).rejects.toThrow("what it holds now has no mark");
  const said = (await follow(sites, "Somebody made a mistake")).join("\n");
  expect(said).toMatch(/the first bad point is seq:\d+/);
  expect(await sites.read("disk", 4)).toEqual([1, 2, 3, 0]);
  await sites.calm("disk");
  await sites.type("# on backup\ntidemark restore disk@mark:before-restore --to /srv/copy.img");
  expect(firstBytes(sites.path("backup", "srv/copy.img"), 4)).toEqual([9, 9, 3, 0]);
});

test("ransomware: the last good point is found, proven, and taken out", async () => {
  const sites = await TwoSites.start();
  writeCheck(sites);
  await sites.write("disk", 1, 2, 3);
  await sites.type("# on site\ntidemark mark disk --name known-good --api http://127.0.0.1:7880");
  await sites.write("disk", 7, 7, 7, 7);
  await sites.calm("disk");
  const said = (await follow(sites, "Ransomware")).join("\n");
  expect(said).toMatch(/is proven/);
  expect(await sites.read("disk-clean", 4)).toEqual([1, 2, 3, 0]);
});
