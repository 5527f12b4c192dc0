/** Where what is to be attached is served: a volume of an interceptor, or a view of a remote appliance, which often runs alone. */
import { resolve } from "node:path";
import type { StatusReport } from "#src/control/control-plane.ts";
import type { ViewFacts } from "#src/control/view.ts";
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
): Promise<FoundExport> {
  // Not its list of volumes: where no interceptor runs that is refused, and views are there all the same.
  const { volumes, roles } = (await api.ask("GET", ["status"])) as StatusReport;
  const volume = volumes.find((one) => one.name === name);
  if (volume !== undefined) {
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

function withCertificates(uri: string, folder: string | undefined): string {
  return folder === undefined
    ? uri
    : formatNbdUri({ ...parseNbdUri(uri), tlsCertificates: resolve(workingFolder(), folder) });
}
