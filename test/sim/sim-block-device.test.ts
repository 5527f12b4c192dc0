import { expect, test } from "vitest";
import {
  type BlockDeviceBench,
  describeBlockDeviceBounds,
  describeBlockDeviceContract,
  deviceBytes,
} from "#test/contract/block-device.ts";
import { completion } from "#test/contract/driver.ts";
import { simDriver } from "./sim-driver.ts";
import type { SimHost } from "./sim-host.ts";
import { Simulation } from "./simulation.ts";

let nextSeed = 0;

function simulated(): BlockDeviceBench & { readonly host: SimHost } {
  const simulation = new Simulation(nextSeed++);
  const host = simulation.host("a");
  const file = host.files.create("/disk");
  file.truncateNow(deviceBytes);
  file.close();
  return { host, driver: simDriver(simulation.clock), open: (options) => host.openBlockDevice("/disk", options) };
}

describeBlockDeviceContract("a simulated device", simulated);
describeBlockDeviceBounds("a simulated device", simulated);

test("a punched range takes no space, a zeroed one keeps it, and extents tell", () => {
  const { host, open } = simulated();
  const device = open({ readOnly: false });
  device.writeNow(Buffer.alloc(16_384, "x"), 0, 16_384, 0);
  expect(host.disk.spaceBytes).toBe(16_384);
  device.punchHoleNow(0, 4096);
  device.zeroRangeNow(8192, 4096);
  expect(host.disk.spaceBytes).toBe(12_288);
  expect(device.extentsNow(0, 20_480, 10)).toEqual([
    { lengthBytes: 4096, hole: true, zero: true },
    { lengthBytes: 4096, hole: false, zero: false },
    { lengthBytes: 4096, hole: false, zero: true },
    { lengthBytes: 4096, hole: false, zero: false },
    { lengthBytes: 4096, hole: true, zero: true },
  ]);
});

test("bytes that change while they are being written are found out", async () => {
  const { driver, open } = simulated();
  const device = open({ readOnly: false });
  const bytes = Buffer.alloc(4096, "x");
  device.write(bytes, 0, 4096, 0, () => {});
  bytes[100] = 0;
  await expect(driver.quiet()).rejects.toThrow("not changed while they are being written");
});

test("a file that became shorter is an error, never zeros", async () => {
  const { host, driver, open } = simulated();
  const device = open({ readOnly: false });
  const file = host.files.open("/disk", "readWrite");
  file.truncateNow(10_000);
  const target = Buffer.alloc(4096);
  expect(() => device.readNow(target, 0, 4096, 8192)).toThrow("became shorter");
  const error = await completion(driver, (done) => device.read(target, 0, 4096, 8192, done));
  expect(error?.message).toContain("became shorter");
});
