import { describeSocketsContract } from "#test/contract/sockets.ts";
import { simDriver } from "./sim-driver.ts";
import { Simulation } from "./simulation.ts";

let nextSeed = 0;

describeSocketsContract("simulated Unix sockets", () => {
  const simulation = new Simulation(nextSeed++);
  return {
    sockets: simulation.host("a").sockets,
    driver: simDriver(simulation.clock),
    tooMuchBytes: 640 * 1024,
    address: { kind: "unix", path: "/socket" },
    deserted: { kind: "unix", path: "/nothing" },
  };
});

describeSocketsContract("simulated TCP sockets", () => {
  const simulation = new Simulation(nextSeed++);
  return {
    sockets: simulation.host("a").sockets,
    driver: simDriver(simulation.clock),
    tooMuchBytes: 640 * 1024,
    address: { kind: "tcp", host: "127.0.0.1", port: 0 },
    deserted: { kind: "tcp", host: "127.0.0.1", port: 1 },
    silent: async () => {
      simulation.network.path("a", "a").hold();
      return { kind: "tcp", host: "127.0.0.1", port: 2 };
    },
  };
});
