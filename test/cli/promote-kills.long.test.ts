/** `tidemark view promote` killed between any two of its steps: the same command again goes on, and nothing is lost or left over. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { unpublishedEnding } from "#src/host/publish.ts";
import { Program } from "#test/oracle/program.ts";
import { openVolume } from "#test/oracle/volume-client.ts";
import { launcher } from "./running-program.ts";
import { protectedSmallDisk } from "./small-disk.ts";

const MiB = 2 ** 20;

/** What the command says when it is killed, and whether it was heard and answered, for which it was killed too early. */
interface Moment {
  readonly words: string;
  /** Of all that are like it. */
  readonly count: number;
  readonly isAnswered: boolean;
}

const beforePublishing: Moment = { words: "GET /api/v1/views/NAME ", count: 1, isAnswered: false };
const beforeAdding: Moment = { words: "POST /api/v1/volumes ", count: 1, isAnswered: false };
const behindAdding: Moment = { words: "POST /api/v1/volumes ", count: 1, isAnswered: true };
const behindClosing: Moment = { words: "DELETE /api/v1/views/NAME", count: 1, isAnswered: true };

/** Between command and program; at that moment it says so, and passes on nothing more. */
class Relay {
  readonly #server: net.Server;
  readonly #met = Promise.withResolvers<void>();
  readonly #moment: Moment;
  #count = 0;
  #isOver = false;

  private constructor(api: URL, moment: Moment) {
    this.#moment = moment;
    this.#server = net.createServer((near) => this.#accept(near, net.connect(Number(api.port), api.hostname)));
  }

  static async before(api: string, moment: Moment): Promise<Relay> {
    const relay = new Relay(new URL(api), moment);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void relay.#server.close());
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  get met(): Promise<void> {
    return this.#met.promise;
  }

  #accept(near: net.Socket, far: net.Socket): void {
    let isIt = false;
    near.on("data", (bytes) => {
      if (bytes.includes(this.#moment.words)) isIt = ++this.#count === this.#moment.count;
      if (isIt && !this.#moment.isAnswered) this.#end();
      if (!this.#isOver) far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (isIt) this.#end();
      if (!this.#isOver) near.write(bytes);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {});
      one.on("close", () => other.destroy());
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#met.resolve();
  }
}

const cases = [
  ["by itself", beforePublishing],
  ["by itself", beforeAdding],
  ["by itself", behindAdding],
  ["by itself", behindClosing],
  ["by a job", beforeAdding],
  ["by a job", behindAdding],
  ["by a job", behindClosing],
] as const;

test("faults 7 and 9: a view that becomes a volume does so whenever the command was killed, when it is typed again", async () => {
  const { folder, up } = await protectedSmallDisk();
  const expected = Buffer.alloc(16 * MiB)
    .fill(1, 0, MiB)
    .fill(7, 4 * MiB, 5 * MiB);
  for (const [index, [how, moment]] of cases.entries()) {
    const [name, source] = [`view-${index}`, join(folder, `${index}.img`)];
    const view = (await up.asked("view", "open", "disk@now", "--writable", "--name", name)) as ViewFacts;
    const client = await openVolume(view.uri);
    await client.write(4 * MiB, Buffer.alloc(MiB, 7));
    await client.disconnect();
    const relay = await Relay.before(up.api, { ...moment, words: moment.words.replace("NAME", name) });
    const line = ["view", "promote", name, `volume-${index}`, "--source", source];
    const [killed, again] = [relay.url, up.api].map((api) => [...line, ...(how === "by a job" ? [] : ["--at", api])]);
    const promoting = new Program("promote", [process.execPath, launcher, ...(killed ?? []), "--api", relay.url]);
    await Promise.race([
      relay.met,
      promoting.ended.then(() => Promise.reject(new Error(`${how}, ${moment.words}: ended\n${promoting.stderr}`))),
    ]);
    await promoting.kill();
    expect([how, moment, existsSync(source)]).toEqual([how, moment, moment !== beforePublishing]);
    const volume = (await up.asked(...(again as string[]))) as VolumeReport;
    expect(volume).toMatchObject({ name: `volume-${index}`, source, state: "open", sizeBytes: 16 * MiB });
    expect(readFileSync(source).equals(expected)).toBe(true);
    expect(existsSync(source + unpublishedEnding)).toBe(false);
    expect((await up.typed("view", "ls")).stdout).toBe("no views\n");
  }
  expect((await up.status()).volumes).toHaveLength(1 + cases.length);
});

test("what lies where a view is to be copied to is neither overwritten nor taken for the copy", async () => {
  const { folder, up } = await protectedSmallDisk();
  await up.asked("view", "open", "disk@now", "--writable", "--name", "mine");
  const source = join(folder, "other.img");
  const content = Buffer.alloc(16 * MiB, 9);
  writeFileSync(source, content);
  const line = ["view", "promote", "mine", "second", "--source", source, "--at", up.api];
  expect(await up.typed(...line)).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining("holds something else than view 'mine'"),
  });
  expect(readFileSync(source).equals(content)).toBe(true);
  await up.asked("volume", "add", "second", "--source", source);
  for (const at of [[], ["--at", up.api]]) {
    const again = await up.typed("view", "promote", "mine", "second", "--source", source, ...at);
    expect(again).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("there is a volume 'second' over") });
  }
  const { views } = (await up.asked("view", "ls")) as { readonly views: readonly ViewFacts[] };
  expect(views).toMatchObject([{ name: "mine", state: "open" }]);
});
