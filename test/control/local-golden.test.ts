/** What the folders of an interceptor and of a local appliance say of themselves, as version 1 has it. */
import { expect, test } from "vitest";
import { type GroupState, GroupStateFile } from "#src/appliance/local/group-state.ts";
import { Catalogue } from "#src/control/catalogue.ts";
import type { VolumeDefinition } from "#src/control/role.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { golden, put, written } from "./golden-files.ts";

function world() {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  return { host, files: host.files, driver: simDriver(simulation.clock) };
}

const group: GroupState = {
  ...{ id: "00112233445566778899aabbccddeeff", name: "disks", life: 7, bootId: "a boot 1", epoch: 65_539 },
  ...{ seqCeiling: 2 ** 40 + 4096, epochSeq: 2 ** 40 + 2, stoppedAtSeq: null, claimedSeq: 2 ** 40 + 1 },
  ...{ incarnation: 4_000_000_001, spoolFolder: "/fast/spool-ee6b2801", isSpoolNew: true },
  ...{ wantedMode: "auto", mode: "async", switches: [{ seq: 2 ** 40 + 3, from: "sync" }] },
  volumes: [
    {
      ...{ number: 1, id: "ffeeddccbbaa99887766554433221100", name: "root", sizeBytes: 10_737_418_240, inDoubt: true },
      ...{ doubtMicros: 1_800_000_000_000_001, isNew: false, cutSeq: 2 ** 40, level: 60, isAllInDoubt: true },
    },
    {
      ...{ number: 2, id: "ffeeddccbbaa99887766554433221101", name: "log", sizeBytes: 4096, inDoubt: false },
      ...{ doubtMicros: null, isNew: true, isGone: true },
    },
  ],
};

test("the state of a group of the local appliance", async () => {
  const { host, files, driver } = world();
  await driven(driver, GroupStateFile.create(host, "/group.json", group));
  const bytes = golden("local-group-v1.bin");
  expect(written(files, "/group.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/group.json", bytes);
  expect(GroupStateFile.read(other.host, "/group.json")?.state).toEqual(group);
});

const root: VolumeDefinition = {
  ...{ id: "ffeeddccbbaa99887766554433221100", name: "root", group: "disks", source: "/srv/disk.img" },
  ...{ sizeBytes: 10_737_418_240, baseMissing: true },
};
const log: VolumeDefinition = {
  ...{ id: "ffeeddccbbaa99887766554433221101", name: "log", group: "disks", source: "nbd://127.0.0.1/log" },
  ...{ sizeBytes: 4096, baseMissing: false, resizeTo: 8192 },
  ofView: { name: "mine", opened: "2027-01-15T08:00:00.000Z" },
};
const gone = { ...root, id: "ffeeddccbbaa99887766554433221102", name: "gone" };

test("the catalogue of volumes", async () => {
  const { files, driver } = world();
  const catalogue = Catalogue.open(files, "/volumes.json");
  for (const volume of [root, log, gone]) await driven(driver, catalogue.add(volume));
  await driven(driver, catalogue.remove("gone"));
  const bytes = golden("volumes-v1.bin");
  expect(written(files, "/volumes.json").toString()).toBe(bytes.toString());
  const other = world();
  put(other.files, "/volumes.json", bytes);
  const next = Catalogue.open(other.files, "/volumes.json");
  expect([next.list(), next.removed]).toEqual([[root, log], [gone.id]]);
});
