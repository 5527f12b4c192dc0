import { nodeClock } from "#src/host/node/clock.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { realDriver } from "#test/contract/driver.ts";
import { describeObjectsContract } from "#test/contract/objects.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

describeObjectsContract("objects in a real folder", () => {
  const folder = `${temporaryFolder()}/store`;
  const ports = { files: nodeFiles, clock: nodeClock };
  return { driver: realDriver, open: () => FolderObjects.open(ports, folder) };
});

describeObjectsContract("objects in a simulated folder", () => {
  const simulation = new Simulation(1);
  const host = simulation.host("a");
  return { driver: simDriver(simulation.clock), open: () => FolderObjects.open(host, "/store") };
});
