/**
 * The few calls that Node does not offer: holes in files, reads that do not wait, a look at a socket without the
 * event loop, memory that is given back. Every caller has another way when `libc` is undefined.
 */
import { type ForeignLibrary, openLibrary } from "./foreign-library.ts";

/** Linux on 64 bits: the numbers of its system call interface. */
const seekData = 3;
const seekHole = 4;
const fallocateKeepSize = 1;
const fallocatePunchHole = 2;
const fallocateZeroRange = 16;
const messageDontWait = 0x40;
const messageNoSignal = 0x4000;
const readNoWait = 8;
const adviceWillNeed = 3;
const lockExclusive = 2;
const lockDontWait = 4;

export const errorNumber = {
  tryAgain: 11,
  notPermitted: 1,
  interrupted: 4,
  noDevice: 6,
  invalid: 22,
  notSupported: 95,
  noSystemCall: 38,
} as const;

/** Results below zero are negated error numbers. */
export interface Libc {
  punchHole(fd: number, position: number, lengthBytes: number): number;
  zeroRange(fd: number, position: number, lengthBytes: number): number;
  /** The first byte at or after `position` that is data, or in a hole; at the end of the file `errorNumber.noDevice`. */
  nextData(fd: number, position: number): number;
  nextHole(fd: number, position: number): number;
  readNoWait(fd: number, buffer: Buffer, start: number, lengthBytes: number, position: number): number;
  willNeed(fd: number, position: number, lengthBytes: number): void;
  /** Receives what lies there, into the whole of `buffer`, without waiting. */
  receiveNow(fd: number, buffer: Buffer): number;
  /** Locks an open file for this process alone; `errorNumber.tryAgain` if another has it. Goes with the descriptor. */
  lock(fd: number): number;
  /** Sends as much as the socket takes without waiting. */
  sendNow(fd: number, buffer: Buffer, start: number, lengthBytes: number): number;
  /** Of memory that all threads have freed, the pages that are whole: the C library would keep them for what may come. */
  giveBackFreePages(): void;
}

function bind(library: ForeignLibrary): Libc {
  const { get, addressOf: address } = library;
  const fallocate = get("fallocate64", { arguments: ["i32", "i32", "i64", "i64"], return: "i32" });
  const seek = get("lseek64", { arguments: ["i32", "i64", "i32"], return: "i64" });
  const read = get("preadv64v2", { arguments: ["i32", "pointer", "i32", "i64", "i32"], return: "i64" });
  const advise = get("posix_fadvise64", { arguments: ["i32", "i64", "i64", "i32"], return: "i32" });
  const receive = get("recv", { arguments: ["i32", "pointer", "u64", "i32"], return: "i32" });
  const send = get("send", { arguments: ["i32", "pointer", "u64", "i32"], return: "i64" });
  const trim = get("malloc_trim", { arguments: ["u64"], return: "i32" });
  const flock = get("flock", { arguments: ["i32", "i32"], return: "i32" });
  const errorLocation = get("__errno_location", { arguments: [], return: "pointer" });

  // It lies at the same place as long as the thread lives.
  const errorAddress = errorLocation() as bigint;
  const lastError = (): number => -library.readInt32(errorAddress);
  const checked = (result: bigint | number): number => (result < 0 ? lastError() : Number(result));
  /** Sockets are looked at in vain many times in a row: nothing is made anew for that. */
  let receiveBytes = 0;
  let receiveLength = 0n;
  /** One iovec: base, length. */
  const vector = new BigUint64Array(2);
  const vectorAddress = address(Buffer.from(vector.buffer));

  /** A signal may interrupt it, and then it is not done: some file systems look for one before they begin. */
  const allocate = (fd: number, mode: number, position: number, lengthBytes: number): number => {
    for (;;) {
      const result = checked(fallocate(fd, mode | fallocateKeepSize, BigInt(position), BigInt(lengthBytes)));
      if (result !== -errorNumber.interrupted) return result;
    }
  };

  return {
    punchHole: (fd, position, lengthBytes) => allocate(fd, fallocatePunchHole, position, lengthBytes),
    zeroRange: (fd, position, lengthBytes) => allocate(fd, fallocateZeroRange, position, lengthBytes),
    nextData: (fd, position) => checked(seek(fd, BigInt(position), seekData)),
    nextHole: (fd, position) => checked(seek(fd, BigInt(position), seekHole)),
    readNoWait: (fd, buffer, start, lengthBytes, position) => {
      vector[0] = address(buffer) + BigInt(start);
      vector[1] = BigInt(lengthBytes);
      return checked(read(fd, vectorAddress, 1, BigInt(position), readNoWait));
    },
    willNeed: (fd, position, lengthBytes) => {
      advise(fd, BigInt(position), BigInt(lengthBytes), adviceWillNeed);
    },
    lock: (fd) => checked(flock(fd, lockExclusive | lockDontWait)),
    sendNow: (fd, buffer, start, lengthBytes) =>
      checked(send(fd, address(buffer) + BigInt(start), BigInt(lengthBytes), messageDontWait | messageNoSignal)),
    giveBackFreePages: () => {
      trim(0n);
    },
    receiveNow: (fd, buffer) => {
      if (buffer.length !== receiveBytes) {
        receiveBytes = buffer.length;
        receiveLength = BigInt(receiveBytes);
      }
      return checked(receive(fd, address(buffer), receiveLength, messageDontWait));
    },
  };
}

function load(): Libc | undefined {
  const library = openLibrary(() => "libc.so.6");
  if (library === undefined) return undefined;
  try {
    return bind(library);
  } catch {
    return undefined;
  }
}

export const libc: Libc | undefined = load();
