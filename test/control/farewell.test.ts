import { describe, expect, test } from "vitest";
import { type Farewell, farewellText, type GroupFarewell, joinFarewells, noFarewell } from "#src/control/farewell.ts";

const group: GroupFarewell = { id: "a", name: "g", lastSeq: 12, received: 10, durable: 7, lagBytes: 20_480 };

function text(farewell: Partial<Farewell>): string {
  return farewellText({ ...noFarewell, ...farewell });
}

test("who had nothing to do has just stopped", () => {
  expect(text({})).toBe("stopped");
});

describe("of the source", () => {
  test("all is durable there", () => {
    const volumes = [
      { name: "a", writes: 1, isDurable: true },
      { name: "b", writes: 4, isDurable: true },
    ];
    expect(text({ writes: 5, volumes })).toBe("stopped: 5 writes since the start, all durable at the source");
  });

  test("there were no writes", () => {
    const volumes = [{ name: "a", writes: 0, isDurable: true }];
    expect(text({ volumes })).toBe("stopped: no writes since the start");
  });

  test("what was written to volumes that are not protected any more counts", () => {
    const volumes = [{ name: "a", writes: 0, isDurable: true }];
    expect(text({ writes: 7, volumes })).toBe("stopped: 7 writes since the start, all durable at the source");
  });

  test("a volume is named whose source may lack some", () => {
    const volumes = [
      { name: "a", writes: 1, isDurable: true },
      { name: "b", writes: 0, isDurable: false },
    ];
    expect(text({ writes: 1, volumes })).toBe(
      "stopped: 1 write since the start; what the source of b may lack, the next start brings there",
    );
  });
});

describe("of the remote appliance", () => {
  test("it has all", () => {
    expect(text({ groups: [{ ...group, durable: 12, received: 12 }] })).toBe(
      "stopped: all that was journaled is durable at the remote appliance",
    );
  });

  test("it lacks some, and some have never been sent", () => {
    expect(text({ groups: [group, { ...group, received: 12 }] })).toBe(
      "stopped: 10 records not durable at the remote appliance yet, 2 of them to send (it lacks 40.0 KiB)",
    );
  });

  test("it knows itself what it has, and says more only where nobody else does", () => {
    const local = { ...noFarewell, groups: [group] };
    const remote = { ...noFarewell, remoteGroups: [{ id: "a", received: 12, durable: 12 }] };
    expect(farewellText(joinFarewells([local, remote]))).toBe(
      "stopped: all that was journaled is durable at the remote appliance",
    );
    expect(joinFarewells([local, remote]).groups).toEqual([{ ...group, received: 12, durable: 12, lagBytes: 0 }]);
    expect(farewellText(joinFarewells([remote]))).toBe(
      "stopped: all that was received of 1 group durable in the journals",
    );
  });
});
