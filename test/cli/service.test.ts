/** The program as a service manager has it: it says when it is ready, and reads its configuration again when it is told to. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { needPrograms } from "#test/clients/harness.ts";
import { temporaryFolder } from "#test/host/node/temporary-folder.ts";
import { Program } from "#test/oracle/program.ts";
import { whenSeen } from "#test/patience.ts";
import { launcher } from "./running-program.ts";

needPrograms("systemd-notify", "python3");

/** Prints what it is told, line by line: Node has no sockets of this kind. */
const manager = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listens", flush=True)
while True: print(s.recv(4096).decode(), flush=True)`;

async function serviceManager(path: string): Promise<{ readonly child: ChildProcess; readonly said: string[] }> {
  const child = spawn("python3", ["-c", manager, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill());
  const said: string[] = [];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => said.push(...text.split("\n")));
  await once(child.stdout as NonNullable<typeof child.stdout>, "data");
  return { child, said };
}

test("it tells when it is ready and when it stops, and takes over what can be changed while it runs", async () => {
  const folder = temporaryFolder();
  const { said } = await serviceManager(join(folder, "notify"));
  const file = join(folder, "tidemark.yaml");
  const write = (...lines: readonly string[]) =>
    writeFileSync(file, ["http.port: 0", "nbd.port: 0", ...lines].join("\n"));
  writeFileSync(join(folder, "token"), "a-token-that-is-long-enough\n");
  write("http.tokenFile: token");
  const line = [process.execPath, launcher, "up", "--config", file, "--data", join(folder, "data")] as const;
  const environment = { NOTIFY_SOCKET: join(folder, "notify") };
  const up = new Program("up", [...line], { environment });
  await whenSeen(() => expect(said).toContain("READY=1"));

  writeFileSync(join(folder, "token"), "a-token-that-is-another-one\n");
  write("http.tokenFile: token", "log.level: debug", "modes.degradeAfterSeconds: 5", "copy.bytesPerSecond: 1M");
  process.kill(up.processId, "SIGHUP");
  await whenSeen(() => {
    expect(up.stderr).toContain(
      "in force now: modes.degradeAfterSeconds, log.level; in force after a restart: copy.bytesPerSecond, " +
        "http.tokenFile (the file has another content)\n",
    );
  });
  write("log.level: loud");
  process.kill(up.processId, "SIGHUP");
  await whenSeen(() => expect(up.stderr).toContain("the configuration stays as it is: "));

  await up.stop();
  await whenSeen(() => expect(said).toContain("STOPPING=1"));
});
