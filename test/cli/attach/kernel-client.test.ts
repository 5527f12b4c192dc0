import { expect, test } from "vitest";
import { connectArguments, freeKernelDevices } from "#src/cli/attach/kernel-client.ts";
import { PlayedPrograms } from "./played-programs.ts";

test("a device is free that nobody has connected, and that has no size", () => {
  const programs = new PlayedPrograms();
  programs.folders.set("/sys/block", ["loop0", "nbd0", "nbd1", "nbd10", "nbd2"]);
  programs.texts.set("/sys/block/nbd0/pid", "17\n");
  programs.texts.set("/sys/block/nbd2/size", "2048\n");
  programs.texts.set("/sys/block/nbd1/size", "0\n");
  expect(freeKernelDevices(programs)).toEqual(["/dev/nbd1", "/dev/nbd10"]);
});

test("the kernel is told of a port, a socket, and of what it may do", () => {
  const connect = (uri: string, isReadOnly = false) =>
    connectArguments({ uri, device: "/dev/nbd0", isReadOnly }).join(" ");
  expect(connect("nbd://127.0.0.1:10810/disk")).toBe("127.0.0.1 10810 /dev/nbd0 -N disk -timeout 60");
  expect(connect("nbd+unix:///disk?socket=/run/a.sock", true)).toBe(
    "-unix /run/a.sock /dev/nbd0 -N disk -timeout 60 -readonly",
  );
  expect(() => connect("nbds://far.example/disk")).toThrow("give --tls-certificates FOLDER");
  expect(connect("nbds://far.example/disk?tls-certificates=/etc/pki")).toContain(
    "-enable-tls -cacertfile /etc/pki/ca-cert.pem -certfile /etc/pki/client-cert.pem -keyfile /etc/pki/client-key.pem",
  );
});
