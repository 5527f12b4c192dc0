/** A system that does less than it is asked to, and is interrupted all the time, as it is always free to do. */
import { join } from "node:path";
import { expect, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { MiB } from "#test/clients/image.ts";
import { beginRounds, disturb, playRound } from "./rounds.ts";

needPrograms("setpriv", "strace");

const sizeBytes = 4 * MiB;
const stingyFiles = join(import.meta.dirname, "../oracle/stingy-files.js");

test("fault 14: where each read and write moves only a part, nobody notices, also not over a kill of everything", async () => {
  const rounds = await beginRounds({ sizeBytes, mode: "async", preloads: [stingyFiles] }, 14);
  await playRound(rounds, { kind: "kill", roles: ["interceptor", "local", "remote"] });
  await disturb(rounds, (host) => host.answered(100));
});

test("fault 14: system calls that are interrupted again and again are made again", async () => {
  const calls = "pwrite64,pwritev,pread64,preadv2,fallocate,fdatasync,fsync";
  // Below the program, so that a signal to it reaches it and not its tracer. Each third call fails once.
  const under = ["strace", "-D", "-f", "-qqq", "-o", "/dev/null", "-e", `trace=${calls}`];
  const interrupted = ["-e", "inject=pwrite64,pwritev,fallocate,fdatasync:error=EINTR:when=3+3"];
  const rounds = await beginRounds({ sizeBytes, mode: "async", under: [...under, ...interrupted] }, 15);
  await disturb(rounds, (host) => host.answered(100));
  expect(rounds.history.count).toBeGreaterThan(100);
});
