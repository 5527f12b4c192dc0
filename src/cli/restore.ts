/** `tidemark restore`. */
import { resolve } from "node:path";
import type { RestoreReport } from "#src/control/restore-control.ts";
import { isNbdUri } from "#src/nbd/uri.ts";
import { ApiClient, apiHelp, apiOptions } from "./api-client.ts";
import { type Command, parseCommandLine, UsageError } from "./command.ts";
import { followJob } from "./job-following.ts";
import { tellPoint } from "./point-told.ts";
import { onlyName } from "./volume.ts";

const help = `Usage: tidemark restore VOLUME@POINT --to PATH|NBD-URI [OPTION ...]

Copies the volume as it was at a point to a file, a block device, or an export of an NBD server: without its holes, by several
readers, every byte checked, and read back at the end. A path is one on the remote appliance's machine; a file that is not there is
made. It is a job, which goes on after a restart where it was.

With the volume's own source or export as target the volume itself is brought back to the point, while no host is attached. What it
holds now is marked first, and stays a point; only what differs is written, and journaled as any write. Where its interceptor runs
elsewhere, mark it there first ('tidemark mark'), and restore to its export with --overwrite; without the mark that is refused.

POINT: now (the last record durable at the remote appliance), seq:123, an ISO time, -5m, mark:NAME, snap:SEQ.

Shows how far it is on a terminal. Ctrl-C leaves it to go on by itself; 'tidemark job cancel' ends it. The exit status is 1 where
something could not be restored.

  --to TARGET        where to
  --overwrite        what the target holds may go
  --confirm NAME     the volume's name once more, where the target is the volume itself
  --no-verify        does not read the target back
  --no-wait          answers as soon as it is begun
${apiHelp}
Example:
  tidemark restore disk@-5m --to /srv/disk-five-minutes-ago.img
`;

const options = {
  ...apiOptions,
  to: { type: "string" },
  overwrite: { type: "boolean" },
  confirm: { type: "string" },
  "no-verify": { type: "boolean" },
  "no-wait": { type: "boolean" },
} as const;

export const restoreCommand: Command = {
  name: "restore",
  summary: "copy a point of a volume out, or back onto it",
  help,
  run: async (args) => {
    const { values, positionals } = parseCommandLine(args, options);
    const wanted = onlyName("restore", positionals, "VOLUME@POINT");
    const at = wanted.indexOf("@");
    if (at < 0) throw new UsageError(`which point of '${wanted}'? restore takes VOLUME@POINT`);
    const { to } = values;
    if (to === undefined || to === "") throw new UsageError("restore takes --to PATH or --to NBD-URI");
    const body = {
      ...{ volume: wanted.slice(0, at), point: wanted.slice(at + 1) },
      target: isNbdUri(to) ? to : resolve(to),
      ...{ overwrite: values.overwrite === true, verify: values["no-verify"] !== true },
      ...(values.confirm === undefined ? {} : { confirm: values.confirm }),
    };
    const api = new ApiClient(values);
    const job = (await api.ask("POST", ["restores"], { body })) as RestoreReport;
    if (job.restore !== undefined && values.json !== true) tellPoint(job.restore);
    if (job.mark !== undefined && values.json !== true) {
      process.stderr.write(`what ${job.mark.group} held before is mark:${job.mark.name} (seq:${job.mark.seq})\n`);
    }
    return followJob(job, { api, asJson: values.json === true, isAwaited: values["no-wait"] !== true });
  },
};
