import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { changesOf, withLive } from "#src/control/live-settings.ts";

const config = (...assignments: string[]) => loadConfig({ environment: {}, assignments, folder: "/" }).config;

test("what has changed is told apart: what is taken at once, and what waits for a restart", () => {
  const next = config(
    "log.level=debug",
    "modes.auto.lagSeconds=20",
    "remote.bandwidth=1M",
    "nbd.port=7",
    "copy.bytesPerSecond=1M",
  );
  expect(changesOf(config(), next)).toEqual({
    taken: ["remote.bandwidth", "modes.auto.lagSeconds", "log.level"],
    waiting: ["nbd.port", "copy.bytesPerSecond"],
  });
});

test("nothing has changed where all is as it was, also what is endless", () => {
  expect(changesOf(config(), config())).toEqual({ taken: [], waiting: [] });
});

test("what is in force then has what is taken, and the old of all else", () => {
  const next = config(
    "drills.command=true",
    "drills.everySeconds=60",
    "modes.linkLoss=stall",
    "modes.overflow=stall",
    "nbd.port=7",
  );
  const merged = withLive(config(), next);
  expect(merged).toMatchObject({
    drills: { command: "true", everySeconds: 60 },
    modes: { linkLoss: "stall", overflow: "track" },
  });
  expect(merged.nbd.port).toBe(10809);
  expect(changesOf(merged, next)).toEqual({ taken: [], waiting: ["nbd.port", "modes.overflow"] });
});

test("another certificate of the API is taken where there was one before; with TLS itself it begins and ends at a start", () => {
  const secured = (name: string) => config(`http.tls.certFile=/${name}.pem`, `http.tls.keyFile=/${name}-key.pem`);
  const keys = ["http.tls.certFile", "http.tls.keyFile"];
  expect(changesOf(secured("old"), secured("new"))).toEqual({ taken: keys, waiting: [] });
  expect(withLive(secured("old"), secured("new")).http.tls.certFile).toBe("/new.pem");
  for (const [old, next] of [
    [config(), secured("new")],
    [secured("old"), config()],
  ] as const) {
    expect(changesOf(old, next)).toEqual({ taken: [], waiting: keys });
    expect(withLive(old, next).http).toEqual(old.http);
  }
});
