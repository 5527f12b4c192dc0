/** Where what is to be attached is served: a volume of an interceptor, or a view of a remote appliance, which often runs alone. */
import { resolve } from "node:path";
import type { StatusReport, VolumeReport } from "#src/control/control-plane.ts";
import type { ViewFacts } from "#src/control/view.ts";
import { attachOpenLookMs, attachOpenMs } from "#src/core/attach-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import { nodeClock } from "#src/host/node/clock.ts";
import { workingFolder } from "#src/host/node/environment.ts";
import { formatNbdUri, parseNbdUri } from "#src/nbd/uri.ts";
import type { ApiClient } from "../api-client.ts";

export interface FoundExport {
  readonly uri: string;
  readonly isReadOnly: boolean;
}

/** A volume; where there is none of that name, a view. */
export async function foundExport(
  api: Pick<ApiClient, "ask">,
  name: string,
  certificates: string | undefined,
  clock: Pick<Clock, "monotonicMs" | "timer"> = nodeClock,
): Promise<FoundExport> {
  const { volume, roles } = await lookedFor(api, name, clock);
  if (volume !== undefined) {
    if (noExport.has(volume.state)) throw new Error(notOpen(volume));
    const [uri] = volume.uris;
    if (uri === undefined)
      throw new Error(`${name} is nowhere to be attached: nbd.port is off, and there is no nbd.socket`);
    return { uri: withCertificates(uri, certificates), isReadOnly: false };
  }
  const { views } = (await api.ask("GET", ["views"])) as { readonly views: readonly ViewFacts[] };
  const view = views.find((one) => one.name === name);
  if (view === undefined) {
    const where = roles.includes("interceptor")
      ? "'tidemark volume ls' lists volumes"
      : "volumes are the interceptor's, which does not run here: name its API, with --api URL";
    throw new Error(`there is no volume and no view '${name}'; ${where}`);
  }
  if (view.state !== "open")
    throw new Error(`the view ${name} is ${view.state}${view.why === undefined ? "" : `: ${view.why}`}`);
  return { uri: withCertificates(view.uri, certificates), isReadOnly: !view.writable };
}

/** One that is being opened is waited for: a program that has just been started opens its volumes one by one. */
async function lookedFor(api: Pick<ApiClient, "ask">, name: string, clock: Pick<Clock, "monotonicMs" | "timer">) {
  for (const untilMs = clock.monotonicMs() + attachOpenMs; ; ) {
    // Not its list of volumes: where no interceptor runs that is refused, and views are there all the same.
    const { volumes, roles } = (await api.ask("GET", ["status"])) as StatusReport;
    const volume = volumes.find((one) => one.name === name);
    if (volume?.state !== "opening" || clock.monotonicMs() >= untilMs) return { volume, roles };
    await new Promise<void>((resolve) => void clock.timer(attachOpenLookMs, resolve));
  }
}

/** States in which there is nothing that could be attached. */
const noExport: ReadonlySet<VolumeReport["state"]> = new Set(["opening", "failed"]);

function notOpen({ name, state, why }: VolumeReport): string {
  const what = state === "failed" ? "could not be opened" : "is still being opened";
  return `volume ${name} ${what}${why === undefined ? "" : `: ${why}`}; attach it when 'tidemark volume ls' shows it open`;
}

function withCertificates(uri: string, folder: string | undefined): string {
  return folder === undefined
    ? uri
    : formatNbdUri({ ...parseNbdUri(uri), tlsCertificates: resolve(workingFolder(), folder) });
}
