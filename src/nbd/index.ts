/** The package's export `tidemark/nbd`: an NBD server and client as a library that knows nothing of Tidemark. */

export { openBlockDevice } from "#src/host/node/block-device.ts";
export { nodeClock } from "#src/host/node/clock.ts";
export { nodeSockets } from "#src/host/node/sockets.ts";
export { type BlockStatus, NbdClient, type NbdClientFlags } from "./client/client.ts";
export { type ConnectOptions, connect, describeExport, type ExportDescription, listExports } from "./client/connect.ts";
export {
  NbdConnectionError,
  NbdOptionError,
  NbdProtocolError,
  NbdRequestError,
  NbdServerError,
} from "./client/errors.ts";
export type { ExportSummary, Wants } from "./client/handshake.ts";
export type { ReportedExtent } from "./client/operation.ts";
export type { ClientTls } from "./client/session.ts";
export { DeviceExport, type DeviceExportOptions } from "./device-export.ts";
export type { ExportDirectory, ExportFeatures, ExportRequest, NbdExport, StatusExtent } from "./export.ts";
export type { TlsPolicy } from "./handshake.ts";
export { NbdServer } from "./server.ts";
export type { NbdServerOptions, ServerEvent } from "./server-context.ts";
export { formatNbdUri, type NbdUri, NbdUriError, parseNbdUri } from "./uri.ts";
