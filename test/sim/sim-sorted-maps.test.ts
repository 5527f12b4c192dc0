import { describeSortedMapContract } from "#test/contract/sorted-map.ts";
import { simDriver } from "./sim-driver.ts";
import { SimSortedMaps } from "./sim-sorted-maps.ts";
import { Simulation } from "./simulation.ts";

let seed = 0;

describeSortedMapContract("simulated maps", () => {
  const simulation = new Simulation(seed++);
  const { files } = simulation.host("a");
  files.makeFolder("/test");
  return {
    maps: new SimSortedMaps(files),
    driver: simDriver(simulation.clock),
    path: "/test/a.map",
    exists: (path) => files.exists(path),
  };
});
