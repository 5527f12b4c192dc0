/** A client that does nothing wrong and must never notice what others do. */
import { assert } from "#src/core/assert.ts";
import type { SeededRandom } from "#test/sim/seeded-random.ts";
import { opening, request, type } from "./client-bytes.ts";
import type { MemoryConnection } from "./memory-connection.ts";
import { ScriptedExport } from "./scripted-export.ts";

const simpleHeaderBytes = 16;

export class Bystander {
  readonly target: ScriptedExport;
  #connection: MemoryConnection | undefined;

  constructor(content: Buffer) {
    this.target = new ScriptedExport({ sizeBytes: content.length });
    content.copy(this.target.bytes);
  }

  come(connection: MemoryConnection): void {
    this.#connection = connection;
    connection.deliver(Buffer.concat(opening("simple", [], "calm")));
    connection.takeOutput();
  }

  /** Reads some range, and has the answer at once. */
  readsOn(random: SeededRandom): void {
    const connection = this.#connection as MemoryConnection;
    const length = random.between(1, 3000);
    const offset = random.integerBelow(this.target.sizeBytes - length);
    connection.deliver(request("simple", { type: type.read, cookie: 5n, offset, length }));
    const reply = connection.takeOutput();
    assert(reply.length === simpleHeaderBytes + length && reply.readUInt32BE(4) === 0, "a bystander is answered");
    assert(
      reply.subarray(simpleHeaderBytes).equals(this.target.bytes.subarray(offset, offset + length)),
      "a bystander reads what is there",
    );
  }
}
