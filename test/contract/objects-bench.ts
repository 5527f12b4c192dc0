/** Objects that are opened as often as a test wants, with what a test does to them again and again. */
import { expect, onTestFinished } from "vitest";
import type { ObjectInfo, Objects, VersionedDocument } from "#src/store/objects.ts";
import { type Driver, driven } from "./driver.ts";

export interface ObjectsBench {
  readonly driver: Driver;
  /** The same objects each time; none at first. What was opened before has been closed. */
  open(): Promise<Objects>;
}

export class OpenBench {
  readonly #bench: ObjectsBench;
  #objects: Objects | undefined;

  private constructor(bench: ObjectsBench) {
    this.#bench = bench;
  }

  static async open(bench: ObjectsBench): Promise<OpenBench> {
    const it = new OpenBench(bench);
    await it.openAgain();
    onTestFinished(() => it.run(it.objects.close()));
    return it;
  }

  get objects(): Objects {
    return this.#objects as Objects;
  }

  async openAgain(): Promise<void> {
    if (this.#objects !== undefined) await this.run(this.#objects.close());
    this.#objects = await this.run(this.#bench.open());
  }

  run<Result>(promise: Promise<Result>): Promise<Result> {
    return driven(this.#bench.driver, promise);
  }

  async put(name: string, content: string | Buffer): Promise<void> {
    const writer = this.objects.create(name);
    await this.run(writer.write(Buffer.from(content)));
    await this.run(writer.finish());
  }

  async content(name: string): Promise<string> {
    const bytes = Buffer.alloc(await this.run(this.objects.sizeBytes(name)));
    expect(await this.run(this.objects.read(name, bytes, 0))).toBe(bytes.length);
    return bytes.toString();
  }

  async read(name: string, position: number, lengthBytes: number): Promise<string> {
    const bytes = Buffer.alloc(lengthBytes, "?");
    const count = await this.run(this.objects.read(name, bytes, position));
    return bytes.toString("latin1", 0, count);
  }

  async list(prefix = ""): Promise<ObjectInfo[]> {
    return await this.run(Array.fromAsync(this.objects.list(prefix)));
  }

  async names(prefix = ""): Promise<string[]> {
    return (await this.list(prefix)).map(({ name }) => name);
  }

  change(name: string, content: string, version: string | undefined): Promise<string | undefined> {
    return this.run(this.objects.changeDocument(name, Buffer.from(content), version));
  }

  document(name: string): Promise<VersionedDocument | undefined> {
    return this.run(this.objects.readDocument(name));
  }
}
