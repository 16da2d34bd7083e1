import { describe, expect, test } from "vitest";
import {
  accountOf,
  isPrivateFile,
  isPrivateFolder,
  type FileAccess,
} from "../../src/core/values/private-files.ts";

const us = { uid: 1000, groups: [1000, 2000] };
const ours = (mode: number): FileAccess => ({ uid: 1000, gid: 1000, mode });
const othersFile = (mode: number, gid = 2000): FileAccess => ({ uid: 0, gid, mode });
/** A volume as Kubernetes mounts it with `fsGroup: 2000`. */
const volume = othersFile(0o42770);

describe("a data folder", () => {
  test.each([
    ["ours alone", ours(0o40700), true],
    ["ours, with access for our group", ours(0o40770), false],
    ["ours, readable by its group", ours(0o40750), false],
    ["ours, open to others", ours(0o40701), false],
    ["another user's, by our group", volume, true],
    ["another user's, readable by our group", othersFile(0o40750), true],
    ["another user's, open to others too", othersFile(0o42771), false],
    ["another user's, by a group that is not ours", othersFile(0o42770, 3000), false],
    ["another user's alone", othersFile(0o40700, 3000), true],
  ])("that is %s: %s", (_what, folder, isPrivate) => {
    expect(isPrivateFolder(folder, us)).toBe(isPrivate);
  });
});

describe("a file", () => {
  test.each([
    ["ours alone, in our folder", ours(0o600), ours(0o40700), true],
    ["ours, open to our group, in our folder", ours(0o660), ours(0o40700), false],
    ["open to our group, on a volume given by it", { uid: 1000, gid: 2000, mode: 0o660 }, volume, true],
    ["another user's, open to our group, on such a volume", othersFile(0o660), volume, true],
    ["open to a group that is not ours, on such a volume", othersFile(0o660, 3000), volume, false],
    ["open to others, on such a volume", othersFile(0o664), volume, false],
    ["open to our group, in a folder open to others", othersFile(0o660), othersFile(0o42771), false],
  ])("that is %s: %s", (_what, file, folder, isPrivate) => {
    expect(isPrivateFile(file, folder, us)).toBe(isPrivate);
  });
});

test("an account has its primary group and all others; a system without accounts has none", () => {
  expect(accountOf({ geteuid: () => 7, getegid: () => 8, getgroups: () => [9] })).toEqual({
    uid: 7,
    groups: [8, 9],
  });
  expect(accountOf({})).toEqual({ uid: -1, groups: [] });
});
