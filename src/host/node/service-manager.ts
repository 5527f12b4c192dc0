/**
 * Tells a service manager that started this program how far it is (sd_notify of systemd), by the program that comes with
 * systemd: Node has no sockets of that kind. Started by anything else, or without that program, nothing happens.
 */
import { spawn } from "node:child_process";

export type ServiceState = "ready" | "stopping";

const words: Readonly<Record<ServiceState, string>> = { ready: "READY=1", stopping: "STOPPING=1" };

export function tellServiceManager(state: ServiceState): void {
  if (process.env.NOTIFY_SOCKET === undefined) return;
  const child = spawn("systemd-notify", [words[state]], { stdio: ["ignore", "ignore", "inherit"] });
  // What it was started for goes on in any case.
  child.on("error", () => {});
  child.unref();
}
