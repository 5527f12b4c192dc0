/** What every implementation of the objects port must do. */
import { describe, expect, test } from "vitest";
import { type ObjectsBench, OpenBench } from "./objects-bench.ts";

export function describeObjectsContract(name: string, make: () => ObjectsBench): void {
  const opened = async () => await OpenBench.open(make());
  describe(`${name} keep the contract of objects`, () => {
    describeObjects(opened);
    describeLists(opened);
    describeNames(opened);
    describeDocuments(opened);
    describeOpening(opened);
  });
}

type Open = () => Promise<OpenBench>;
const absent = expect.objectContaining({ name: "AbsentObjectError" });
const refused = expect.objectContaining({ name: "RefuseError" });
const ownFault = expect.objectContaining({ name: "AssertionError" });

function describeObjects(open: Open): void {
  test("an object is there when it is finished, and not before", async () => {
    const it = await open();
    const writer = it.objects.create("segments/1");
    await it.run(writer.write(Buffer.from("some ")));
    await it.run(writer.write(Buffer.from("content")));
    expect(writer.writtenBytes).toBe(12);
    await expect(it.run(it.objects.sizeBytes("segments/1"))).rejects.toEqual(absent);
    await expect(it.read("segments/1", 0, 10)).rejects.toEqual(absent);
    expect(await it.list()).toEqual([]);
    await it.run(writer.finish());
    expect(await it.content("segments/1")).toBe("some content");
    expect(await it.list()).toEqual([{ name: "segments/1", sizeBytes: 12 }]);
  });

  test("the memory that was written from may be used again", async () => {
    const it = await open();
    const writer = it.objects.create("a");
    const bytes = Buffer.alloc(3);
    for (const piece of ["abc", "def", "ghi"]) {
      bytes.write(piece);
      await it.run(writer.write(bytes));
    }
    bytes.fill(0);
    await it.run(writer.finish());
    expect(await it.content("a")).toBe("abcdefghi");
  });

  test("an object may be empty, or made of large pieces", async () => {
    const it = await open();
    await it.run(it.objects.create("empty").finish());
    expect([await it.content("empty"), await it.read("empty", 0, 10)]).toEqual(["", ""]);
    const large = Buffer.alloc(300_000, "0123456789");
    const writer = it.objects.create("large");
    for (let count = 0; count < 3; count++) await it.run(writer.write(large));
    await it.run(writer.finish());
    expect(await it.run(it.objects.sizeBytes("large"))).toBe(900_000);
    expect(await it.read("large", 299_995, 10)).toBe("5678901234");
  });

  test("a range is read, and ends where the object ends", async () => {
    const it = await open();
    await it.put("a", "0123456789");
    expect(await it.read("a", 3, 4)).toBe("3456");
    expect(await it.read("a", 8, 10)).toBe("89");
    expect(await it.read("a", 10, 10)).toBe("");
    expect(await it.read("a", 1000, 10)).toBe("");
    expect(await it.read("a", 2, 0)).toBe("");
  });

  test("only as much memory is filled as there is content", async () => {
    const it = await open();
    await it.put("a", "0123456789");
    const target = Buffer.from("---------");
    await it.run(it.objects.read("a", target.subarray(2, 7), 7));
    expect(target.toString()).toBe("--789----");
  });

  test("what is abandoned is not there, and its name is free", async () => {
    const it = await open();
    const writer = it.objects.create("a");
    await it.run(writer.write(Buffer.from("half")));
    await it.run(writer.abandon());
    await it.run(it.objects.create("b").abandon());
    expect(await it.list()).toEqual([]);
    await it.put("a", "whole");
    expect(await it.content("a")).toBe("whole");
  });

  test("an object that is there is not replaced", async () => {
    const it = await open();
    await it.put("a", "first");
    await expect(it.put("a", "second")).rejects.toEqual(refused);
    expect(await it.content("a")).toBe("first");
    expect(await it.names()).toEqual(["a"]);
  });

  test("an object that is restored is what it was until that is done, and then what was written", async () => {
    const it = await open();
    await it.put("a", "damaged");
    const writer = it.objects.restore("a");
    await it.run(writer.write(Buffer.from("sound")));
    expect(await it.content("a")).toBe("damaged");
    await it.run(writer.finish());
    expect([await it.content("a"), await it.names()]).toEqual(["sound", ["a"]]);
    await it.openAgain();
    expect(await it.content("a")).toBe("sound");
  });

  test("where restoring is given up the object stays as it is", async () => {
    const it = await open();
    await it.put("a", "damaged");
    const writer = it.objects.restore("a");
    await it.run(writer.write(Buffer.from("sound")));
    await it.run(writer.abandon());
    expect([await it.content("a"), await it.names()]).toEqual(["damaged", ["a"]]);
  });

  test("what is not there is not restored", async () => {
    const it = await open();
    const writer = it.objects.restore("a");
    await it.run(writer.write(Buffer.from("sound")));
    await expect(it.run(writer.finish())).rejects.toEqual(refused);
    expect(await it.names()).toEqual([]);
  });

  test("of two that write one name, one is there whole, and the other is told", async () => {
    const it = await open();
    const [first, second] = [it.objects.create("a"), it.objects.create("a")];
    await it.run(first.write(Buffer.from("aaaa")));
    await it.run(second.write(Buffer.from("bbbb")));
    const outcomes = await it.run(Promise.allSettled([first.finish(), second.finish()]));
    const index = outcomes.findIndex(({ status }) => status === "fulfilled");
    expect(outcomes[1 - index]).toMatchObject({ status: "rejected", reason: refused });
    expect(await it.content("a")).toBe(["aaaa", "bbbb"][index]);
  });

  test("many are written at the same time", async () => {
    const it = await open();
    const names = Array.from({ length: 20 }, (_, index) => `group-${index % 3}/${index}`);
    const writers = names.map((name) => it.objects.create(name));
    await it.run(Promise.all(writers.map((writer, index) => writer.write(Buffer.from(`content ${index}`)))));
    await it.run(Promise.all(writers.map((writer) => writer.finish())));
    for (const [index, name] of names.entries()) expect(await it.content(name)).toBe(`content ${index}`);
  });

  test("more objects are read in turn than are kept open", async () => {
    const it = await open();
    const written = Array.from({ length: 150 }, async (_, index) => {
      const writer = it.objects.create(`a/${index}`);
      await writer.write(Buffer.from(`content ${index}`));
      await writer.finish();
    });
    await it.run(Promise.all(written));
    for (const step of [1, 7, 149]) {
      for (let count = 0; count < 150; count++) {
        const index = (count * step) % 150;
        expect(await it.read(`a/${index}`, 8, 10)).toBe(String(index));
      }
    }
  });

  test("a removed object is gone, and no other", async () => {
    const it = await open();
    for (const name of ["a/1", "a/2", "b"]) await it.put(name, name);
    expect(await it.content("a/1")).toBe("a/1");
    await it.run(it.objects.remove("a/1"));
    await expect(it.read("a/1", 0, 10)).rejects.toEqual(absent);
    await expect(it.run(it.objects.sizeBytes("a/1"))).rejects.toEqual(absent);
    expect(await it.names()).toEqual(["a/2", "b"]);
    expect(await it.content("a/2")).toBe("a/2");
  });

  test("where there is no object, removing does nothing, and reading says so", async () => {
    const it = await open();
    await it.put("a/b/c", "content");
    for (const name of ["a", "a/b", "d", "a/b/d", "e/f"]) {
      await it.run(it.objects.remove(name));
      await expect(it.read(name, 0, 10)).rejects.toEqual(absent);
      await expect(it.run(it.objects.sizeBytes(name))).rejects.toEqual(absent);
    }
    expect(await it.content("a/b/c")).toBe("content");
  });

  test("a writer that is over is not used any more", async () => {
    const it = await open();
    const writer = it.objects.create("a");
    await it.run(writer.finish());
    await expect(it.run(writer.write(Buffer.from("late")))).rejects.toEqual(ownFault);
    await expect(it.run(writer.finish())).rejects.toEqual(ownFault);
    await it.run(writer.abandon());
    expect(await it.content("a")).toBe("");
  });
}

