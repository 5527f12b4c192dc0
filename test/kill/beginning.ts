/**
 * What all tests of a file begin with, made by the first one that asks for it, and put back for each of the others: where it
 * was, for the catalogue knows a source by its path.
 */
import { cpSync, lstatSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { roleNames, type SitePlaces } from "#test/oracle/sites.ts";

/** Sockets that are left behind are nobody's. */
const copied = { recursive: true, filter: (path: string) => !lstatSync(path).isSocket() } as const;

export class Beginning {
  #folder = "";
  #isMade = false;

  /** For a file of tests, outside of all of them. */
  constructor() {
    beforeAll(() => {
      this.#folder = mkdtempSync(join(tmpdir(), "tidemark-begun-"));
    });
    afterAll(() => rmSync(this.#folder, { recursive: true, force: true }));
  }

  get #places(): SitePlaces {
    const folder = join(this.#folder, "sites");
    const [interceptor, local, remote] = roleNames.map((role) => join(folder, role)) as [string, string, string];
    return { folder, data: { interceptor, local, remote }, source: join(folder, "source") };
  }

  /** `make` leaves nothing running. */
  async at(make: (places: SitePlaces) => Promise<void>): Promise<SitePlaces> {
    const places = this.#places;
    const kept = join(this.#folder, "kept");
    rmSync(places.folder, { recursive: true, force: true });
    if (this.#isMade) {
      cpSync(kept, places.folder, copied);
      return places;
    }
    for (const role of roleNames) mkdirSync(places.data[role], { recursive: true });
    await make(places);
    cpSync(places.folder, kept, copied);
    this.#isMade = true;
    return places;
  }
}
