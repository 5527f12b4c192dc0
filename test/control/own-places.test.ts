import { hostname } from "node:os";
import { expect, test } from "vitest";
import { loadConfig } from "#src/control/config.ts";
import { refuseOwn } from "#src/control/own-places.ts";
import type { SocketAddress } from "#src/host/socket.ts";

const { config } = loadConfig({ environment: {}, assignments: ["data=/srv/tidemark"], folder: "/" });
const everywhere = { kind: "tcp", host: "0.0.0.0", port: 10809 } as const;
const loopback = { kind: "tcp", host: "127.0.0.1", port: 10809 } as const;
const socket = { kind: "unix", path: "/run/nbd.sock" } as const;

test.each<[string, SocketAddress]>([
  ["nbd://127.0.0.1/disk", everywhere],
  ["nbd://localhost:10809/disk", everywhere],
  ["nbd://[::1]/disk", everywhere],
  [`nbd://${hostname()}/disk`, everywhere],
  ["nbds://127.0.0.1/", loopback],
  ["nbd+unix:///disk?socket=/run/../run/nbd.sock", socket],
])("%s is an export of a program that listens on %j", (source, address) => {
  expect(() => refuseOwn(config, [address], source)).toThrow("is a volume of this program itself");
});

test.each<[string, SocketAddress]>([
  ["nbd://192.0.2.1/disk", everywhere],
  ["nbd://127.0.0.1:10810/disk", everywhere],
  ["nbd://192.0.2.1/disk", loopback],
  ["nbd+unix:///disk?socket=/run/other.sock", socket],
  ["nbd://127.0.0.1/disk", socket],
  ["/srv/tidemark/demo.img", loopback],
  ["/srv/tidemark/remote.img", loopback],
])("%s is none of a program that listens on %j", (source, address) => {
  expect(() => refuseOwn(config, [address], source)).not.toThrow();
});

test("a file in the folder of a store that lies elsewhere is no source", () => {
  const assignments = ["data=/srv/tidemark", "store.folder=/mnt/store"];
  const { config: elsewhere } = loadConfig({ environment: {}, assignments, folder: "/" });
  const object = "/mnt/other/../store/segments/000000000001.0000";
  expect(() => refuseOwn(elsewhere, [], object)).toThrow("that Tidemark itself keeps in /mnt/store");
  expect(() => refuseOwn(elsewhere, [], "/mnt/store.img")).not.toThrow();
});
