import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, closeSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { askedBelow, autoBelow, everySecond, manyCalls, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { startProgram, until, type Program } from "../support/program.ts";

leavesNothingBehind();
const mounted: string[] = [];
// Before the folders below them are removed: later hooks run first.
afterEach(() => {
  for (const folder of mounted.splice(0)) spawnSync("umount", ["-l", folder]);
});

const config = {
  identities: staff,
  policies: [autoBelow("auto:"), askedBelow("asked:", { stages: [{ approvers: ["group:dba"] }] })],
};
const env = { ...manyCalls, ...everySecond };
const ask = (name: string, duration = "1h") => ({ scopes: [`read:auto:${name}`], duration });

/** A small disk of its own, gone after the test; undefined where this account may mount none. */
function smallDisk(): string | undefined {
  const folder = join(temporaryFolder(), "disk");
  mkdirSync(folder);
  const { status } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs", folder]);
  if (status !== 0) return undefined;
  mounted.push(folder);
  return folder;
}

/** Fills what is left, to the last byte. */
function fill(folder: string): string {
  const file = join(folder, "filler");
  const descriptor = openSync(file, "a", 0o600);
  try {
    for (let size = 1024 * 1024; size > 0; size = Math.floor(size / 2)) {
      const piece = Buffer.alloc(size, 1);
      try {
        for (;;) if (writeSync(descriptor, piece) < size) break;
      } catch {
        // Smaller pieces may still fit.
      }
    }
  } finally {
    closeSync(descriptor);
  }
  return file;
}

async function disk(program: Program): Promise<{ readonly http: number; readonly ok: boolean }> {
  const ready = await program.call("GET", "/readyz");
  return { http: ready.http, ok: JSON.parse(ready.text).checks.disk.ok };
}

test("on a full disk endings and denials are written, new access is refused, and all works again once there is space", async (context) => {
  const folder = smallDisk();
  if (folder === undefined) return context.skip("mounting a small disk needs root");
  const program = await startProgram({ folder, config, env });
  const [dev, ann] = [await program.person("dev"), await program.person("ann")];
  const all = await Promise.all(["a", "b", "c", "d"].map(async (name) => (await dev.ask(ask(name))).body));
  const pending = (await dev.ask({ scopes: ["read:asked:a"] })).body;
  expect(await disk(program)).toEqual({ http: 200, ok: true });
  const reserve = join(folder, "data/reserve");
  expect(statSync(reserve).mode & 0o777).toBe(0o600);

  const filler = fill(folder);
  const [first, second, third, fourth] = all;
  // What the log had allocated may still take a few.
  const refused = async (): Promise<boolean> =>
    (await dev.ask(ask("e", "1s"))).body.code === "store_unavailable";
  await until(refused);
  const revoked = await program.admin.act(first?.id ?? "", "revoke", { reason: "over" });
  expect([revoked.http, revoked.body.status]).toEqual([200, "REVOKED"]);
  expect((await program.check(first?.credential.token ?? "", "read:auto:a")).http).toBe(401);
  expect((await dev.act(second?.id ?? "", "complete")).body.status).toBe("COMPLETED");
  expect((await ann.act(pending.id, "deny", { reason: "no" })).body.status).toBe("DENIED");
  expect((await dev.ask(ask("f"))).body.code).toBe("store_unavailable");
  expect(existsSync(reserve)).toBe(false);
  expect(await disk(program)).toEqual({ http: 200, ok: false });
  expect((await program.call("GET", "/metrics")).text).toContain("jit_disk_reserve_missing 1\n");
  await until(() => program.log.some(({ notice }) => notice === "disk_full"));
  await program.kill();

  const again = await startProgram({ folder, env });
  expect((await again.check(first?.credential.token ?? "", "read:auto:a")).http).toBe(401);
  expect((await again.check(third?.credential.token ?? "", "read:auto:c")).http).toBe(200);
  expect((await again.admin.act(third?.id ?? "", "revoke", { reason: "over" })).body.status).toBe("REVOKED");

  rmSync(filler);
  await until(async () => (await disk(again)).ok);
  expect((await again.as(dev.id, dev.key).ask(ask("g"))).http).toBe(201);
  expect(existsSync(reserve)).toBe(true);
  expect((await again.check(fourth?.credential.token ?? "", "read:auto:d")).http).toBe(200);
  await again.kill();
});

test("a service started on a full disk releases the reserve, and ends what is due", async (context) => {
  const folder = smallDisk();
  if (folder === undefined) return context.skip("mounting a small disk needs root");
  const first = await startProgram({ folder, config, env });
  const dev = await first.person("dev");
  const live = (await dev.ask(ask("a"))).body;
  await first.stop();
  fill(folder);
  const program = await startProgram({ folder, env });
  expect((await program.check(live.credential.token, "read:auto:a")).http).toBe(200);
  expect((await program.admin.act(live.id, "revoke", { reason: "over" })).body.status).toBe("REVOKED");
  expect((await program.check(live.credential.token, "read:auto:a")).http).toBe(401);
  expect((await program.as(dev.id, dev.key).ask(ask("b"))).body.code).toBe("store_unavailable");
  await program.kill();
});
