/** Commands as they ask the control API: what they print for people and as JSON, and what they say to a wrong use. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { UsageError } from "#src/cli/command.ts";
import { commands } from "#src/cli/commands.ts";
import { RefuseError } from "#src/core/errors.ts";
import { ContractWorld } from "#test/control/http/contract-world.ts";

const printed = { out: "" };

beforeEach(() => {
  printed.out = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed.out += String(text);
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function commandOf(name: string) {
  const command = commands.find((one) => one.name === name);
  if (command === undefined) throw new Error(`there is no command ${name}`);
  return command;
}

/** Each way to look, and what stands in the table. */
const looks: readonly (readonly [string, RegExp])[] = [
  ["volume ls", /^VOLUME .*\nv /],
  ["group ls", /GROUP/],
  ["status", /tidemark 1\.2\.3/],
  ["points v", /every-write|points/i],
  ["timeline v", /mode/],
  ["snapshot ls v", /\b7\b/],
  ["snapshot inspect v 7", /snapshot|pointers/],
  ["view ls", /disk-7/],
  ["drill ls", /./],
  ["job ls", /verify/],
  ["job show 1", /verify/],
  ["store key ls", /11/],
  ["diff v@seq:1..now", /./],
  ["token ls", /ops +operate/],
  ["audit", /POST \/api\/v1\/tokens/],
  ["events", /audit +who=local/],
];

describe("a command that looks", () => {
  test.each(looks)("%s prints a table for people, and JSON with --json", async (line, expected) => {
    const world = await ContractWorld.served();
    const [name = "", ...args] = line.split(" ");
    const api = ["--api", world.url];
    expect(await commandOf(name).run([...args, ...api])).toBe(0);
    expect(printed.out).toMatch(expected);
    expect(printed.out).not.toMatch(/^[{[]|undefined|NaN|\[object/);
    printed.out = "";
    expect(await commandOf(name).run([...args, ...api, "--json"])).toBe(0);
    expect(JSON.parse(printed.out)).toBeTypeOf("object");
    await expect(commandOf(name).run([...args, ...api, "--jsn"])).rejects.toThrow(UsageError);
  });
});

test("who opens a point by words hears which one it is, and a pipe gets the URI alone", async () => {
  const told = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const world = await ContractWorld.served();
  expect(await commandOf("view").run(["open", "disk@-5m", "--api", world.url])).toBe(0);
  expect(told.mock.calls).toEqual([["seq:7 of disk (2026-01-01T00:00:00.000Z)\n"]]);
  expect(printed.out).toMatch(/^nbd\+unix:\S+\n$/);
});

test("a drill of a point that is lost has failed, and what says nothing of the point is told as it is", async () => {
  const world = await ContractWorld.served();
  world.side.refusals.set("openView", new RefuseError("volume 'disk': it is lost"));
  const drill = () => commandOf("drill").run(["disk", "--api", world.url, "--", "exit 0"]);
  expect(await drill()).toBe(1);
  expect(printed.out).toBe("a drill of disk has failed, no point could be opened: it is lost\n");
  expect(world.side.asked.at(-1)).toEqual({ noteRefusedDrill: { volume: "disk", point: "now", command: "exit 0" } });
  world.side.refusals.set("openView", new RefuseError("there are 100 views already"));
  world.side.refusals.set("noteRefusedDrill", new RefuseError("now is there"));
  await expect(drill()).rejects.toThrow("there are 100 views already");
});

describe("a wrong use", () => {
  test.each(commands.map(({ name }) => [name] as const))("of %s is said with where to read on", async (name) => {
    const error: unknown = await commandOf(name)
      .run(["--strange-option"])
      .catch((one: unknown) => one);
    expect(error).toBeInstanceOf(UsageError);
    expect((error as Error).message).toMatch(/--help/);
  });

  test.each([
    ["token add x", "needs --role"],
    ["token add x --role root", "needs --role"],
    ["token add x --role read --for ever", "--for takes a time"],
    ["token", "add, ls or rm"],
    ["token rm", "token rm"],
    ["audit --last 0", "--last must be a whole number"],
    ["audit x", "takes no 'x'"],
    ["events --after x", "--after must be a whole number"],
  ])("%s: %s", async (line, words) => {
    const [name = "", ...args] = line.split(" ");
    await expect(commandOf(name).run(args)).rejects.toThrow(words);
  });
});
