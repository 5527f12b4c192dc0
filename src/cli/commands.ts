/** All commands of the program, in the order in which they are listed. */
import { attachCommand } from "./attach.ts";
import { auditCommand } from "./audit.ts";
import { bisectCommand } from "./bisect.ts";
import { collectCommand } from "./collect.ts";
import type { Command } from "./command.ts";
import { configCommand } from "./config.ts";
import { demoCommand } from "./demo.ts";
import { detachCommand } from "./detach.ts";
import { diffCommand } from "./diff.ts";
import { drillCommand } from "./drill.ts";
import { dumpCommand } from "./dump.ts";
import { eventsCommand } from "./events.ts";
import { groupCommand } from "./group.ts";
import { indexCommand } from "./index-rebuild.ts";
import { jobCommand } from "./job.ts";
import { levelCommand } from "./level.ts";
import { markCommand } from "./mark.ts";
import { modeCommand } from "./mode.ts";
import { pointsCommand } from "./points.ts";
import { rebuildCommand } from "./rebuild.ts";
import { restoreCommand } from "./restore.ts";
import { interceptorCommand, localCommand, remoteCommand, upCommand } from "./roles.ts";
import { scrubCommand } from "./scrub.ts";
import { serveCommand } from "./serve.ts";
import { snapshotCommand } from "./snapshot.ts";
import { statusCommand } from "./status.ts";
import { storeCommand } from "./store.ts";
import { storyCommand } from "./story.ts";
import { timelineCommand } from "./timeline.ts";
import { tokenCommand } from "./token.ts";
import { traceCommand } from "./trace.ts";
import { verifyCommand } from "./verify.ts";
import { viewCommand } from "./view.ts";
import { volumeCommand } from "./volume.ts";

export const commands: readonly Command[] = [
  upCommand,
  interceptorCommand,
  localCommand,
  remoteCommand,
  volumeCommand,
  attachCommand,
  detachCommand,
  groupCommand,
  modeCommand,
  levelCommand,
  markCommand,
  statusCommand,
  eventsCommand,
  traceCommand,
  pointsCommand,
  timelineCommand,
  snapshotCommand,
  viewCommand,
  bisectCommand,
  drillCommand,
  restoreCommand,
  diffCommand,
  rebuildCommand,
  jobCommand,
  collectCommand,
  scrubCommand,
  verifyCommand,
  indexCommand,
  storeCommand,
  tokenCommand,
  auditCommand,
  dumpCommand,
  configCommand,
  serveCommand,
  demoCommand,
  storyCommand,
];

export function helpText(): string {
  const width = Math.max(...commands.map((command) => command.name.length));
  const list = commands.map((command) => `  ${command.name.padEnd(width)}  ${command.summary}`);
  return `Usage: tidemark COMMAND [OPTION ...]
       tidemark --version

Commands:
${list.join("\n")}

'tidemark COMMAND --help' tells more of one, with an example.
`;
}
