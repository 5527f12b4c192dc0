/** `tidemark detach`. */
import { isName } from "#src/control/name.ts";
import { detachSecondsDefault, detachSecondsMax } from "#src/core/attach-limits.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { environment } from "#src/host/node/environment.ts";
import { nodePrograms } from "#src/host/node/programs.ts";
import { AttachmentPlace, attachmentsFolder } from "./attach/attachment.ts";
import { detachDisk } from "./attach/detach-disk.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark detach NAME [OPTION ...]

Takes away what 'tidemark attach' has made: unmounts it, writes what is still to be written, removes the device. It needs no
program of Tidemark that runs. Where the server does not answer in time, or is gone, the device is cut off from it: what waits
for it fails then, its mounts vanish at once, and the exit status is 1, since what this machine had not written is lost. Where it
is in use it stays, and that is said; the same command again, or the next 'tidemark attach', takes it away when nobody uses it.

  --within SECONDS   so long it may take to write what is still to be written (${detachSecondsDefault})
  --force            cuts it off at once, also where it is in use
  --json             JSON with stable names instead of text
  --help             this text

Example:
  tidemark detach disk
`;

const options = {
  within: { type: "string", default: String(detachSecondsDefault) },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

export const detachCommand: Command = {
  name: "detach",
  summary: "take an attached volume away, and never hang",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    const name = onlyName("detach", positionals);
    if (!isName(name)) throw new UsageError(`'${name}' is no name of a volume or a view`);
    const withinMs = wholeNumber(values.within, "--within", { min: 1, max: detachSecondsMax }) * 1000;
    const place = new AttachmentPlace(attachmentsFolder(environment(), nodePrograms.isRoot), name);
    const attachment = place.read(nodePrograms);
    if (attachment === undefined)
      throw new Error(`${name} is not attached by this user; 'tidemark attach ls' lists what is`);
    const order = { isForced: values.force === true, withinMs };
    const cutOff = await detachDisk({ programs: nodePrograms, clock: nodeClock }, place, attachment, order);
    if (values.json === true) {
      process.stdout.write(
        `${JSON.stringify({ name, isWhole: cutOff === undefined, ...(cutOff === undefined ? {} : { why: cutOff }) })}\n`,
      );
    } else if (cutOff === undefined) process.stdout.write(`${name} is detached\n`);
    if (cutOff === undefined) return 0;
    process.stderr.write(
      `tidemark: ${name} was cut off: ${cutOff}. What was written to it and not synced is lost; nothing of it hangs any more.\n`,
    );
    return 1;
  },
};
