/** Every setting there is, with its default and what it is for. The file, `tidemark config` and the documents follow it. */
import { defaultGroupPolicy } from "#src/appliance/local/group-policy.ts";
import { remoteDefaults } from "#src/appliance/remote/remote-options.ts";
import { aggregateBytesMax, GiB, KiB, MiB } from "#src/core/limits.ts";
import {
  indexFilterBytesDefault,
  indexGatherBytesDefault,
  partEfforts,
  readersGraceMs,
} from "#src/core/store-limits.ts";
import { logLevels } from "#src/host/log.ts";
import { volumeOptionDefaults } from "#src/interceptor/volume-options.ts";
import { defaultPort } from "#src/nbd/constants.ts";
import { levelsOfAge } from "./ageing-setting.ts";
import { bandwidthHours } from "./bandwidth-setting.ts";
import { volumeQuotas } from "./quota-setting.ts";
import { wantedModes } from "./role.ts";
import {
  byteSize,
  byteSizeOrOff,
  choice,
  countOrOff,
  optionalPath,
  optionalText,
  path,
  portNumber,
  portOrOff,
  type Setting,
  seconds,
  secondsOrOff,
  secret,
  text,
  texts,
} from "./setting.ts";

export interface Section {
  readonly [name: string]: Setting<unknown> | Section;
}

/** What a section of settings comes to. */
export type Configured<Part> = {
  readonly [Name in keyof Part]: Part[Name] extends Setting<infer Value> ? Value : Configured<Part[Name]>;
};

export type Config = Configured<typeof configSchema>;

const day = 86_400;
const quotaRange = { min: 1 * MiB, max: 1024 * 1024 * GiB };
const bandwidthRange = { min: 64 * KiB, max: 1024 * GiB };

