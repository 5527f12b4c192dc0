/** `tidemark demo`: what `npm start` runs. Until there is an appliance, a demo volume over NBD. */
import { demoVolumeBytes } from "#src/core/limits.ts";
import { createSparseFile } from "#src/host/node/sparse-file.ts";
import { defaultPort } from "#src/nbd/constants.ts";
import { type Command, parseCommandLine, UsageError, wholeNumber } from "./command.ts";
import { explainFile } from "./failure.ts";
import { openServed, reportAsText, startServing } from "./serving.ts";

const help = `Usage: tidemark demo [--data DIR] [--port N]

Serves a demo volume, a sparse file of ${demoVolumeBytes / 2 ** 30} GiB, over NBD on loopback. The file is made at the first start.

  --data DIR  where the file lies (./var)
  --port N    the TCP port (${defaultPort})

Example:
  tidemark demo --data /tmp/try
`;

export const demoCommand: Command = {
  name: "demo",
  summary: "serve a demo volume",
  help,
  run: demo,
};

async function demo(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseCommandLine(args, { data: { type: "string" }, port: { type: "string" } });
  if (positionals.length > 0)
    throw new UsageError(`demo takes no '${positionals[0]}'; 'tidemark demo --help' tells more`);
  const file = demoFile(values.data ?? "var");
  const port = wholeNumber(values.port ?? String(defaultPort), "--port", { min: 0, max: 65535 });
  const started = await startServing({
    device: openServed(file, false),
    exportName: "demo",
    description: "Tidemark demo volume",
    address: { kind: "tcp", host: "127.0.0.1", port },
    report: reportAsText,
  });
  process.stdout.write(nextSteps(file, started.uri));
  await started.ended;
  return 0;
}

function demoFile(folder: string): string {
  try {
    return createSparseFile(folder, "demo.img", demoVolumeBytes);
  } catch (error) {
    throw explainFile(error, `--data ${folder}`);
  }
}

function nextSteps(file: string, uri: string): string {
  return `The demo volume (${file}) is at ${uri}

Try, in another terminal:
  nbdinfo ${uri}
  qemu-img convert -n -f raw -O raw SOME-IMAGE ${uri}
  mkdir -p /tmp/disk && nbdfuse /tmp/disk ${uri} &      # then /tmp/disk/nbd is the volume as a file
  fusermount3 -u /tmp/disk                              # and this ends it

(nbdinfo and nbdfuse are in Debian's package libnbd-bin, qemu-img is in qemu-utils.)
This volume is served as it is, and not protected yet. Ctrl-C ends.
`;
}
