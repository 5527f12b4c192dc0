/** `tidemark story`: a file is deleted from a volume, and brought back from ten seconds ago. Nothing of it is only played. */
import { join } from "node:path";
import type { VolumeReport } from "#src/control/control-plane.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { storyAgeMs, storyMarginMs } from "#src/core/attach-limits.ts";
import { roundedByteSize } from "#src/core/byte-size.ts";
import { RefuseError } from "#src/core/errors.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { nodePrograms } from "#src/host/node/programs.ts";
import { ApiClient, apiHelp, apiOptions, defaultApiUrl } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { FileSystem } from "./story/file-system.ts";
import { VolumeImage } from "./story/volume-image.ts";

const help = `Usage: tidemark story [VOLUME] [OPTION ...]

Shows what Tidemark is for, on the demo volume of 'npm start' or on another one that is empty: makes a file system there, writes
a letter, lets ten seconds pass, deletes the letter, opens the volume as it was ten seconds before, and puts the letter back.
All of it is done for real, over NBD, without root and without mounting anything. Nobody else may have the volume attached.
It takes mkfs.ext4 and debugfs, of Debian's package e2fsprogs.

${apiHelp}
Example:
  tidemark story
`;

const letterName = "letter.txt";
const letter = "Dear reader,\nnobody has a copy of this letter.\n";
const hands = { programs: nodePrograms, clock: nodeClock };

export const storyCommand: Command = {
  name: "story",
  summary: "see a deleted file come back from ten seconds ago",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, apiOptions);
    const [name = "demo", ...more] = positionals;
    if (more.length > 0) throw new UsageError("story takes one VOLUME at most; 'tidemark story --help' tells more");
    const api = new ApiClient(values);
    const folder = nodePrograms.makeTemporaryFolder();
    try {
      await new Story(api, await calmVolume(api, name), folder, values.json === true).tell();
    } finally {
      nodePrograms.removeFolder(folder);
    }
    if (values.json !== true) process.stdout.write(ending(name, values.api ?? defaultApiUrl));
    return 0;
  },
};

async function calmVolume(api: ApiClient, name: string): Promise<VolumeReport> {
  const { volumes } = (await api.ask("GET", ["volumes"])) as { readonly volumes: readonly VolumeReport[] };
  const volume = volumes.find((one) => one.name === name);
  if (volume === undefined) throw new RefuseError(`there is no volume '${name}'; 'tidemark volume ls' lists them`);
  if (volume.connections > 0)
    throw new RefuseError(`${name} is attached by somebody, who would not see what is written`);
  if (volume.uris[0] === undefined) throw new RefuseError(`${name} cannot be attached: nbd.port is off`);
  return volume;
}

class Story {
  readonly #api: ApiClient;
  readonly #volume: VolumeReport;
  readonly #uri: string;
  readonly #folder: string;
  readonly #asJson: boolean;

  constructor(api: ApiClient, volume: VolumeReport, folder: string, asJson: boolean) {
    this.#api = api;
    this.#volume = volume;
    this.#uri = volume.uris[0] as string;
    this.#folder = folder;
    this.#asJson = asJson;
  }

  async tell(): Promise<void> {
    const image = await VolumeImage.of(hands, this.#uri, this.#folder, "volume");
    const files = new FileSystem(hands, image.path);
    await this.#prepare(image, files);
    const letterFile = join(this.#folder, letterName);
    nodePrograms.saveText(letterFile, letter);
    const writtenBytes = await image.change(this.#uri, () => files.write(letterFile, letterName));
    const writtenMs = nodeClock.wallMs();
    this.#say(`${letterName} is on the volume (${roundedByteSize(writtenBytes)} written):\n${quoted(letter)}`);
    await this.#letTimePass();
    const deletedMs = nodeClock.wallMs();
    await image.change(this.#uri, () => files.remove(letterName));
    this.#say(`It is deleted. What the volume holds now: ${(await files.names()).join(" ")}`);
    // Records are stamped by the program's clock, which is this machine's.
    const before = new Date(Math.max(deletedMs - storyAgeMs, writtenMs));
    const found = await this.#fetch(before.toISOString());
    nodePrograms.saveText(letterFile, found);
    await image.change(this.#uri, () => files.write(letterFile, letterName));
    this.#say(`It is back on the volume: ${(await files.names()).join(" ")}`);
    if (this.#asJson)
      process.stdout.write(`${JSON.stringify({ volume: this.#volume.name, point: before, letter: found })}\n`);
  }

  async #prepare(image: VolumeImage, files: FileSystem): Promise<void> {
    if (!image.isEmpty && !image.hasFileSystem()) {
      const { name } = this.#volume;
      throw new RefuseError(
        `${name} holds something that is no ext4 file system, and the story is for an empty volume: 'tidemark volume add ` +
          "try --source FILE --size 1G' makes one, and 'tidemark story try' tells it there",
      );
    }
    if (image.isEmpty) {
      await image.change(this.#uri, () => files.make());
      this.#say(`The volume ${this.#volume.name} was empty; it has a file system now.`);
    }
    // Of an earlier telling.
    if ((await files.names()).includes(letterName)) await image.change(this.#uri, () => files.remove(letterName));
  }

  async #letTimePass(): Promise<void> {
    this.#say(`Ten seconds pass ...`);
    await new Promise<void>((resolve) => void nodeClock.timer(storyAgeMs + storyMarginMs, resolve));
  }

  /** The letter as it is in the volume of that moment. */
  async #fetch(point: string): Promise<string> {
    const body = { volume: this.#volume.name, point, writable: false, nearest: true };
    const view = (await this.#api.ask("POST", ["views"], { body })) as ViewFacts;
    try {
      const then = await VolumeImage.of(hands, view.uri, this.#folder, "then");
      const files = new FileSystem(hands, then.path);
      const names = (await files.names()).join(" ");
      const found = await files.read(letterName);
      if (found !== letter) throw new Error(`the volume of ${point} has no such letter: ${names}`);
      this.#say(`The volume as it was ten seconds ago (${this.#volume.name}@${point}): ${names}\n${quoted(found)}`);
      return found;
    } finally {
      await this.#api.ask("DELETE", ["views", view.name], { flags: ["discard"] });
    }
  }

  #say(text: string): void {
    if (!this.#asJson) process.stdout.write(`${text}\n`);
  }
}

function quoted(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, "    ");
}

function ending(name: string, url: string): string {
  const api = url === defaultApiUrl ? "" : ` --api ${url}`;
  return `
By hand, any moment of it (inside a checkout: npx tidemark):
  tidemark points ${name}${api}
  tidemark view open ${name}@-1m${api}
  tidemark restore ${name}@-1m --to /tmp/old.img${api}
`;
}
