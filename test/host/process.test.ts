import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startProcess } from "#src/host/node/process.ts";
import { CrashError, type Thread } from "#src/host/thread.ts";

function started(): { readonly child: Thread; answers(count: number): Promise<unknown[]> } {
  const child = startProcess(new URL("./echo-process.ts", import.meta.url), { name: "echo" });
  const heard: unknown[] = [];
  let wake = (): void => {};
  child.receive((message) => {
    heard.push(message);
    wake();
  });
  const answers = async (count: number): Promise<unknown[]> => {
    while (heard.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return heard;
  };
  return { child, answers };
}

test("what is sent before it runs arrives too, in order, in another process", async () => {
  const { child, answers } = started();
  child.send({ bytes: Buffer.from([1, 2]), count: 7 });
  child.send("again");
  const [first, second] = (await answers(2)) as [unknown[], unknown[]];
  expect(first.slice(0, 2)).toEqual(["echo", { bytes: Buffer.from([1, 2]), count: 7 }]);
  expect(second[1]).toBe("again");
  expect(first[2]).not.toBe(process.pid);
  child.end();
  expect(await child.ended).toBeUndefined();
});

test("each of its threads gives way to others", async () => {
  const { child, answers } = started();
  child.send("");
  const [answer] = (await answers(1)) as [unknown[]];
  const threads = `/proc/${answer[2]}/task`;
  const priorities = readdirSync(threads).map((thread) => {
    const stat = readFileSync(join(threads, thread, "stat"), "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16]);
  });
  expect(new Set(priorities)).toEqual(new Set([19]));
  child.end();
  await child.ended;
});

test("one that the system ends has crashed, one that ends by itself has not", async () => {
  const crashing = started().child;
  crashing.send("crash");
  expect(await crashing.ended).toBeInstanceOf(CrashError);
  const failing = started().child;
  failing.send("fail");
  const error = await failing.ended;
  expect(error).toEqual(new Error("it ended with status 3"));
  expect(error).not.toBeInstanceOf(CrashError);
  failing.send("to nobody");
});

test("fault 37: one that could not be started for want of descriptors has ended, and takes nobody with it", () => {
  const program = join(import.meta.dirname, "crowded-process.ts");
  const command = 'ulimit -n 128; exec "$0" --disable-warning=ExperimentalWarning "$1"';
  const { stdout, stderr } = spawnSync("/bin/sh", ["-c", command, process.execPath, program], { encoding: "utf8" });
  expect([stdout, stderr]).toEqual([expect.stringMatching(/^EMFILE.*\n.*EMFILE\n$/), ""]);
});
