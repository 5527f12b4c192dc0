/** One connection of a crowd: speaks just enough NBD to ask, and counts the bytes it gets. */
import { connect, type Socket } from "node:net";
import { command, handshakeFlag, magic, option } from "#src/nbd/constants.ts";

const greetingBytes = 18;
/** Size and flags of the export, without the zeroes that may follow. */
const exportBytes = 10;
const requestBytes = 28;
export const replyHeaderBytes = 16;

export class CrowdMember {
  readonly #socket: Socket;
  #receivedBytes = 0;
  #awaited:
    | { readonly bytes: number; readonly resolve: () => void; readonly reject: (error: Error) => void }
    | undefined;
  #failure: Error | undefined;

  private constructor(socketPath: string) {
    this.#socket = connect(socketPath);
    this.#socket.on("data", (chunk) => this.#receive(chunk.length));
    this.#socket.on("error", (error) => this.#fail(error));
    this.#socket.on("close", () => this.#fail(new Error("the server hung up")));
  }

  /** Through the handshake, by the oldest and shortest way. */
  static async join(socketPath: string): Promise<CrowdMember> {
    const member = new CrowdMember(socketPath);
    await member.receive(greetingBytes);
    const choice = Buffer.alloc(20);
    choice.writeUInt32BE(handshakeFlag.fixedNewstyle | handshakeFlag.noZeroes, 0);
    choice.writeUInt32BE(magic.optionHigh, 4);
    choice.writeUInt32BE(magic.optionLow, 8);
    choice.writeUInt32BE(option.exportName, 12);
    member.send(choice);
    await member.receive(exportBytes);
    return member;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Leaves what comes to the kernel, and so to the server. */
  stopFetching(): void {
    this.#socket.pause();
  }

  /** Resolves with the arrival of the last of so many further bytes. */
  receive(bytes: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#awaited = { bytes, resolve, reject };
      this.#socket.resume();
      this.#receive(0);
    });
  }

  leave(): void {
    this.#socket.destroy();
  }

  #receive(bytes: number): void {
    this.#receivedBytes += bytes;
    const awaited = this.#awaited;
    if (awaited === undefined || this.#receivedBytes < awaited.bytes) return;
    this.#receivedBytes -= awaited.bytes;
    this.#awaited = undefined;
    awaited.resolve();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#awaited?.reject(this.#failure);
    this.#awaited = undefined;
  }
}

/** The header of a read or a write. */
export function requestHeader(kind: "read" | "write", position: number, lengthBytes: number): Buffer {
  const header = Buffer.alloc(requestBytes);
  header.writeUInt32BE(magic.request, 0);
  header.writeUInt16BE(command[kind], 6);
  header.writeBigUInt64BE(BigInt(position), 16);
  header.writeUInt32BE(lengthBytes, 24);
  return header;
}
