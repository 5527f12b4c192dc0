/** Orders, as they are noted: in the audit log before and after, as an event, and in the program's log. */
import { auditPatienceMs } from "#src/core/http-limits.ts";
import type { Clock } from "#src/host/clock.ts";
import type { Log } from "#src/host/log.ts";
import type { AuditLog } from "./audit-log.ts";
import type { Caller } from "./caller.ts";
import type { EventStream } from "./events/event-stream.ts";

export interface Order {
  readonly caller: Caller;
  readonly method: string;
  readonly target: string;
  /** What is done there, in words. */
  readonly action: string;
  /** What it asks for, where the address is asked for something. */
  readonly body: Readonly<Record<string, unknown>> | undefined;
}

export interface OrderRecordParts {
  readonly audit: AuditLog;
  readonly events: EventStream;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Outcome {
  readonly status: number;
  readonly why?: string;
}

export class OrderRecord {
  readonly #parts: OrderRecordParts;

  constructor(parts: OrderRecordParts) {
    this.#parts = parts;
  }

  /** Resolves when it is noted durably, or has waited long enough for that. Answers what notes the outcome. */
  async begin({ caller, method, target, action, body }: Order): Promise<(outcome: Outcome) => void> {
    const { audit, events, log } = this.#parts;
    const { name: who, role, address: from } = caller;
    const order = body !== undefined && Object.keys(body).length > 0 ? { order: body } : {};
    const noted = audit.add({ kind: "order", who, role, from, method, target, ...order });
    await this.#patiently(noted);
    return (outcome) => {
      void noted.then(({ number }) => audit.add({ kind: "outcome", of: number, ...outcome }));
      events.publish({ kind: "audit", facts: { who, action, does: `${method} ${target}`, ...outcome } });
      if (outcome.status < 400) log.info("an order was carried out", { who, method, target, ...order });
    };
  }

  async #patiently(noted: Promise<unknown>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#parts.clock.timer(auditPatienceMs, resolve);
    await Promise.race([noted, promise]);
    timer.cancel();
  }
}
