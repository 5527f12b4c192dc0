/** The audit log: what it promises, on good and on bad days. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type AuditContent, auditLine } from "#src/control/http/audit-entry.ts";
import { AuditLog } from "#src/control/http/audit-log.ts";
import { auditReport } from "#src/control/http/audit-report.ts";
import { readSummedLine } from "#src/control/http/summed-line.ts";
import { TokenBook } from "#src/control/http/token-book.ts";
import { auditFileBytesMax, auditLineBytesMax, auditRefusalEveryMs } from "#src/core/http-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import { driven } from "#test/contract/driver.ts";
import { simDriver } from "#test/sim/sim-driver.ts";
import { Simulation } from "#test/sim/simulation.ts";

const path = "/audit.log";
const order = { kind: "order", who: "ops", role: "admin", from: "::1", method: "PUT", target: "/x" } as const;

function world(seed = 1) {
  const simulation = new Simulation(seed);
  const host = simulation.host("a");
  const driver = simDriver(simulation.clock);
  const log = AuditLog.open(host, path);
  const add = (content: AuditContent, to = log) => driven(driver, to.add(content));
  const all = (of = log) => driven(driver, of.last({ limit: Number.POSITIVE_INFINITY }));
  return { host, driver, log, add, all };
}

describe("the audit log", () => {
  test("has what was said to be durable after the power was cut, and numbers go on behind it", async () => {
    const { host, log, add, all } = world();
    for (let count = 0; count < 3; count++) await add({ ...order, order: { count } });
    void log.add({ kind: "outcome", of: 3, status: 200 });
    host.cutPower();
    const after = AuditLog.open(host, path);
    const kept = await all(after);
    expect(kept.slice(0, 3)).toMatchObject([0, 1, 2].map((count) => ({ number: count + 1, order: { count } })));
    const next = await add({ kind: "start", version: "2" }, after);
    expect(next.number).toBe(kept.length + 1);
    expect((await all(after)).at(-1)).toEqual(next);
  });

  test.each([1, 2, 3, 4, 5])("has its first entry too (seed %d)", async (seed) => {
    const { host, add, all } = world(seed);
    await add(order);
    host.cutPower();
    expect(await all(AuditLog.open(host, path))).toMatchObject([{ number: 1, kind: "order" }]);
  });

  test("takes two files of a bounded length, and has the newest entries", async () => {
    const { host, add, all } = world();
    const text = "x".repeat(4000);
    const rounds = Math.ceil((3 * auditFileBytesMax) / text.length);
    for (let count = 0; count < rounds; count++) await add({ ...order, order: { text } });
    for (const file of [path, `${path}.1`]) {
      expect(host.files.sizeBytes(file)).toBeLessThan(auditFileBytesMax + auditLineBytesMax);
    }
    const numbers = (await all()).map(({ number }) => number);
    expect(numbers.at(-1)).toBe(rounds);
    expect(numbers).toEqual(numbers.map((_, index) => rounds - numbers.length + 1 + index));
    expect(await all(AuditLog.open(host, path))).toHaveLength(numbers.length);
  });

  test.each(["write", "sync"] as const)("tells when a %s fails, and goes on when it can again", async (call) => {
    const { host, log, add, all } = world();
    await add(order);
    host.disk.failNext(call, "ENOSPC");
    await add(order);
    expect(log.trouble).toContain("ENOSPC");
    await add(order);
    expect(log.trouble).toBe(undefined);
    expect((await all()).at(-1)?.number).toBe(3);
  });

  test("is read from its end, no further than is asked for, with what came of it; and others have their turn", async () => {
    const { host, driver, add } = world();
    for (let count = 0; count < 600; count++) await add({ ...order, order: { count } });
    await add({ kind: "outcome", of: 600, status: 200 });
    let turns = 0;
    const soon = (callback: () => void): void => {
      turns++;
      host.clock.soon(callback);
    };
    const { files, log } = host;
    const { monotonicMs, hostMs, wallMs, timer } = host.clock;
    const clock: Clock = {
      ...{ monotonicMs: monotonicMs.bind(host.clock), wallMs: wallMs.bind(host.clock), timer: timer.bind(host.clock) },
      hostMs: hostMs.bind(host.clock),
      soon,
    };
    const other = AuditLog.open({ files, log, clock }, path);
    const last = async (limit: number, before?: number) => {
      const entries = await driven(driver, other.last({ limit, before }));
      return entries.map(({ number, kind }) => [number, kind]);
    };
    expect(await last(1)).toEqual([
      [600, "order"],
      [601, "outcome"],
    ]);
    expect((await last(2, 600)).slice(0, 2)).toEqual([
      [598, "order"],
      [599, "order"],
    ]);
    expect(turns).toBe(0);
    expect(await last(1000)).toHaveLength(601);
    expect(turns).toBe(1);
  });

  test("is not filled by whoever knocks all day long", async () => {
    const { host, driver, log, all } = world();
    const refusal = { from: "10.0.0.9", method: "GET", target: "/", status: 401, why: "no" };
    for (let count = 0; count < 1000; count++) log.refuse(refusal);
    host.clock.elapse(auditRefusalEveryMs);
    log.refuse(refusal);
    await driver.quiet();
    expect(await all()).toMatchObject([{ unlisted: 0 }, { unlisted: 999 }]);
  });

  test("fault 35: leaves out what is secret in an address, and what is too long", () => {
    const line = auditLine({ ...order, order: { source: "nbd://user:secret@host/x" } }).toString();
    expect(line).toContain("[redacted]");
    expect(line).not.toContain("secret");
    const long = auditLine({ ...order, order: { text: "x".repeat(auditLineBytesMax) } });
    expect(long.length).toBeLessThan(auditLineBytesMax);
    expect(readSummedLine(long.toString().trimEnd())).toEqual(order);
  });

  test("shows an order in one line with what came of it, and one without when that is not known", () => {
    const time = "2026-01-01T00:00:00.000Z";
    const lines = auditReport(
      [
        { number: 1, time, ...order },
        { number: 2, time, ...order },
        { number: 3, time, kind: "outcome", of: 1, status: 422, why: "no" },
      ],
      { limit: 10, before: undefined },
    );
    expect(lines).toMatchObject([{ number: 1, does: "PUT /x", status: 422, why: "no" }, { number: 2 }]);
    expect(lines[1]).not.toHaveProperty("status");
  });
});

describe("the bytes of version 1", () => {
  const golden = (name: string) => readFileSync(join(import.meta.dirname, "../../golden", name));
  const placed = (file: string, bytes: Buffer) => {
    const { host } = world();
    if (host.files.exists(file)) host.files.remove(file);
    host.files.create(file).writeNow(bytes, 0, bytes.length, 0);
    return host;
  };

  test("of the audit log are read, and one with a flipped bit is left out", async () => {
    const bytes = golden("audit-v1.bin");
    const all = (of: Buffer) => AuditLog.open(placed(path, of), path).last({ limit: 100 });
    const entries = await all(bytes);
    expect(entries.map(({ number, kind }) => [number, kind])).toEqual([
      [1, "start"],
      [2, "order"],
      [3, "outcome"],
      [4, "refusal"],
    ]);
    const lines = bytes.toString().split("\n");
    expect(bytes.toString()).toBe(
      lines
        .slice(0, -1)
        .map((line) => `${line}\n`)
        .join(""),
    );
    for (const line of lines.slice(0, -1)) {
      expect(auditLine(JSON.parse(line.split("\t")[0] as string)).toString()).toBe(`${line}\n`);
    }
    const damaged = Buffer.from(bytes.toString().replace('"PUT"', '"GET"'));
    expect(await all(damaged)).toHaveLength(3);
  });

  test("of the tokens are read, and a damaged document is set aside: then no token holds", () => {
    const host = placed("/tokens.json", golden("tokens-v1.bin"));
    expect(TokenBook.open(host, "/tokens.json").find("tdm_golden")).toEqual({ name: "grafana", role: "read" });
    const damaged = placed("/tokens.json", Buffer.from(golden("tokens-v1.bin").toString().replace("read", "admin")));
    const book = TokenBook.open(damaged, "/tokens.json");
    expect([book.find("tdm_golden"), book.isEmpty]).toEqual([undefined, true]);
    expect(damaged.files.exists("/tokens.json.damaged")).toBe(true);
    const warnings: Parameters<Log["warn"]>[] = [];
    const { files, clock, randomness, log } = damaged;
    const warn: Log["warn"] = (...said) => void warnings.push(said);
    TokenBook.open({ files, clock, randomness, log: { ...log, warn } }, "/tokens.json");
    expect(warnings).toEqual([[expect.stringContaining("lie aside"), { file: "/tokens.json.damaged" }]]);
  });
});