export const configSchema = {
  data: path("var", "the folder of everything that must last"),
  http: {
    host: text("127.0.0.1", "where the control API listens; beyond loopback it needs TLS and a token"),
    port: portNumber(7878, "its TCP port; 0 lets the system choose"),
    tls: {
      certFile: optionalPath("its certificate (PEM)"),
      keyFile: optionalPath("the certificate's private key (PEM)"),
    },
    token: secret("what callers must show (Authorization: Bearer …); better in a file"),
    tokenFile: optionalPath("the file that holds it"),
    withoutToken: choice(
      ["admin", "operate", "read", "nothing"],
      "admin",
      "what may be done without one, on loopback and while none is set here",
    ),
  },
  nbd: {
    host: text("127.0.0.1", "where hosts attach volumes; beyond loopback it needs TLS with clients' certificates"),
    port: portOrOff(defaultPort, "its TCP port; 0 lets the system choose"),
    socket: optionalPath("a Unix socket beside the port, or instead of it"),
    tls: {
      certFile: optionalPath("its certificate (PEM)"),
      keyFile: optionalPath("the certificate's private key (PEM)"),
      caFile: optionalPath("the authority that must have signed clients' certificates (PEM)"),
    },
  },
  wire: {
    host: text("127.0.0.1", "where the remote appliance listens; beyond loopback it needs TLS and a token"),
    port: portOrOff(7879, "its TCP port; 0 lets the system choose"),
    socket: optionalPath("a Unix socket instead of the port"),
    tls: {
      certFile: optionalPath("this side's certificate (PEM)"),
      keyFile: optionalPath("the certificate's private key (PEM)"),
      caFile: optionalPath("the authority that must have signed the other side's certificate (PEM)"),
    },
    token: secret("what both appliances must know; better in a file"),
    tokenFile: optionalPath("the file that holds it"),
  },
  views: {
    listen: optionalText(
      "where views are attached (views.sock in the data folder); beyond loopback it needs nbd.tls with a caFile",
      "HOST:PORT or the path of a Unix socket",
    ),
  },
  drills: {
    command: optionalText(
      "a shell command that tests the recovery of a volume on a writable view of its newest point (TIDEMARK_URI)",
      "a shell command",
    ),
    everySeconds: secondsOrOff(Number.POSITIVE_INFINITY, "how often that is done, for each volume", {
      min: 60,
      max: 365 * day,
    }),
    withinSeconds: seconds(3600, "so long it may take", { min: 1, max: day }),
  },
  remote: {
    address: optionalText("where the local appliance finds the remote one", "HOST:PORT or the path of a Unix socket"),
    serverName: optionalText("the name in the remote appliance's certificate, if it is not HOST"),
    compress: choice(
      ["off", "auto"],
      "auto",
      "whether what is sent over TCP is compressed while it waits for the link and that helps",
    ),
    bandwidth: byteSizeOrOff(Number.POSITIVE_INFINITY, "the most that is sent in a second", bandwidthRange),
    bandwidthHours: bandwidthHours("what it is instead at some hours of the day", bandwidthRange),
  },
  store: {
    folder: optionalPath("where the remote appliance keeps its objects (remote/objects in the data folder)"),
    sealAfterSeconds: seconds(
      remoteDefaults.sealAfterMs / 1000,
      "a data segment that is not full is sealed after so long",
      { min: 1, max: day },
    ),
    sealBehind: byteSize(
      remoteDefaults.sealBehindBytesMax,
      "so much waits to be sealed while hosts write much, so that they get what sealing would take",
      { min: 0, max: 32 * GiB },
    ),
    compress: choice(
      partEfforts,
      "normal",
      "small has what is sealed from now on take a tenth to a fifth less room, and twenty times the time",
    ),
    keyFile: optionalPath(
      "the file that holds the key of an encrypted store; a new store is encrypted if there is one",
    ),
    keyCommand: secret("a shell command that prints it instead"),
    retention: {
      keepSeconds: secondsOrOff(
        365 * day,
        "how far back the volumes can be had at all; off keeps everything for ever",
        { min: 1, max: 100 * 365 * day },
      ),
      levels: levelsOfAge(
        [
          { ageSeconds: day, levelSeconds: 60 },
          { ageSeconds: 7 * day, levelSeconds: 3600 },
          { ageSeconds: 30 * day, levelSeconds: day },
        ],
        "from which age on points are how far from each other; none keeps each write",
      ),
      marksSeconds: secondsOrOff(30 * day, "so long marks stay points, whatever the level; off: always", {
        min: 0,
        max: 100 * 365 * day,
      }),
      quiescedMarksSeconds: secondsOrOff(
        Number.POSITIVE_INFINITY,
        "the same of marks for which applications were at rest",
        { min: 0, max: 100 * 365 * day },
      ),
    },
    snapshots: {
      everySeconds: secondsOrOff(3600, "a snapshot is made when so much time has been sealed since the last one", {
        min: 1,
        max: 365 * day,
      }),
      everyRecords: countOrOff(2 ** 18, "or so many records; the more, the longer it takes to open what lies between", {
        min: 1,
        max: 2 ** 40,
      }),
    },
    quota: byteSizeOrOff(
      Number.POSITIVE_INFINITY,
      "of a volume that keeps more than this the status tells; nothing is refused",
      quotaRange,
    ),
    quotas: volumeQuotas("what it is instead for single volumes", quotaRange),
    collect: {
      everySeconds: secondsOrOff(day, "how often what is not to be kept any more is let go of, and its room freed", {
        min: 1,
        max: 365 * day,
      }),
      bytesPerSecond: byteSizeOrOff(
        Number.POSITIVE_INFINITY,
        "the most that is read and written for that in a second",
        {
          min: 64 * KiB,
          max: 1024 * GiB,
        },
      ),
      reserve: byteSize(
        256 * MiB,
        "room held back for it on the disk of a store eight times as large; from 1 TiB of blocks on, more",
        { min: 0, max: 1024 * GiB },
      ),
      graceSeconds: seconds(
        readersGraceMs / 1000,
        "so long an object stays whose place another one has taken, for those who are reading it",
        { min: 0, max: day },
      ),
    },
    scrub: {
      everySeconds: secondsOrOff(30 * day, "how often all that the store has is read, checked and repaired", {
        min: 1,
        max: 10 * 365 * day,
      }),
      bytesPerSecond: byteSizeOrOff(32 * MiB, "the most that is read for that in a second", {
        min: 64 * KiB,
        max: 1024 * GiB,
      }),
    },
    index: {
      gather: byteSize(indexGatherBytesDefault, "memory for what is new to the index; more makes it write less", {
        min: 1 * MiB,
        max: 64 * GiB,
      }),
      filter: byteSize(indexFilterBytesDefault, "memory that keeps lookups in vain from the index's file", {
        min: 1 * MiB,
        max: 256 * GiB,
      }),
    },
  },
  local: {
    socket: optionalPath(
      "the Unix socket between interceptors and the local appliance (local.sock in the data folder)",
    ),
    spool: {
      limit: byteSize(defaultGroupPolicy.spoolLimitBytes, "the most that a group's spool may take", {
        min: 16 * MiB,
        max: 1024 * 1024 * GiB,
      }),
      segment: byteSize(defaultGroupPolicy.spoolSegmentBytes, "the size of one file of it", {
        min: 4 * MiB,
        max: 4 * GiB,
      }),
      keep: byteSize(
        defaultGroupPolicy.spoolKeepBytes,
        "how much stays in it, at most a quarter, until the remote has sealed it and not only written",
        { min: 0, max: 1024 * 1024 * GiB },
      ),
    },
  },
  modes: {
    default: choice(wantedModes, "async", "the mode of a new group"),
    linkLoss: choice(
      ["stall", "degrade"],
      defaultGroupPolicy.mode.linkLoss,
      "what sync does when the remote is gone: wait, or go on without; auto goes on after five seconds",
    ),
    degradeAfterSeconds: seconds(defaultGroupPolicy.mode.degradeAfterMs / 1000, "so long it waits before it goes on", {
      min: 0,
      max: day,
    }),
    lagBytes: byteSizeOrOff(Number.POSITIVE_INFINITY, "so far the remote may lag before writers are slowed", {
      min: 64 * KiB,
      max: 1024 * 1024 * GiB,
    }),
    lagSeconds: secondsOrOff(Number.POSITIVE_INFINITY, "likewise, by its age; in async less than 2 counts as 2", {
      min: 0.1,
      max: 365 * day,
    }),
    overflow: choice(
      ["track", "stall"],
      defaultGroupPolicy.overflow,
      "what volumes do when the spool stays full: go on unprotected, or wait",
    ),
    overflowAfterSeconds: seconds(
      defaultGroupPolicy.overflowAfterMs / 1000,
      "so long it must have been full for that",
      {
        min: 0,
        max: day,
      },
    ),
    aggregateSeconds: seconds(
      defaultGroupPolicy.aggregate.everyMs / 1000,
      "in aggregated, how often what came is shipped as one",
      { min: 0.01, max: 3600 },
    ),
    aggregateBytes: byteSize(defaultGroupPolicy.aggregate.bytesMax, "likewise, or when it holds so much", {
      min: 64 * KiB,
      max: aggregateBytesMax,
    }),
    auto: {
      answerSeconds: seconds(
        defaultGroupPolicy.auto.answerMsMax / 1000,
        "auto picks sync while the remote answers in",
        {
          min: 0.0001,
          max: 60,
        },
      ),
      lagSeconds: seconds(defaultGroupPolicy.auto.lagSecondsMax, "auto leaves async when the remote lags further", {
        min: 1,
        max: day,
      }),
      bytesPerSecond: byteSizeOrOff(Number.POSITIVE_INFINITY, "auto leaves async when hosts write more in a second", {
        min: 64 * KiB,
        max: 1024 * GiB,
      }),
    },
  },
  interceptor: {
    applianceLost: choice(
      ["stall", "track"],
      volumeOptionDefaults.whenLost,
      "what writes do when the local appliance is gone",
    ),
    sourceFull: choice(
      ["wait", "refuse"],
      volumeOptionDefaults.whenFull,
      "what writes do when the source has no room: wait, or fail for want of space",
    ),
    flush: choice(
      ["both", "spool"],
      volumeOptionDefaults.flush,
      "what a host's FLUSH syncs: source and spool, or only the spool",
    ),
    trackAfterSeconds: seconds(
      volumeOptionDefaults.trackAfterMs / 1000,
      "so long track waits before it goes on unprotected",
      {
        min: 0,
        max: day,
      },
    ),
    checkpointSeconds: seconds(
      volumeOptionDefaults.checkpointMs / 1000,
      "how often it is noted how far the source is",
      {
        min: 0.1,
        max: day,
      },
    ),
  },
  copy: {
    bytesPerSecond: byteSizeOrOff(
      volumeOptionDefaults.copyBytesPerSecond,
      "the most that is read of a source in a second to copy it into the journal",
      { min: 64 * KiB, max: 1024 * GiB },
    ),
  },
  log: {
    level: choice(logLevels, "info", "entries below it are left out"),
    format: choice(["text", "json"], "text", "how an entry is written"),
  },
  faults: texts("faults to cause, such as local.after-spool=kill@100; for tests alone"),
} as const satisfies Section;

export interface Entry {
  /** For example `nbd.tls.certFile`. */
  readonly key: string;
  readonly setting: Setting<unknown>;
}

export function entriesOf(section: Section, prefix = ""): Entry[] {
  return Object.entries(section).flatMap(([name, part]) =>
    isSetting(part) ? [{ key: `${prefix}${name}`, setting: part }] : entriesOf(part, `${prefix}${name}.`),
  );
}

export function isSetting(part: Setting<unknown> | Section): part is Setting<unknown> {
  return part.kind === "setting";
}

/** `nbd.tls.certFile` is TIDEMARK_NBD_TLS_CERT_FILE. */
export function variableOf(key: string): string {
  return `TIDEMARK_${key
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replaceAll(".", "_")
    .toUpperCase()}`;
}
