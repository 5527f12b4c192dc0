/** Volumes by the names that people give. */
import { expect, test } from "vitest";
import { earlierNames, findVolume, nameNow, ownName, type VolumesOfGroup } from "#src/control/volume-of-group.ts";

function groupOf(id: string, name: string, ...names: readonly string[]): VolumesOfGroup {
  const volumes = names.map((one, index) => ({ number: index + 1, id: `${id}-${index}`, name: one, sizeBytes: 4096 }));
  return { id, name, durable: 9, volumes } as unknown as VolumesOfGroup;
}

const groups = [groupOf("1", "east", "disk", "logs"), groupOf("2", "west", "disk", "disk")];

test("a name that only one group has a volume of is enough", () => {
  expect(findVolume(groups, "logs").group.name).toBe("east");
  expect(() => findVolume(groups, "log")).toThrow("did you mean 'logs'?");
});

test("where several groups have one, GROUP/VOLUME says which, and the newest of its name counts", () => {
  expect(() => findVolume(groups, "disk")).toThrow("several groups have a volume 'disk': say which one, of east/disk");
  expect(findVolume(groups, "east/disk").volume.number).toBe(1);
  const { group, volume } = findVolume(groups, "west/disk");
  expect([group.name, volume.number]).toEqual(["west", 2]);
  expect(() => findVolume(groups, "north/disk")).toThrow("no volume");
});

test("of one that was removed and added again the earlier one is there by its number, and is told of", () => {
  const found = findVolume(groups, "west/disk#1");
  expect([found.group.name, found.volume.number, earlierNames(found, "west/disk#1")]).toEqual(["west", 1, []]);
  expect(earlierNames(findVolume(groups, "west/disk"), "west/disk")).toEqual(["west/disk#1"]);
  expect(findVolume(groups, "disk#2").group.name).toBe("west");
  expect(() => findVolume(groups, "disk#1")).toThrow("say which one, of east/disk#1, west/disk#1");
  expect(() => findVolume(groups, "west/disk#3")).toThrow("no volume");
  for (const group of groups) {
    for (const volume of group.volumes) {
      expect(findVolume(groups, ownName({ group, volume }))).toEqual({ group, volume });
      const named = { group: group.id, groupName: group.name, volume: volume.number, volumeName: volume.name };
      expect(findVolume(groups, nameNow(groups, named))).toEqual({ group, volume });
    }
  }
});

test("where it is not known which volumes a group has, nobody is told that there is none of the name", () => {
  const dark = { ...groupOf("3", "3"), why: "/group.json is damaged" };
  expect(() => findVolume([...groups, dark], "log")).toThrow(
    "no volume 'log'; it may be in group 3, of which it knows none: /group.json is damaged",
  );
  expect(findVolume([...groups, dark], "logs").group.name).toBe("east");
});

test("where groups have one name too, their ids say which", () => {
  const [old, anew] = ["00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"];
  const twins = [
    groupOf(old as string, "disk", "disk"),
    groupOf(anew as string, "disk", "disk"),
    groupOf("3", "east", "disk"),
  ];
  expect(() => findVolume(twins, "disk/disk")).toThrow("say which one, of 00112233/disk, ffeeddcc/disk");
  expect(() => findVolume(twins, "disk")).toThrow("of 00112233/disk, ffeeddcc/disk, east/disk");
  expect(findVolume(twins, "ffeeddcc/disk").group.id).toBe(anew);
});
