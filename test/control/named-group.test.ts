import { expect, test } from "vitest";
import { groupNamed, groupOfVolume, volumeNamed } from "#src/control/named-group.ts";
import { UnknownNameError } from "#src/control/unknown-name.ts";

const [bank, shop] = [
  { name: "bank", volumeNames: ["disk", "log"] },
  { name: "shop", volumeNames: ["disk", "bank"] },
];
const groups = [bank, shop];

test("a volume is found by its name, or by its group's and its own", () => {
  expect(volumeNamed(groups, "log")).toEqual({ group: bank, name: "log" });
  expect(volumeNamed(groups, "shop/disk")).toEqual({ group: shop, name: "disk" });
});

test("where two groups have a volume of one name, it is said how to name each", () => {
  const words = "several groups have a volume 'disk': say which one, of bank/disk, shop/disk";
  expect(() => volumeNamed(groups, "disk")).toThrow(words);
  for (const find of [groupNamed, groupOfVolume]) expect(() => find(groups, "disk")).toThrow(words);
});

test("a volume's name stands for its group's", () => {
  for (const find of [groupNamed, groupOfVolume]) {
    expect(find(groups, "log")).toBe(bank);
    expect(find(groups, "shop/disk")).toBe(shop);
    expect(find(groups, "shop")).toBe(shop);
  }
});

test("of a group and a volume of one name the one comes first that the command is about", () => {
  expect(groupNamed(groups, "bank")).toBe(bank);
  expect(groupOfVolume(groups, "bank")).toBe(shop);
});

test("what there is not is said not to be there, with what is nearest", () => {
  expect(() => volumeNamed(groups, "lgo")).toThrow("there is no volume 'lgo'; did you mean 'log'?");
  expect(() => volumeNamed(groups, "bank/bank")).toThrow("there is no volume 'bank/bank'");
  expect(() => groupNamed(groups, "shpo")).toThrow("there is no group 'shpo'; did you mean 'shop'?");
  expect(() => groupNamed(groups, "lgo")).toThrow("there is no group 'lgo'; did you mean 'log'?");
  expect(() => groupNamed(groups, "none")).toThrow(UnknownNameError);
});
