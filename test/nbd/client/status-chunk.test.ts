import { describe, expect, test } from "vitest";
import { nbdClientExtentsKeptMax } from "#src/core/nbd-limits.ts";
import { nbdError, replyType } from "#src/nbd/constants.ts";
import { chunked, expectBroken, failure, none } from "./replies.ts";
import { type ChunkSpec, chunk, type HeardRequest, numbers, open } from "./scripted-peer.ts";

describe.each(chunked)("block status in %s style", (style) => {
  const extended = style === "extended";
  const bits = extended ? 64 : 32;
  const type = extended ? replyType.blockStatusExtended : replyType.blockStatus;
  const contextIds = [7, 9];

  function status(
    id: number,
    extents: readonly (readonly [number, number])[],
    isLast = true,
    count = extents.length,
  ): ChunkSpec {
    const head = extended ? numbers([32, id], [32, count]) : numbers([32, id]);
    const rest = extents.map(([lengthBytes, flags]) => numbers([bits, lengthBytes], [bits, flags]));
    return { type, payload: Buffer.concat([head, ...rest]), isLast };
  }

  async function answerStatus(specs: readonly ChunkSpec[], one = false) {
    const opened = await open({ style, contextIds });
    const asking = opened.client.blockStatus(0, 8192, { one });
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(...specs.map((spec) => chunk(style, request, spec)));
    opened.clock.turn();
    return { ...opened, asking };
  }

  test("brings each context's extents under its name, in any order", async () => {
    const { asking } = await answerStatus([
      status(9, [[512, 0xffffffff]], false),
      status(
        7,
        [
          [4096, 3],
          [65536, 0],
        ],
        false,
      ),
      none,
    ]);
    expect(await asking).toEqual(
      new Map([
        [
          "x:7",
          [
            { lengthBytes: 4096, status: 3, statusHigh: 0 },
            { lengthBytes: 65536, status: 0, statusHigh: 0 },
          ],
        ],
        ["x:9", [{ lengthBytes: 512, status: 0xffffffff, statusHigh: 0 }]],
      ]),
    );
  });

  test("keeps a bounded number of extents and checks the rest", async () => {
    const opened = await open({ style, contextIds: [7] });
    const count = nbdClientExtentsKeptMax + 10;
    const asking = opened.client.blockStatus(0, count);
    const [request] = opened.requests() as [HeardRequest];
    opened.wire.say(
      chunk(
        style,
        request,
        status(
          7,
          Array.from({ length: count }, (_, index) => [1, index & 1]),
        ),
      ),
    );
    expect((await asking).get("x:7")).toHaveLength(nbdClientExtentsKeptMax);
  });

  test.each([
    ["a context that was not agreed upon", [status(8, [[512, 0]])], "not agreed upon"],
    ["a context twice", [status(7, [[512, 0]], false), status(7, [[512, 0]])], "a metadata context twice"],
    ["a context left out", [status(7, [[512, 0]])], "leaves metadata contexts out"],
    ["no context at all", [none], "leaves metadata contexts out"],
    [
      "an empty extent",
      [
        status(7, [
          [512, 0],
          [0, 1],
        ]),
      ],
      "an empty extent",
    ],
    [
      "extents after all is said",
      [
        status(7, [
          [8192, 0],
          [512, 1],
        ]),
      ],
      "goes on after all is said",
    ],
    ["no extents", [status(7, [])], "cannot have"],
    ["half an extent", [{ type, payload: Buffer.alloc(extended ? 16 : 8) }], "cannot have"],
    [
      "more extents than any server should send",
      [{ type, payloadBytes: extended ? 8 + 16 * 2 ** 21 : 4 + 8 * 2 ** 21 }],
      "cannot have",
    ],
    [
      "the other style's extents",
      [
        {
          type: extended ? replyType.blockStatus : replyType.blockStatusExtended,
          payload: Buffer.alloc(extended ? 12 : 24),
        },
      ],
      "cannot have",
    ],
  ])("refuses %s", async (_, specs, words) => {
    const { asking, ...opened } = await answerStatus(specs);
    await expectBroken(opened, asking, words);
  });

  test("has exactly one extent within the range if that was asked for", async () => {
    const several = await answerStatus(
      [
        status(7, [
          [512, 0],
          [512, 1],
        ]),
      ],
      true,
    );
    await expectBroken(several, several.asking, "several extents");
    const long = await answerStatus([status(7, [[8193, 0]])], true);
    await expectBroken(long, long.asking, "too long");
  });

  test("fails as a whole when one context's part does, and can be asked again", async () => {
    const { asking, client, requests, wire } = await answerStatus([status(7, [[512, 0]], false), failure(nbdError.io)]);
    await expect(asking).rejects.toMatchObject({ code: "EIO" });
    const again = client.blockStatus(0, 8192);
    const [request] = requests() as [HeardRequest];
    const both = [status(7, [[512, 1]], false), status(9, [[512, 2]])];
    wire.say(...both.map((spec) => chunk(style, request, spec)));
    expect([...(await again).values()].map((extents) => extents[0]?.status)).toEqual([1, 2]);
  });
});

test("extended block status has lengths and flags of 64 bits, and counts its extents right", async () => {
  const answer = async (payload: Buffer) => {
    const opened = await open({ style: "extended", sizeBytes: 2 ** 50, contextIds: [7] });
    const asking = opened.client.blockStatus(0, 2 ** 45);
    const [request] = opened.requests() as [HeardRequest];
    expect(request.length).toBe(2 ** 45);
    opened.wire.say(chunk("extended", request, { type: replyType.blockStatusExtended, payload }));
    return { ...opened, asking };
  };
  const extent = Buffer.concat([numbers([64, 2 ** 40]), Buffer.from("8000000000000001", "hex")]);
  const { asking } = await answer(Buffer.concat([numbers([32, 7], [32, 1]), extent]));
  expect((await asking).get("x:7")).toEqual([{ lengthBytes: 2 ** 40, status: 1, statusHigh: 0x80000000 }]);
  const { asking: miscounted, ...opened } = await answer(Buffer.concat([numbers([32, 7], [32, 2]), extent]));
  await expectBroken(opened, miscounted, "a number of extents that is not there");
});