function describeLists(open: Open): void {
  test("objects are listed in the order of the codes of all their names' characters", async () => {
    const it = await open();
    const names = ["a-c", "a.b", "a/x-1", "a/x.1", "a/x/y", "a/x0", "a0", "b/1", "b/10", "b/2", "c"];
    for (const name of names.toReversed()) await it.put(name, name);
    expect(await it.list()).toEqual(names.map((name) => ({ name, sizeBytes: name.length })));
  });

  test("only those are listed whose names begin so", async () => {
    const it = await open();
    for (const name of ["segments/01.0", "segments/01.1", "segments/02.0", "snapshots/1", "s"]) await it.put(name, "");
    expect(await it.names("segments/")).toEqual(["segments/01.0", "segments/01.1", "segments/02.0"]);
    expect(await it.names("segments/01.")).toEqual(["segments/01.0", "segments/01.1"]);
    expect(await it.names("segments/01.1")).toEqual(["segments/01.1"]);
    expect(await it.names("segments")).toHaveLength(3);
    expect(await it.names("s")).toHaveLength(5);
    expect(await it.names("sn")).toEqual(["snapshots/1"]);
    expect(await it.names("segments/01.1/")).toEqual([]);
    expect(await it.names("x")).toEqual([]);
    expect(await it.names("x/y/z")).toEqual([]);
  });

  test("a list of many objects is whole, and can be left", async () => {
    const it = await open();
    const names = Array.from({ length: 300 }, (_, index) => `a/${String(index).padStart(4, "0")}`);
    await it.run(Promise.all(names.map((name) => it.objects.create(name).finish())));
    expect(await it.names()).toEqual(names);
    const firstTwo = async () => {
      const found: string[] = [];
      for await (const { name } of it.objects.list("a/")) if (found.push(name) === 2) break;
      return found;
    };
    expect(await it.run(firstTwo())).toEqual(names.slice(0, 2));
  });

  test("objects may be removed while they are listed", async () => {
    const it = await open();
    for (const name of ["a/1", "a/2", "a/3"]) await it.put(name, "");
    const removeAll = async () => {
      for await (const { name } of it.objects.list("")) await it.objects.remove(name);
    };
    await it.run(removeAll());
    expect(await it.names()).toEqual([]);
  });
}

