import { describeFilesContract } from "#test/contract/files.ts";
import { simDriver } from "./sim-driver.ts";
import { Simulation } from "./simulation.ts";

let seed = 0;

describeFilesContract("simulated files", () => {
  const simulation = new Simulation(seed++);
  const { files } = simulation.host("a");
  files.makeFolder("/test");
  return { files, driver: simDriver(simulation.clock), folder: "/test" };
});
