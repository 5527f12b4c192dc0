/** Lets the one receiver that a connection takes be another one in each phase. */
import type { Receiver } from "#src/host/socket.ts";

export class Relay implements Receiver {
  receiver: Receiver;

  constructor(receiver: Receiver) {
    this.receiver = receiver;
  }

  target(): Buffer {
    return this.receiver.target();
  }

  received(buffer: Buffer, byteLength: number): boolean {
    return this.receiver.received(buffer, byteLength);
  }

  drained(): void {
    this.receiver.drained();
  }

  ended(): void {
    this.receiver.ended();
  }

  closed(error?: Error): void {
    this.receiver.closed(error);
  }
}
