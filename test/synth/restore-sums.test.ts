import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { RestoreSums, restoreIdentityBytes } from "#src/synth/restore-sums.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const path = "/restore/sums";
const identity = Buffer.from(Array.from({ length: restoreIdentityBytes }, (_, index) => index + 1));
const sum = Buffer.from("0123456789abcdef", "hex");

function world() {
  const simulation = new Simulation(1);
  const { files } = simulation.host("a");
  files.makeFolder("/restore");
  const content = () => {
    const handle = files.open(path, "read");
    const bytes = Buffer.alloc(handle.sizeBytesNow());
    handle.readNow(bytes, 0, bytes.length, 0);
    handle.close();
    return bytes;
  };
  return { files, content, driver: simDriver(simulation.clock) };
}

test("what is noted is found again, byte for byte as ever", async () => {
  const { files, content, driver } = world();
  const sums = RestoreSums.open(files, path, identity, 3);
  sums.put(1, sum);
  await driven(driver, sums.sync());
  sums.close();
  expect(content()).toEqual(readFileSync(new URL("../golden/restore-sums-v1.bin", import.meta.url)));
  const again = RestoreSums.open(files, path, identity, 3);
  expect([0, 1, 2].map((stretch) => again.isDone(stretch))).toEqual([false, true, false]);
  expect(again.sum(1)).toEqual(sum);
  again.forget(1);
  expect(again.isDone(1)).toBe(false);
  again.close();
});

test("what is damaged, cut short or of another restore is begun anew", async () => {
  const { files, driver } = world();
  const noted = async () => {
    const sums = RestoreSums.open(files, path, identity, 3);
    const isKnown = sums.isDone(2);
    sums.put(2, sum);
    await driven(driver, sums.sync());
    sums.close();
    return isKnown;
  };
  expect([await noted(), await noted()]).toEqual([false, true]);
  const handle = files.open(path, "readWrite");
  handle.writeNow(Buffer.from([0xff]), 0, 1, 9);
  handle.close();
  expect([await noted(), await noted()]).toEqual([false, true]);
  const cut = files.open(path, "readWrite");
  cut.truncateNow(cut.sizeBytesNow() - 1);
  cut.close();
  expect([await noted(), await noted()]).toEqual([false, true]);
});