const badNames = [
  ...["", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/..", "a/../b", "./a", ".a", "a/.b", "lock"],
  ...["A", "a b", "ä", "a\0", "a\\b", "a_b", "%2e%2e", "a:b", "a\n", "~", "*", "a".repeat(201), "a.unpublished"],
];

function describeNames(open: Open): void {
  test("fault 34: a name that could lead elsewhere is not used", async () => {
    const it = await open();
    for (const name of badNames) {
      expect(() => it.objects.create(name), name).toThrow("is no name of an object");
      await expect(it.read(name, 0, 1), name).rejects.toEqual(ownFault);
      await expect(it.run(it.objects.sizeBytes(name)), name).rejects.toEqual(ownFault);
      await expect(it.run(it.objects.remove(name)), name).rejects.toEqual(ownFault);
      await expect(it.document(`${name}/a.json`), name).rejects.toEqual(ownFault);
      await expect(it.change(name, "", undefined), name).rejects.toEqual(ownFault);
    }
    for (const prefix of ["/", "..", "../", "a//", "a/../", "A", "./"]) {
      await expect(it.list(prefix), prefix).rejects.toEqual(ownFault);
    }
  });

  test("names may be long, deep, and alike", async () => {
    const it = await open();
    const names = ["a".repeat(200), "b/c/d/e/f/g", "0", "-", "a.b.c", "x..y", "z.", "locks", "a/lock"];
    for (const name of names) await it.put(name, name);
    for (const name of names) expect(await it.content(name)).toBe(name);
    expect(await it.names()).toEqual(names.toSorted());
  });
}

function describeDocuments(open: Open): void {
  test("a document is made, read and changed", async () => {
    const it = await open();
    expect(await it.document("a.json")).toBe(undefined);
    const first = await it.change("a.json", "one", undefined);
    expect(await it.document("a.json")).toEqual({ bytes: Buffer.from("one"), version: first });
    const second = await it.change("a.json", "two", first);
    expect(second).not.toBe(first);
    expect(await it.document("a.json")).toEqual({ bytes: Buffer.from("two"), version: second });
  });

  test("a document is not changed by those who do not know its content", async () => {
    const it = await open();
    expect(await it.change("a.json", "none", "some version")).toBe(undefined);
    const first = await it.change("a.json", "one", undefined);
    expect(await it.change("a.json", "new", undefined)).toBe(undefined);
    const second = await it.change("a.json", "two", first);
    expect(await it.change("a.json", "late", first)).toBe(undefined);
    expect((await it.document("a.json"))?.bytes.toString()).toBe("two");
    expect(await it.change("a.json", "three", second)).not.toBe(undefined);
  });

  test("of several that change a document at once, one does", async () => {
    const it = await open();
    let version = await it.change("a.json", "start", undefined);
    for (let round = 0; round < 5; round++) {
      const changes = ["p", "q", "r"].map((letter) =>
        it.objects.changeDocument("a.json", Buffer.from(`${letter}${round}`), version),
      );
      const versions = await it.run(Promise.all(changes));
      expect(versions.filter((one) => one !== undefined)).toHaveLength(1);
      const index = versions.findIndex((one) => one !== undefined);
      version = versions[index];
      expect(await it.document("a.json")).toEqual({ bytes: Buffer.from(`${"pqr"[index]}${round}`), version });
    }
  });

  test("whoever reads while a document is changed gets the old one or the new one", async () => {
    const it = await open();
    const version = await it.change("a.json", "old".repeat(5000), undefined);
    const changing = it.objects.changeDocument("a.json", Buffer.from("new!".repeat(5000)), version);
    const read = it.objects.readDocument("a.json");
    const [, found] = await it.run(Promise.all([changing, read]));
    expect(["old".repeat(5000), "new!".repeat(5000)]).toContain(found?.bytes.toString());
  });

  test("documents are apart from objects, and from each other", async () => {
    const it = await open();
    await it.change("a.json", "one", undefined);
    await it.change("groups/b.json", "two", undefined);
    await it.put("groups/c", "object");
    expect(await it.list()).toEqual([{ name: "groups/c", sizeBytes: 6 }]);
    expect((await it.document("groups/b.json"))?.bytes.toString()).toBe("two");
    expect(await it.document("b.json")).toBe(undefined);
    expect(() => it.objects.create("a.json")).toThrow("is no name of an object");
    await expect(it.document("groups/c")).rejects.toEqual(ownFault);
  });

  test("a document may be empty", async () => {
    const it = await open();
    const version = await it.change("a.json", "", undefined);
    expect(await it.document("a.json")).toEqual({ bytes: Buffer.alloc(0), version });
    expect(await it.change("a.json", "full", version)).not.toBe(undefined);
  });
}

function describeOpening(open: Open): void {
  test("all is there when it is opened again, and nothing that was not finished", async () => {
    const it = await open();
    await it.put("a/1", "one");
    await it.put("a/2", "two");
    await it.run(it.objects.remove("a/2"));
    const version = await it.change("b.json", "document", undefined);
    const writer = it.objects.create("a/3");
    await it.run(writer.write(Buffer.from("three")));
    await it.run(writer.abandon());
    await it.openAgain();
    expect(await it.list()).toEqual([{ name: "a/1", sizeBytes: 3 }]);
    expect(await it.content("a/1")).toBe("one");
    expect(await it.document("b.json")).toEqual({ bytes: Buffer.from("document"), version });
    await it.put("a/3", "three");
    expect(await it.change("b.json", "changed", version)).not.toBe(undefined);
  });
}
