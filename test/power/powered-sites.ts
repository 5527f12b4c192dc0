/**
 * Both sites on disks whose power can be cut: the site of interceptor, local appliance and source has one or two disks,
 * the remote's one. With its power a site loses its processes, and when it is back the machine has been started anew.
 */
import { randomUUID } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { type RoleName, Sites } from "#test/oracle/sites.ts";
import type { FileSystemKind } from "./disk-commands.ts";
import { PowerDisk } from "./power-disk.ts";

export const siteNames = ["local", "remote"] as const;
export type SiteName = (typeof siteNames)[number];

export interface PoweredSitesOptions {
  readonly mode: "sync" | "async";
  readonly sizeBytes: number;
  readonly fileSystem: FileSystemKind;
  /** The source has a disk of its own. */
  readonly sourceApart: boolean;
  /** What a host's flush syncs. With `spool` alone, the source may lack what was promised until it is redone. */
  readonly flush: "both" | "spool";
}

const diskBytes = 1024 * MiB;

interface Site {
  readonly disks: readonly PowerDisk[];
  readonly bootIdFile: string;
  /** In the order in which they are started. */
  readonly roles: readonly RoleName[];
}

export class PoweredSites {
  readonly sites: Sites;
  readonly #sites: Readonly<Record<SiteName, Site>>;

  private constructor(sites: Sites, powered: Readonly<Record<SiteName, Site>>) {
    this.sites = sites;
    this.#sites = powered;
  }

  static async make(options: PoweredSitesOptions): Promise<PoweredSites> {
    const folder = await temporaryFolder();
    const { fileSystem, sourceApart, mode, sizeBytes, flush } = options;
    const makeDisk = () => PowerDisk.make(fileSystem, diskBytes);
    const [here, there, apart] = await Promise.all([makeDisk(), makeDisk(), sourceApart ? makeDisk() : undefined]);
    const data = {
      interceptor: join(here.path, "interceptor"),
      local: join(here.path, "local"),
      remote: join(there.path, "remote"),
    };
    for (const path of Object.values(data)) await mkdir(path);
    const source = join((apart ?? here).path, "source");
    const local: Site = {
      disks: apart === undefined ? [here] : [here, apart],
      bootIdFile: await newBootId(folder.file("local-boot")),
      roles: ["local", "interceptor"],
    };
    const remote: Site = { disks: [there], bootIdFile: await newBootId(folder.file("remote-boot")), roles: ["remote"] };
    const sites = await Sites.make({
      places: { folder: folder.path, data, source },
      sizeBytes,
      mode,
      settings: { interceptor: { checkpointSeconds: 0.2, flush } },
      bootIdFiles: { interceptor: local.bootIdFile, local: local.bootIdFile, remote: remote.bootIdFile },
    });
    return new PoweredSites(sites, { local, remote });
  }

  /** Cuts the power of these sites, in the middle of the n-th request from now on to a disk of the first of them. */
  async cut(names: readonly SiteName[], requests: number, seed: number): Promise<void> {
    const disks = names.flatMap((name) => this.#sites[name].disks);
    const [first, ...others] = disks as [PowerDisk, ...PowerDisk[]];
    await first.cutAfter(requests, seed);
    await first.whenCut;
    await Promise.all(others.map((disk, index) => disk.cut(seed + index + 1)));
    await this.sites.kill(...names.flatMap((name) => this.#sites[name].roles));
    await Promise.all(disks.map((disk) => disk.powerDown()));
  }

  /** The machine is back, with its disks as the cut has left them. */
  async powerUp(names: readonly SiteName[]): Promise<void> {
    for (const name of names) {
      await newBootId(this.#sites[name].bootIdFile);
      await Promise.all(this.#sites[name].disks.map((disk) => disk.powerUp()));
    }
  }

  async start(names: readonly SiteName[]): Promise<void> {
    await this.sites.start(...names.flatMap((name) => this.#sites[name].roles));
  }
}

async function newBootId(path: string): Promise<string> {
  await writeFile(path, `${randomUUID()}\n`);
  return path;
}
