/** What is kept of a volume that is attached to this machine, and where. */
import { join } from "node:path";
import { isName } from "#src/control/name.ts";
import type { Programs } from "#src/host/programs.ts";

export const attachClients = ["kernel", "fuse"] as const;
export type AttachClient = (typeof attachClients)[number];

export interface Attachment {
  readonly name: string;
  readonly uri: string;
  readonly client: AttachClient;
  /** The block device; absent where only a file was wanted. */
  readonly device?: string;
  /** Where nbdfuse shows the export as a file. */
  readonly file?: string;
  /** Where it was mounted. */
  readonly mountedAt?: string;
  /** The process that attaches it, until it has done so. */
  readonly by?: number;
  /** The device that the kernel's client is told to take, until it is known to have it. */
  readonly intended?: string;
  /** Whom the kernel names as the one that has its NBD device: another number there is another attachment. */
  readonly holder?: string;
  /** The process that was the last to take it away, and was refused that, or killed. */
  readonly takenAwayBy?: number;
}

/** Of this user, and in no folder of the program's own user: goes with a restart of the machine, as attached devices do. */
export function attachmentsFolder(variables: Readonly<Record<string, string | undefined>>, isRoot: boolean): string {
  if (variables.TIDEMARK_ATTACHED !== undefined) return variables.TIDEMARK_ATTACHED;
  if (isRoot) return "/run/tidemark-attached";
  if (variables.XDG_RUNTIME_DIR !== undefined) return join(variables.XDG_RUNTIME_DIR, "tidemark-attached");
  return join(variables.HOME ?? "/tmp", ".tidemark-attached");
}

/** One folder for each: the facts, and nbdfuse's mount point, process number and words. */
export class AttachmentPlace {
  readonly folder: string;
  readonly facts: string;
  readonly mountPoint: string;
  readonly processFile: string;
  readonly words: string;

  constructor(attachments: string, name: string) {
    this.folder = join(attachments, name);
    this.facts = join(this.folder, "attachment.json");
    this.mountPoint = join(this.folder, "disk");
    this.processFile = join(this.folder, "process");
    this.words = join(this.folder, "words");
  }

  read(programs: Programs): Attachment | undefined {
    const text = programs.textOf(this.facts);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as Attachment;
    } catch {
      return undefined;
    }
  }

  save(programs: Programs, attachment: Attachment): void {
    programs.saveText(this.facts, `${JSON.stringify(attachment)}\n`);
  }
}

export function allAttachments(programs: Programs, attachments: string): Attachment[] {
  const names = programs.namesIn(attachments).filter(isName);
  return names.flatMap((name) => new AttachmentPlace(attachments, name).read(programs) ?? []);
}
