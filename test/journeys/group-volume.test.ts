import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noSweep } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { runProgram, startProgram, type ProgramOptions } from "../support/program.ts";

leavesNothingBehind();

const account = 54_321;
const group = 54_322;
const isRoot = process.geteuid?.() === 0;
const hasSetpriv = spawnSync("setpriv", ["--version"]).error === undefined;
const reason = isRoot && hasSetpriv ? "" : " (skipped: needs root and setpriv to act as another account)";

/** Runs with a supplementary group, as a container with `fsGroup` does. */
const asAccount = {
  env: noSweep,
  through: ["setpriv", `--reuid=${account}`, `--regid=${account}`, `--groups=${group}`],
} satisfies ProgramOptions;

/** A volume like those of Kubernetes: owned by root and the group, with files opened to the group at each mount. */
function volumeIn(folder: string, mode = 0o2770): string {
  const data = join(folder, "data");
  chmodSync(folder, 0o755);
  mkdirSync(data, { recursive: true });
  chownSync(data, 0, group);
  chmodSync(data, mode);
  return data;
}

function mountAgain(data: string): void {
  for (const name of readdirSync(data)) {
    chownSync(join(data, name), statSync(join(data, name)).uid, group);
    chmodSync(join(data, name), 0o660);
  }
}

const modes = (data: string) =>
  Object.fromEntries(
    readdirSync(data).map((name) => [name, (statSync(join(data, name)).mode & 0o777).toString(8)]),
  );

test.skipIf(reason !== "")(
  `starts on a volume that was given by its group, again after each mount, and keeps its files to itself${reason}`,
  async () => {
    const folder = temporaryFolder();
    const data = volumeIn(folder);
    const first = await startProgram({ ...asAccount, folder, config: {} });
    expect(new Set(Object.values(modes(data)))).toEqual(new Set(["600"]));
    await first.stop();
    mountAgain(data);
    const second = await startProgram({ ...asAccount, folder });
    expect(new Set(Object.values(modes(data)))).toEqual(new Set(["600"]));
    await second.stop();
  },
);

test.skipIf(reason !== "")(`does not start on one that others may look into too${reason}`, async () => {
  const folder = temporaryFolder();
  const data = volumeIn(folder, 0o2771);
  const ended = await runProgram({ ...asAccount, folder, config: {} });
  expect(ended.code).toBe(1);
  expect(ended.error).toContain(`The data folder ${data} is open to other users (mode 0771)`);
  expect(readdirSync(data)).toEqual([]);
});
