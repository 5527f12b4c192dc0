import { describe, expect, test } from "vitest";
import type { Files } from "#src/host/files.ts";
import { nodeFiles } from "#src/host/node/files.ts";
import { publish, unpublishedEnding } from "#src/host/publish.ts";
import { type Driver, driven, realDriver } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { temporaryFolder } from "./node/temporary-folder.ts";

function contentOf(files: Files, path: string): string | undefined {
  if (!files.exists(path)) return undefined;
  const handle = files.open(path, "read");
  const bytes = Buffer.alloc(handle.sizeBytesNow());
  handle.readNow(bytes, 0, bytes.length, 0);
  handle.close();
  return bytes.toString();
}

function simulated(seed: number): { host: SimHost; files: Files; driver: Driver; simulation: Simulation } {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  return { simulation, host, files: host.files, driver: simDriver(simulation.clock) };
}

const worlds = [
  { name: "real files", make: () => ({ files: nodeFiles, driver: realDriver, folder: temporaryFolder() }) },
  { name: "simulated files", make: () => ({ ...simulated(1), folder: "" }) },
];

for (const { name, make } of worlds) {
  describe(`publishing with ${name}`, () => {
    test("puts a new file in place, and then a newer one", async () => {
      const { files, driver, folder } = make();
      for (const content of ["first", "second, and longer", ""]) {
        await driven(driver, publish(files, `${folder}/a`, Buffer.from(content)));
        expect(contentOf(files, `${folder}/a`)).toBe(content);
      }
      expect(files.list(folder === "" ? "/" : folder)).toEqual(["a"]);
    });

    test("is not hindered by what an earlier attempt left behind", async () => {
      const { files, driver, folder } = make();
      const left = files.create(`${folder}/a${unpublishedEnding}`);
      left.writeNow(Buffer.from("half of something long"), 0, 22, 0);
      left.close();
      await driven(driver, publish(files, `${folder}/a`, Buffer.from("new")));
      expect(contentOf(files, `${folder}/a`)).toBe("new");
      expect(files.exists(`${folder}/a${unpublishedEnding}`)).toBe(false);
    });
  });
}

test("a failure before the new name leaves the old content and nothing else", async () => {
  for (const call of ["write", "sync"] as const) {
    const { files, driver, host } = simulated(2);
    await driven(driver, publish(files, "/a", Buffer.from("old")));
    host.disk.failNext(call);
    await expect(driven(driver, publish(files, "/a", Buffer.from("new")))).rejects.toMatchObject({ code: "EIO" });
    expect(contentOf(files, "/a")).toBe("old");
    expect(files.list("/")).toEqual(["a"]);
  }
});

test("a folder that cannot be synced is an error, for nobody knows what will be found", async () => {
  const { files, driver, host } = simulated(3);
  host.disk.failNext("syncFolder");
  await expect(driven(driver, publish(files, "/a", Buffer.from("new")))).rejects.toMatchObject({ code: "EIO" });
});

test("a disk that is full keeps the old content", async () => {
  const { files, driver, host } = simulated(4);
  await driven(driver, publish(files, "/a", Buffer.from("old")));
  host.disk.faults.capacityBytes = host.disk.spaceBytes + 4096;
  const promise = publish(files, "/a", Buffer.alloc(10_000, "n"));
  await expect(driven(driver, promise)).rejects.toMatchObject({ code: "ENOSPC" });
  expect(contentOf(files, "/a")).toBe("old");
  await driven(driver, publish(files, "/a", Buffer.from("fits")));
  expect(contentOf(files, "/a")).toBe("fits");
});

test("fault 10: a power cut after any step leaves the old content or the new one, and the new one once it was promised", async () => {
  const old = "o".repeat(9000);
  const fresh = "n".repeat(12_000);
  const found = new Map<string, number>();
  for (let seed = 0; seed < 150; seed++) {
    const { files, driver, host, simulation } = simulated(seed);
    await driven(driver, publish(files, "/a", Buffer.from(old)));
    let isPromised = false;
    void publish(files, "/a", Buffer.from(fresh)).then(() => {
      isPromised = true;
    });
    for (let step = 0; step < seed % 4; step++) {
      simulation.clock.step();
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    host.cutPower();
    const content = contentOf(files, "/a");
    const what = content === old ? "old" : content === fresh ? "new" : `damaged with seed ${seed}`;
    const key = `${what}${isPromised ? ", promised" : ""}`;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  expect([...found.keys()].sort()).toEqual(["new", "new, promised", "old"]);
});
