/** The set-up where the Node that package.json pins does not start. */

import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, test } from "vitest";
import { run } from "#test/clients/command.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { projectRoot } from "#test/tidy/project-files.ts";

class Checkout {
  readonly folder = temporaryFolder();
  readonly node = join(this.folder, "node_modules/node/bin/node");
  readonly link = join(this.folder, "node_modules/.bin/node");

  /** With its packages installed. */
  constructor() {
    for (const path of ["deploy", "node_modules/node/bin", "node_modules/.bin"])
      mkdirSync(join(this.folder, path), { recursive: true });
    for (const path of ["deploy/setup.js", "package-lock.json"])
      copyFileSync(join(projectRoot, path), join(this.folder, path));
    writeFileSync(join(this.folder, "package.json"), '{ "type": "module" }');
    const lockfile = createHash("sha256")
      .update(readFileSync(join(this.folder, "package-lock.json")))
      .digest("hex");
    writeFileSync(
      join(this.folder, "node_modules/.tidemark-setup"),
      `${lockfile} ${process.platform}-${process.arch}\n`,
    );
    symlinkSync("../node/bin/node", this.link);
    // Root would get the library, were there a way to Debian's packages.
    mkdirSync(join(this.folder, "programs"));
    writeFileSync(join(this.folder, "programs/apt-get"), "#!/bin/sh\necho no network >&2; exit 100\n", { mode: 0o755 });
  }

  pin(script: string): void {
    writeFileSync(this.node, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  setUp() {
    const environment = { PATH: [join(this.folder, "programs"), process.env.PATH].join(delimiter) };
    return run(process.execPath, [join(this.folder, "deploy/setup.js"), "start"], { environment });
  }
}

test("a Node that lacks a library is not left where npm would run it, and it is said what brings it", async () => {
  const checkout = new Checkout();
  checkout.pin('echo "node: error while loading shared libraries: libatomic.so.1" >&2; exit 127');
  for (const _ of ["at first", "again"]) {
    expect(await checkout.setUp()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("as root: apt-get install libatomic1"),
    });
    expect(existsSync(checkout.link)).toBe(false);
  }
  checkout.pin("echo v26.10.0");
  expect(await checkout.setUp()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(existsSync(checkout.link)).toBe(true);
});
