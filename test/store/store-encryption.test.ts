import { createDecipheriv, hkdfSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { storeKeyCopyCountMax } from "#src/core/store-limits.ts";
import { shellOutput } from "#src/host/node/shell-command.ts";
import { FolderObjects } from "#src/store/folder-objects.ts";
import { decodeStoreDocument, type KeyCopy } from "#src/store/store-document.ts";
import { addKey, removeKey, rotateKey } from "#src/store/store-key-change.ts";
import { openKeys, type StoreKeys } from "#src/store/store-keys.ts";
import { type OpenedStore, openStore, readStore } from "#src/store/store-opening.ts";
import { WrappingKey, type WrappingKeySource } from "#src/store/wrapping-key.ts";
import { type Driver, driven } from "#test/contract/driver.ts";
import { DoomedFiles } from "#test/sim/doomed-files.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import type { SimHost } from "#test/sim/sim-host.ts";
import { Simulation } from "#test/sim/simulation.ts";
import { anyFaults, FaultyObjects } from "./faulty-objects.ts";
import { encryptedDocument, goldenKeys, goldenWrappingKey, goldenWrappingText, plainDocument } from "./golden-store.ts";

const digitsOf = (letter: string) => letter.repeat(64);
const keyOf = (letter: string) => WrappingKey.parse(Buffer.from(digitsOf(letter)), `the key file /keys/${letter}`);
const [keyA, keyB, keyC] = [keyOf("a"), keyOf("b"), keyOf("c")];

interface World {
  readonly simulation: Simulation;
  readonly host: SimHost;
  readonly driver: Driver;
  readonly objects: FolderObjects;
}

async function world(seed = 1): Promise<World> {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  const objects = await driven(driver, FolderObjects.open(host, "/store"));
  return { simulation, host, driver, objects };
}

const open = ({ driver, objects, host }: World, key?: WrappingKey) => driven(driver, openStore(objects, host, key));

function bytesOf({ keys }: OpenedStore): string | undefined {
  return keys === undefined ? undefined : textOf(keys);
}

function textOf(keys: StoreKeys): string {
  return Buffer.concat([keys.storeKey, keys.fingerprintKey]).toString("hex");
}

const refused = (message: string) =>
  expect.objectContaining({ name: "RefuseError", message: expect.stringContaining(message) });
const doesNotOpen = refused("the store does not open with this key");

describe("a store that is made with a key", () => {
  test("has keys of chance, which come back with each opening", async () => {
    const it = await world();
    const made = await open(it, keyA);
    expect([made.keys?.storeKey.length, made.keys?.fingerprintKey.length]).toEqual([32, 32]);
    expect(made.keys?.storeKey).not.toEqual(made.keys?.fingerprintKey);
    expect(bytesOf(await open(it, keyA))).toBe(bytesOf(made));
    expect(bytesOf(await open(await world(2), keyA))).not.toBe(bytesOf(made));
  });

  test("fault 40: does not open with another key, and says so in one line", async () => {
    const it = await world();
    await open(it, keyA);
    const message =
      "the store does not open with this key: the key file /keys/b holds that of another store, or an old one";
    await expect(open(it, keyB)).rejects.toEqual(refused(message));
  });

  test("says what to set where no key is given", async () => {
    const it = await world();
    await open(it, keyA);
    await expect(open(it)).rejects.toEqual(
      refused("the store is encrypted: set store.keyFile to the file that holds its key, or store.keyCommand"),
    );
  });

  test("gives its keys to those who only read it, and changes nothing for them", async () => {
    const it = await world();
    const reader = FolderObjects.openToRead(it.host, "/store");
    const read = (key?: WrappingKey) => driven(it.driver, readStore(reader, key));
    expect(await read(keyA)).toBe(undefined);
    const made = await open(it, keyA);
    for (const name of ["store.json", "none", "store-copy.json"]) {
      const found = await read(keyA);
      expect([found?.id, found?.madeMicros]).toEqual([made.id, made.madeMicros]);
      expect(textOf(found?.keys as StoreKeys)).toBe(bytesOf(made));
      await expect(read(keyB)).rejects.toEqual(doesNotOpen);
      await expect(read()).rejects.toEqual(refused("the store is encrypted"));
      if (name !== "none") it.host.disk.fileAt(`/store/${name}`).flipBit(200, 1);
    }
    await expect(read(keyA)).rejects.toMatchObject({ name: "StopError" });
    const names = it.host.files.list("/store");
    expect(names).toEqual(["store-copy.json", "store.json"]);
  });

  test("is told from one that was made without, which takes no key", async () => {
    const it = await world();
    expect((await open(it)).keys).toBe(undefined);
    await expect(open(it, keyA)).rejects.toEqual(refused("the store is not encrypted: take store.keyFile"));
    expect((await open(it)).keys).toBe(undefined);
  });
});

describe("wrapped keys", () => {
  test("of version 1 can be read", () => {
    const bytes = readFileSync(new URL("../golden/store-document-encrypted-v1.bin", import.meta.url));
    const opened = openKeys(decodeStoreDocument(bytes, "store.json"), goldenWrappingKey);
    expect(opened?.copyId).toBe("8899aabbccddeeff");
    expect(opened === undefined ? undefined : textOf(opened.keys)).toBe(goldenKeys.toString("hex"));
  });

  test("can be opened by what the documents say of them", async () => {
    const it = await world();
    const made = await open(it, keyA);
    const document = await driven(it.driver, it.objects.readDocument("store.json"));
    const { id, encryption } = JSON.parse(String(document?.bytes)).content;
    const [copy] = encryption.keyCopies as readonly [KeyCopy];
    const salt = Buffer.from(copy.salt, "hex");
    const key = Buffer.from(hkdfSync("sha256", Buffer.from(digitsOf("a"), "hex"), salt, "tidemark store key", 32));
    const decipher = createDecipheriv("aes-256-gcm", key, Buffer.alloc(12));
    const wrapped = Buffer.from(copy.wrapped, "hex");
    decipher.setAAD(Buffer.from(id + copy.id, "hex")).setAuthTag(wrapped.subarray(64));
    const plain = Buffer.concat([decipher.update(wrapped.subarray(0, 64)), decipher.final()]);
    expect(plain.toString("hex")).toBe(bytesOf(made));
  });

  test("fault 19: open in their own store and in their own copy only", () => {
    const [first, second] = encryptedDocument.keyCopies as readonly [KeyCopy, KeyCopy];
    for (const bad of [
      { ...encryptedDocument, id: plainDocument.id.replace("0", "1") },
      { ...encryptedDocument, keyCopies: [{ ...second, id: first.id }] },
      { ...encryptedDocument, keyCopies: [{ ...second, salt: first.salt }] },
      { ...encryptedDocument, keyCopies: [{ ...second, wrapped: first.wrapped }] },
      { ...encryptedDocument, keyCopies: [first] },
    ])
      expect(() => openKeys(bad, goldenWrappingKey)).toThrow(doesNotOpen);
  });
});

describe("changing the key", () => {
  test("leaves all objects and the store's own keys as they are", async () => {
    const it = await world();
    const made = await open(it, keyA);
    await driven(it.driver, it.objects.create("segments/1").finish());
    const { copyIds, copyId } = await driven(it.driver, rotateKey(it.objects, it.host.randomness, keyA, keyB));
    expect(copyIds).toEqual([copyId]);
    expect(await open(it, keyB)).toEqual({ ...made, isMade: false });
    expect(bytesOf(await open(it, keyB))).toBe(bytesOf(made));
    await expect(open(it, keyA)).rejects.toEqual(doesNotOpen);
    expect(await driven(it.driver, Array.fromAsync(it.objects.list("")))).toEqual([
      { name: "segments/1", sizeBytes: 0 },
    ]);
  });

  test("may be asked for again by who does not know whether it was done", async () => {
    const it = await world();
    await open(it, keyA);
    const rotate = () => driven(it.driver, rotateKey(it.objects, it.host.randomness, keyA, keyB));
    expect(await rotate()).toEqual(await rotate());
  });

  test("needs a key that opens the store, and another one to put in its place", async () => {
    const it = await world();
    const change = (current: WrappingKey, next: WrappingKey) =>
      driven(it.driver, rotateKey(it.objects, it.host.randomness, current, next));
    await expect(change(keyA, keyB)).rejects.toEqual(refused("there is no store yet"));
    await open(it, keyA);
    await expect(change(keyB, keyC)).rejects.toEqual(doesNotOpen);
    await expect(change(keyA, keyA)).rejects.toEqual(refused("the new key is the one that the store has"));
    const plain = await world(2);
    await open(plain);
    const onPlain = driven(plain.driver, rotateKey(plain.objects, plain.host.randomness, keyA, keyB));
    await expect(onPlain).rejects.toEqual(refused("the store is not encrypted"));
  });

  test("a further key opens the store too, until its copy is removed", async () => {
    const it = await world();
    const made = await open(it, keyA);
    const add = () => driven(it.driver, addKey(it.objects, it.host.randomness, keyA, keyB));
    const { copyIds, copyId } = await add();
    expect([copyIds.length, copyIds[1]]).toEqual([2, copyId]);
    expect(await add()).toEqual({ copyIds, copyId });
    for (const key of [keyA, keyB]) expect(bytesOf(await open(it, key))).toBe(bytesOf(made));
    const remove = (key: WrappingKey, id: string) => driven(it.driver, removeKey(it.objects, key, id));
    await expect(remove(keyB, copyId)).rejects.toEqual(refused("is of the key that was given"));
    await expect(remove(keyA, "0123456789abcdef")).rejects.toEqual(refused("have no copy 0123456789abcdef"));
    expect((await remove(keyA, copyId)).copyIds).toEqual([copyIds[0]]);
    await expect(open(it, keyB)).rejects.toEqual(doesNotOpen);
    expect(bytesOf(await open(it, keyA))).toBe(bytesOf(made));
  });

  test("there are not more copies than a document may have", async () => {
    const it = await world();
    await open(it, keyA);
    const add = (index: number) => {
      const next = WrappingKey.parse(Buffer.from(index.toString(16).padStart(64, "0")), "the key file");
      return driven(it.driver, addKey(it.objects, it.host.randomness, keyA, next));
    };
    for (let index = 1; index < storeKeyCopyCountMax; index++) await add(index);
    await expect(add(99)).rejects.toEqual(refused("there are 16 copies of the store's keys already"));
    await open(it, keyA);
  });

  test("of two that change it at once, one is told to try again", async () => {
    const it = await world();
    await open(it, keyA);
    const changes = [keyB, keyC].map((next) => rotateKey(it.objects, it.host.randomness, keyA, next));
    const outcomes = await driven(it.driver, Promise.allSettled(changes));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const next = outcomes[0]?.status === "fulfilled" ? keyB : keyC;
    await open(it, next);
  });

  test("fault 10: whenever the power goes meanwhile, the old key opens the store or the new one", async () => {
    for (const seed of [1, 2, 3]) {
      for (let points = 0, isDone = false; !isDone; points++) {
        const it = await world(seed);
        const made = await open(it, keyA);
        it.host.kill();
        const files = new DoomedFiles(it.host.files, points, () => it.host.cutPower());
        const story = async () => {
          const objects = await FolderObjects.open({ files, clock: it.host.clock }, "/store");
          await rotateKey(objects, it.host.randomness, keyA, keyB);
          isDone = true;
        };
        story().catch(() => {});
        await it.simulation.clock.settle();
        if (!files.isDead) it.host.cutPower();
        const objects = await driven(it.driver, FolderObjects.open(it.host, "/store"));
        const outcomes = [];
        for (const key of [keyA, keyB])
          outcomes.push(await open({ ...it, objects }, key).then(bytesOf, () => "refused"));
        expect(outcomes.toSorted(), `seed ${seed}, after ${points} calls`).toEqual([bytesOf(made), "refused"].sort());
        if (isDone) expect(outcomes[1]).toBe(bytesOf(made));
      }
    }
  });

  test("fault 21: whatever a service does meanwhile, the store opens with one of its keys", async () => {
    for (let seed = 0; seed < 40; seed++) {
      const it = await world(seed);
      const made = await open(it, keyA);
      const { clock, randomness } = it.host;
      const objects = new FaultyObjects({ inner: it.objects, clock, random: it.simulation.random.fork("service") });
      objects.faults = anyFaults(0.2);
      for (const [current, next] of [
        [keyA, keyB],
        [keyB, keyC],
      ] as const)
        await driven(
          it.driver,
          rotateKey(objects, randomness, current, next).catch(() => {}),
        );
      await it.simulation.clock.settle();
      const outcomes = [];
      for (const key of [keyA, keyB, keyC]) outcomes.push(await open(it, key).then(bytesOf, () => "refused"));
      expect(
        outcomes.filter((outcome) => outcome === bytesOf(made)),
        `seed ${seed}`,
      ).toHaveLength(1);
    }
  });
});

describe("a wrapping key", () => {
  const digits = "0123456789abcdefABCDEF0123456789".repeat(2);
  const read = (source: WrappingKeySource, host = new Simulation(1).host("a")) =>
    WrappingKey.read(source, {
      files: host.files,
      commandOutput: (command, bytesMax) => shellOutput(command, { env: process.env, timeoutMs: 10_000, bytesMax }),
    });

  function hostWith(content: string): SimHost {
    const host = new Simulation(1).host("a");
    const handle = host.files.create("/key");
    handle.writeNow(Buffer.from(content), 0, content.length, 0);
    handle.close();
    return host;
  }

  test.each([digits, `${digits}\n`, `${digits}\r\n`, ` ${digits.toUpperCase()} \n\n`])(
    "is read of a file %j",
    async (text) => {
      const key = await read({ keyFile: "/key" }, hostWith(text));
      expect([key.bytes.toString("hex"), key.from]).toEqual([digits.toLowerCase(), "the key file /key"]);
    },
  );

  test.each([
    "",
    "short",
    digits.slice(1),
    `${digits}0`,
    `x${digits.slice(1)}`,
    `${digits}\n${digits}`,
    " ".repeat(9999),
  ])("is not taken from a file that holds %j", async (text) => {
    const message =
      "the key file /key holds no key: a key is 64 hexadecimal digits, as 'openssl rand -hex 32' makes them";
    await expect(read({ keyFile: "/key" }, hostWith(text))).rejects.toEqual(refused(message));
  });

  test("that cannot be read is told in words", async () => {
    const host = hostWith(digits);
    host.files.makeFolder("/folder");
    await expect(read({ keyFile: "/none" }, host)).rejects.toEqual(
      refused("the key file /none cannot be read: there is no"),
    );
    await expect(read({ keyFile: "/folder" }, host)).rejects.toEqual(refused("/folder cannot be read: it is a folder"));
  });

  test("is what a command prints", async () => {
    expect((await read({ keyCommand: `echo ${digits}` })).bytes.toString("hex")).toBe(digits.toLowerCase());
    await expect(read({ keyCommand: "echo nothing" })).rejects.toEqual(
      refused("what the key command prints holds no key"),
    );
    await expect(read({ keyCommand: "exit 3" })).rejects.toMatchObject({
      name: "RetryError",
      message: "the store's key cannot be had: the command has failed: it ended with status 3",
    });
    await expect(read({ keyCommand: "yes" })).rejects.toThrow("it printed more than 4096 bytes");
  });

  test("fault 35: is not shown by any error, nor is the command that prints it", async () => {
    const wrong = digits.slice(1);
    const errors = [
      await read({ keyFile: "/key" }, hostWith(wrong)).catch((error) => error),
      await read({ keyCommand: `echo ${wrong}` }).catch((error) => error),
      await read({ keyCommand: `echo ${wrong}; exit 1` }).catch((error) => error),
      await read({ keyCommand: `: ${wrong}; kill -9 $$` }).catch((error) => error),
    ];
    for (const error of errors) {
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(wrong.slice(0, 16));
    }
  });
});

test("fault 35: keys are in no error, no log and no file of the store", async () => {
  const it = await world();
  const opened = await open(it, goldenWrappingKey);
  const wrong = await open(it, keyA).catch((error) => error);
  it.host.log.error("everything at once", { opened, wrong, keys: opened.keys, it: goldenWrappingKey, list: [opened] });
  const shown = [
    ...it.simulation.trace.lines,
    inspect([opened, wrong, goldenWrappingKey], { depth: 9, showHidden: true }),
    JSON.stringify([opened, goldenWrappingKey]),
    String((await driven(it.driver, it.objects.readDocument("store.json")))?.bytes),
  ].join("\n");
  expect(shown).toContain("everything at once");
  const { storeKey, fingerprintKey } = opened.keys as StoreKeys;
  for (const secret of [storeKey, fingerprintKey, Buffer.from(goldenWrappingText, "hex")]) {
    expect(shown).not.toContain(secret.toString("hex").slice(0, 16));
    expect(shown).not.toContain(secret.toString("base64").slice(0, 16));
    expect(shown).not.toContain([...secret.subarray(0, 6)].join(","));
    expect(shown).not.toContain(
      secret
        .toString("hex")
        .slice(0, 16)
        .replace(/(..)(?=.)/g, "$1 "),
    );
  }
});
