import { expect, test } from "vitest";
import { loggedReadBytes } from "./read-counter.ts";

test("what nbdkit's log says was read is counted once, and nothing else", () => {
  const lines = [
    '2026-11-21 15:07:32.169648 connection=1 Connect export="" tls=0 size=0x800000 write=1',
    "2026-11-21 15:07:32.170574 connection=1 Read id=1 offset=0x0 count=0x40000 ...",
    "2026-11-21 15:07:32.170621 connection=1 ...Read id=1 return=0",
    "2026-11-21 15:07:32.170784 connection=1 Write id=2 offset=0x40000 count=0x1000 ...",
    "2026-11-21 15:07:32.170784 connection=1 Extents id=3 offset=0x40000 count=0x1000 req_one=0 ...",
    "2026-11-21 15:07:32.170784 connection=1 Read id=4 offset=0x40000 count=0x200 ...",
  ];
  expect(loggedReadBytes(lines)).toBe(0x40200);
});
