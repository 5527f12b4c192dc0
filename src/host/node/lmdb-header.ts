/**
 * Looks at a file before LMDB does. Its binding for Node does not survive that a file cannot be opened: it ends the process
 * instead of throwing. So what it would refuse, and what would make it reach beyond the file, is refused here.
 *
 * The file begins with two pages that say what it is, written in turn. Of each matter, from the page's start on: its kind
 * (2 bytes at 18), a magic number (24), a version (28), how much of memory the file may take (40), the size of a page (48),
 * the number of the last page (144) and the number of the change that wrote it (152).
 */
import fs from "node:fs";
import { divCeil } from "#src/core/byte-range.ts";
import { GiB } from "#src/core/limits.ts";
import { getLe16, getLe32, getLe64 } from "#src/core/little-endian.ts";
import { SortedMapError } from "../sorted-map.ts";

const headBytes = 168;
const headCount = 2;
const kindOfHead = 0x08;
const magic = 0xbeefc0de;
const version = 2;
const pageBytesMin = 512;
const pageBytesMax = 65_536;
/** Far more than any file has, and what a process may take of memory's addresses. */
const mapBytesMax = 2 ** 45;
/** A file may lack pages at its end that are free. There are not as many as that. */
const lackBytesMax = 1 * GiB;
/** What a file that is new takes, with what is beside it. */
const newBytes = 64 * 1024;

/** Throws a `SortedMapError` where there is no use in opening it, and a system error where it cannot be made or opened. */
export function prepareFile(path: string): void {
  const fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  try {
    const sizeBytes = fs.fstatSync(fd).size;
    if (sizeBytes === 0) findRoom(fd);
    else fillUp(fd, sizeBytes);
  } finally {
    fs.closeSync(fd);
  }
}

/** Takes it and gives it back: another may be quicker, and then the process ends and is started again. */
function findRoom(fd: number): void {
  try {
    fs.writeSync(fd, Buffer.alloc(newBytes, 1), 0, newBytes, 0);
  } finally {
    fs.ftruncateSync(fd, 0);
  }
}

/** Pages that a damaged tree leads to are zeros then, which LMDB refuses; beyond the end they would end the process. */
function fillUp(fd: number, sizeBytes: number): void {
  const heads: Buffer[] = [];
  for (let at = 0; heads.length < headCount; at += pageBytesOf(heads[0] as Buffer)) heads.push(readHead(fd, at));
  const pageBytes = pageBytesOf(heads[0] as Buffer);
  for (const head of heads) {
    const neededBytes = (getLe64(head, 144) + 1) * pageBytes;
    if (pageBytesOf(head) !== pageBytes) refuse();
    if (neededBytes > sizeBytes + lackBytesMax || neededBytes > getLe64(head, 40)) refuse();
  }
  const newest = heads.reduce((a, b) => (getLe64(b, 152) > getLe64(a, 152) ? b : a));
  const neededBytes = Math.max(divCeil(sizeBytes, pageBytes), getLe64(newest, 144) + 1) * pageBytes;
  if (neededBytes > sizeBytes) fs.ftruncateSync(fd, neededBytes);
}

function readHead(fd: number, position: number): Buffer {
  const head = Buffer.alloc(headBytes);
  const count = fs.readSync(fd, head, 0, headBytes, position);
  const isHead =
    count === headBytes &&
    getLe16(head, 18) === kindOfHead &&
    getLe32(head, 24) === magic &&
    getLe32(head, 28) === version &&
    getLe64(head, 40) <= mapBytesMax;
  if (!isHead) refuse();
  pageBytesOf(head);
  return head;
}

function pageBytesOf(head: Buffer): number {
  const pageBytes = getLe32(head, 48);
  const isPowerOfTwo = (pageBytes & (pageBytes - 1)) === 0;
  if (pageBytes < pageBytesMin || pageBytes > pageBytesMax || !isPowerOfTwo) refuse();
  return pageBytes;
}

function refuse(): never {
  throw new SortedMapError("it is no map, or does not say of itself what it should");
}
