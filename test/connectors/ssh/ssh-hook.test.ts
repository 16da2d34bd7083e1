import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { hooksAtOnce } from "../../../src/connectors/ssh/hook.ts";
import { readKrl } from "../../../src/connectors/ssh/krl.ts";
import { createSshConnector } from "../../../src/connectors/ssh/ssh-connector.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import type { SshSettings } from "../../../src/core/values/connector-settings.ts";
import { instant } from "../../../src/core/values/ids.ts";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { pause, until } from "../../support/program.ts";
import { never, specFor } from "../support/connector-harness.ts";
import { caKeyText, publicKeyLine } from "../support/ssh-keys.ts";

leavesNothingBehind();

let folder: string;
let file: (name: string) => string;
beforeEach(() => {
  folder = temporaryFolder();
  file = (name) => join(folder, name);
  writeFileSync(file("ca"), caKeyText(), { mode: 0o600 });
  mkdirSync(file("seen"));
});
afterEach(() => vi.unstubAllEnvs());

function withHook(script: string, more: Partial<SshSettings> = {}) {
  writeFileSync(file("hook"), `#!/bin/bash\n${script}\n`, { mode: 0o755 });
  const settings: SshSettings = {
    kind: "ssh",
    name: "web-hosts",
    caKeyFile: file("ca"),
    krlFile: file("revoked"),
    hosts: ["web1"],
    hook: file("hook"),
    resources: ["prod:orders-db"],
    actions: { read: { principals: ["web"] } },
    ...more,
  };
  return createSshConnector(settings, { instance: "ours", now: () => instant(Date.now()) });
}

async function provisioned(connector: ReturnType<typeof withHook>) {
  const spec = specFor(connector);
  await connector.provision(spec, never());
  return spec;
}

const seen = (): string[] => readdirSync(file("seen"));

test("a hook gets its arguments and only the allowed environment variables", async () => {
  vi.stubEnv("ORDERS_DB", "postgres://broker:hunter2@db/orders");
  vi.stubEnv("JIT_ADMIN_KEY", "a key");
  vi.stubEnv("LANG", "C.UTF-8");
  const connector = withHook(`env > ${file("seen")}/env; echo "$@" > ${file("seen")}/args`);
  const spec = await provisioned(connector);
  await connector.takeBack(spec, never());
  const names = readFileSync(file("seen/env"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split("=", 1)[0] ?? "");
  // The shell itself adds the last three.
  const allowed = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "PWD", "SHLVL", "_"];
  expect(names.filter((name) => !allowed.includes(name))).toEqual([]);
  expect(names).toEqual(expect.arrayContaining(["PATH", "LANG"]));
  expect(readFileSync(file("seen/args"), "utf8")).toMatch(
    new RegExp(String.raw`^${spec.object} \d+ \d+ ${file("revoked")}\n$`),
  );
});

test("a hanging hook delays neither the claim nor the end of another grant", async () => {
  const connector = withHook(`[ "$1" != "$(cat ${file("hangs")} 2>/dev/null)" ] || sleep 60`);
  const [hanging, other] = [await provisioned(connector), await provisioned(connector)];
  writeFileSync(file("hangs"), hanging.object);
  const giveUp = new AbortController();
  const ending = connector.takeBack(hanging, giveUp.signal);
  const done: string[] = [];
  void ending.catch(() => done.push("the hanging end"));
  const claimed = await provisioned(connector);
  const ask = { expiresAt: claimed.notAfter, sshPublicKey: publicKeyLine() };
  await connector.issue(claimed, ask, never());
  await connector.takeBack(other, never());
  done.push("the others");
  giveUp.abort();
  await expect(ending).rejects.toMatchObject({ code: "timeout", retryable: true, isTargetDown: false });
  expect(done).toEqual(["the others", "the hanging end"]);
  expect((await connector.listManaged(never())).map(({ object }) => object).toSorted()).toEqual(
    [hanging.object, claimed.object].toSorted(),
  );
});

test("hooks run up to the limit at the same time, and all run in the end", async () => {
  const connector = withHook(
    `touch ${file("seen")}/$1; while [ ! -e ${file("go")} ]; do sleep 0.02; done; mv ${file("seen")}/$1 ${file("seen")}/done-$1`,
  );
  const specs = await Promise.all(Array.from({ length: hooksAtOnce + 3 }, () => provisioned(connector)));
  const ends = specs.map((spec) => connector.takeBack(spec, never()));
  await until(async () => seen().length === hooksAtOnce);
  await pause(100);
  expect(seen()).toHaveLength(hooksAtOnce);
  writeFileSync(file("go"), "");
  await Promise.all(ends);
  expect(seen().filter((name) => name.startsWith("done-"))).toHaveLength(specs.length);
  expect(await connector.listManaged(never())).toEqual([]);
});

test("a run aborted while waiting for a slot leaves the slot to the next", async () => {
  const connector = withHook(`touch ${file("seen")}/$1; while [ ! -e ${file("go")} ]; do sleep 0.02; done`);
  const specs = await Promise.all(Array.from({ length: hooksAtOnce + 2 }, () => provisioned(connector)));
  const running = specs.slice(0, hooksAtOnce).map((spec) => connector.takeBack(spec, never()));
  await until(async () => seen().length === hooksAtOnce);
  const [left, next] = specs.slice(hooksAtOnce);
  const giveUp = new AbortController();
  const waiting = connector.takeBack(assertPresent(left, "an order"), giveUp.signal);
  const after = connector.takeBack(assertPresent(next, "an order"), never());
  await pause(100);
  giveUp.abort();
  await expect(waiting).rejects.toMatchObject({ code: "timeout", retryable: true });
  writeFileSync(file("go"), "");
  await Promise.all([...running, after]);
  expect(seen()).not.toContain(left?.object);
  expect(seen()).toContain(next?.object);
});

test("processes started by a hook end with it", async () => {
  const connector = withHook(`sleep 60 & echo $! > ${file("seen")}/child; wait`);
  const spec = await provisioned(connector);
  const giveUp = new AbortController();
  const ending = connector.takeBack(spec, giveUp.signal);
  await until(async () => seen().includes("child") && readFileSync(file("seen/child"), "utf8") !== "");
  const child = Number(readFileSync(file("seen/child"), "utf8"));
  giveUp.abort();
  await expect(ending).rejects.toMatchObject({ code: "timeout" });
  await until(async () => !isRunning(child));
  expect(isRunning(child)).toBe(false);
});

test("a run that was overtaken by a later one runs again, because it may have copied an older list", async () => {
  // The slow hook copies the list as it is at its start, like a slow copy to a host.
  const connector = withHook(
    `list=$(base64 -w0 "$4"); n=$(ls ${file("seen")} | wc -l); touch ${file("seen")}/$1-$n
     [ "$1-$n" != "$(cat ${file("slow")})-0" ] || while [ ! -e ${file("go")} ]; do sleep 0.02; done
     echo "$list" | base64 -d > ${file("host")}`,
  );
  const [slow, quick] = [await provisioned(connector), await provisioned(connector)];
  writeFileSync(file("slow"), slow.object);
  const ending = connector.takeBack(slow, never());
  await until(async () => seen().length === 1);
  await connector.takeBack(quick, never());
  writeFileSync(file("go"), "");
  await ending;
  expect(seen()).toHaveLength(3);
  const ranges = (name: string) => assertPresent(readKrl(readFileSync(file(name))), "a list").ranges;
  expect(ranges("host").toSorted()).toEqual(ranges("revoked").toSorted());
  expect(ranges("host")).toHaveLength(2);
});

function isRunning(pid: number): boolean {
  try {
    // A zombie has ended too.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
