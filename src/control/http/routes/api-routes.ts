/** All of the control API that is served by the control plane. */
import type { ControlPlane } from "../../control-plane.ts";
import type { AuditLog } from "../audit-log.ts";
import type { EventStream } from "../events/event-stream.ts";
import type { Route } from "../route.ts";
import type { TokenBook } from "../token-book.ts";
import { auditRoutes } from "./audit.ts";
import { drillRoutes } from "./drills.ts";
import { eventRoutes } from "./events.ts";
import { groupRoutes } from "./groups.ts";
import { healthRoutes } from "./health.ts";
import { pointRoutes } from "./points.ts";
import { restoreRoutes } from "./restores.ts";
import { snapshotRoutes } from "./snapshots.ts";
import { statusRoutes } from "./status.ts";
import { storeRoutes } from "./store.ts";
import { tokenRoutes } from "./tokens.ts";
import { viewRoutes } from "./views.ts";
import { volumeRoutes } from "./volumes.ts";

export interface RouteParts {
  readonly control: ControlPlane;
  readonly tokens: TokenBook;
  readonly audit: AuditLog;
  readonly events: EventStream;
}

export function apiRoutes({ control, tokens, audit, events }: RouteParts): readonly Route[] {
  return [
    ...healthRoutes(control),
    ...statusRoutes(control),
    ...volumeRoutes(control),
    ...groupRoutes(control, (draft) => events.publish(draft)),
    ...pointRoutes(control.views),
    ...snapshotRoutes(control.snapshots),
    ...viewRoutes(control.views),
    ...restoreRoutes(control.restores),
    ...drillRoutes(control.views),
    ...storeRoutes(control.store),
    ...eventRoutes(events),
    ...tokenRoutes(tokens, () => events.endUnknown()),
    ...auditRoutes(audit),
  ];
}
