/** A file system in an image, by e2fsprogs: without root, and without mounting anything. */
import { attachStepMs, makeFileSystemMs } from "#src/core/attach-limits.ts";
import { type Hands, runHere, succeedHere } from "../attach/hands.ts";

const journalMiB = 4;

export class FileSystem {
  readonly #hands: Hands;
  readonly #image: string;

  constructor(hands: Hands, image: string) {
    this.#hands = hands;
    this.#image = image;
  }

  async make(): Promise<void> {
    const flags = ["-q", "-F", "-J", `size=${journalMiB}`, "-E", "nodiscard,lazy_itable_init=1", "-L", "tidemark"];
    await succeedHere(this.#hands, "mkfs.ext4", [...flags, this.#image], makeFileSystemMs);
  }

  /** In the order of the folder, those that begin with a dot aside. */
  async names(): Promise<string[]> {
    const listed = await this.#debug(["-R", "ls -p /"]);
    // /inode/mode/user/group/name/size/
    const names = listed.split("\n").map((line) => line.split("/")[5] ?? "");
    return names.filter((name) => name !== "" && !name.startsWith("."));
  }

  async write(file: string, name: string): Promise<void> {
    await this.#debug(["-w", "-R", `write "${file}" ${name}`]);
    await this.#expect(name, true);
  }

  async remove(name: string): Promise<void> {
    await this.#debug(["-w", "-R", `rm ${name}`]);
    await this.#expect(name, false);
  }

  async read(name: string): Promise<string> {
    return this.#debug(["-R", `cat ${name}`]);
  }

  /** Its exit status tells nothing about what it was asked to do. */
  async #expect(name: string, isThere: boolean): Promise<void> {
    if ((await this.names()).includes(name) !== isThere) throw new Error(`debugfs has not done its work on ${name}`);
  }

  async #debug(flags: readonly string[]): Promise<string> {
    const ending = await runHere(this.#hands, "debugfs", [...flags, this.#image], attachStepMs);
    if (ending.status !== 0) throw new Error(`debugfs ended with ${ending.status}: ${ending.words}`);
    return ending.output;
  }
}
